package dev.kedge.objective.supervised;

import dev.kedge.objective.Loss;
import dev.kedge.objective.continual.Lwf;
import dev.kedge.tensor.Tensor;

/// Anchored supervised fine-tuning (Zhu et al. 2025, arXiv:2509.23753): [Dft] with a KL to the model before training,
/// token by token over the whole vocabulary, so that it cannot drift.
///
/// The authors' code takes the forward KL, `KL(π_ref ‖ π)`, which [dev.kedge.objective.logprob.HeadDivergence] makes
/// through the heads, and their text the reverse one. Either may be passed. Their code takes a mean over each
/// micro-batch; here every token of the step weighs the same.
public final class Asft {
    private Asft() {}

    /// `(1/tokensInStep) Σ [-sg(π_t)·log π_t + klWeight·KL_t]` over the positions where `mask` is true. At the
    /// reference, and at klWeight 0, it is DFT.
    ///
    /// @param logProbs     log-probabilities of the tokens, nats: `[B, T]`, or packed `[N]`; gradient flows
    /// @param kl           KL of the next-token distributions at the same positions, from a reference that is a
    ///                     constant: nats, of the shape of logProbs; gradient flows
    /// @param mask         boolean, of the shape of logProbs: true at tokens that count
    /// @param klWeight     dimensionless, finite and >= 0; 0.05 in the authors' example
    /// @param tokensInStep tokens that count in the whole optimizer step, >= 1
    /// @return the loss; metrics as in [CrossEntropy#crossEntropy], and `kl`, nats, summed, `[B]` or `[N]`
    /// @throws IllegalArgumentException if shapes or types do not fit, or a number is out of range
    public static Loss asft(Tensor logProbs, Tensor kl, Tensor mask, double klWeight, long tokensInStep) {
        return anchored(Dft.dft(logProbs, mask, tokensInStep), kl, mask, klWeight, tokensInStep);
    }

    /// `(1/tokensInStep) Σ [-log π_t + klWeight·KL_t]`: cross-entropy with the same anchor, its baseline. At one
    /// klWeight the KL acts less here, since the other term is larger: compare at equal drift.
    public static Loss anchoredCrossEntropy(
            Tensor logProbs, Tensor kl, Tensor mask, double klWeight, long tokensInStep) {
        return anchored(CrossEntropy.crossEntropy(logProbs, mask, tokensInStep), kl, mask, klWeight, tokensInStep);
    }

    private static Loss anchored(Loss fit, Tensor kl, Tensor mask, double klWeight, long tokensInStep) {
        Loss anchor = Lwf.lwf(kl, mask, klWeight, tokensInStep);
        return new Loss(fit.value().plus(anchor.value()), fit.metrics()).with("kl", anchor.metric("kl"));
    }
}

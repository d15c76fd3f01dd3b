package dev.kedge.objective.supervised;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;

/// Dynamic fine-tuning (Wu et al. 2025, arXiv:2508.05629, as restated in arXiv:2509.23753): cross-entropy in which
/// each token weighs as much as the model believes in it.
public final class Dft {
    private Dft() {}

    /// `-(1/tokensInStep) Σ sg(π_t)·log π_t` over the positions where `mask` is true, `π_t = π(y_t|x, y_<t)`.
    ///
    /// Its gradient is that of `-(1/tokensInStep) Σ π_t`: a token that the model rules out teaches nothing, so
    /// noise in demonstrations is ignored, and so is news.
    ///
    /// @param logProbs     log-probabilities of the tokens, nats: `[B, T]`, or packed `[N]`; gradient flows,
    ///                     but not through the weights. Compute them in float32 or better
    /// @param mask         boolean, of the shape of logProbs: true at tokens that count
    /// @param tokensInStep tokens that count in the whole optimizer step, >= 1
    /// @return the loss; metrics as in [CrossEntropy#crossEntropy]
    /// @throws IllegalArgumentException if shapes or types do not fit, or tokensInStep < 1
    public static Loss dft(Tensor logProbs, Tensor mask, long tokensInStep) {
        Loss unweighted = CrossEntropy.crossEntropy(logProbs, mask, tokensInStep);
        Tensor counted = logProbs.whereElse(mask, 0);
        Tensor weighted = counted.detach().exp().times(counted.neg());
        return new Loss(weighted.sum().div(tokensInStep), unweighted.metrics());
    }
}

package dev.kedge.objective.supervised;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Token cross-entropy on completions: maximum likelihood of the tokens that count.
public final class CrossEntropy {
    private CrossEntropy() {}

    /// `-(1/tokensInStep) Σ log π(y_t|x, y_<t)` over the positions where `mask` is true.
    ///
    /// Every token of the step weighs the same, whatever the length of its sequence and the split of the step.
    ///
    /// @param logProbs     log-probabilities of the tokens, nats: `[B, T]`, or packed `[N]`; gradient flows
    /// @param mask         boolean, of the shape of logProbs: true at completion tokens, false at prompt and
    ///                     padding. What is masked reaches neither value nor gradient, NaN included
    /// @param tokensInStep completion tokens of the whole optimizer step, over all micro-batches and ranks, > 0;
    ///                     that the mask holds no more is not checked, since counting would wait for the device
    /// @return the loss; metrics `nll` (nats, summed) and `tokens` (count), one entry per sequence `[B]`, or per
    ///         token `[N]` of packed ones, 0 where masked: `Σ nll / Σ tokens` over the step is its mean
    /// @throws IllegalArgumentException if shapes or types do not fit, or tokensInStep < 1
    public static Loss crossEntropy(Tensor logProbs, Tensor mask, long tokensInStep) {
        if (logProbs.dim() != 1) {
            Require.dims("logProbs", logProbs, 2, "[B, T] or [N]");
        }
        Require.mask("mask", mask, "logProbs", logProbs);
        Require.denominator("tokensInStep", tokensInStep, 1);
        Tensor tokenNll = logProbs.whereElse(mask, 0).neg();
        Tensor counts = mask.to(logProbs.dtype());
        Tensor nll = logProbs.dim() == 1 ? tokenNll : tokenNll.sum(1);
        return Loss.of(nll.sum().div(tokensInStep))
                .with("nll", nll)
                .with("tokens", logProbs.dim() == 1 ? counts : counts.sum(1));
    }
}

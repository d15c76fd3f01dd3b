package dev.kedge.objective.preference;

import dev.kedge.objective.logprob.NextTokens;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Log-probabilities of whole answers from those of their tokens. What is masked reaches neither value nor
/// gradient.
public final class SequenceLogProbs {
    private SequenceLogProbs() {}

    /// Sums over the positions where `mask` is true: `[B]`.
    ///
    /// @param logProbs log-probabilities of tokens, nats, `[B, T]`; gradient flows
    /// @param mask     boolean `[B, T]`, true at the tokens of the answer
    /// @throws IllegalArgumentException if shapes or types do not fit
    public static Tensor sum(Tensor logProbs, Tensor mask) {
        Require.dims("logProbs", logProbs, 2, "[B, T]");
        Require.mask("mask", mask, "logProbs", logProbs);
        return logProbs.whereElse(mask, 0).sum(1); // select, do not multiply: NaN * 0 is NaN
    }

    /// How many tokens each answer has, int64 `[B]`.
    ///
    /// @param mask boolean `[B, T]`, true at the tokens of the answer
    public static Tensor lengths(Tensor mask) {
        Require.dims("mask", mask, 2, "[B, T]");
        Require.mask("mask", mask, "itself", mask);
        return mask.sum(1);
    }

    /// `Σ_t log softmax(logits[t])[labels[t+1]]` over the t whose `labels[t+1]` counts: `[B]`. The logits at the
    /// last position and the label at the first are not used.
    ///
    /// Holds a copy of the logits; for a large vocabulary take token log-probabilities computed in chunks and
    /// [#sum].
    ///
    /// @param logits      `[B, T, V]`, unnormalised; gradient flows
    /// @param labels      token ids int64 `[B, T]`, each in 0..V-1 or `ignoreLabel`
    /// @param ignoreLabel the label of positions that do not count, customarily -100
    /// @throws IllegalArgumentException if shapes do not fit
    public static Tensor ofLogits(Tensor logits, Tensor labels, long ignoreLabel) {
        NextTokens next = NextTokens.ofLogits(logits, labels, ignoreLabel);
        return sum(next.ofTargets(), next.mask());
    }
}

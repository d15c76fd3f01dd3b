package dev.kedge.objective.logprob;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// What a model says of each next token, over the whole vocabulary: for vocabularies small enough that all logits are
/// held at once. For larger ones there are [HeadLogProbs] and [HeadDivergence].
///
/// @param logProbs normalised, nats, `[B, T-1, V]`; uniform where nothing counts, so that a divergence of two models
///                 is 0 there; gradient flows
/// @param targets  the tokens that follow, int64 `[B, T-1]`, 0 where nothing counts
/// @param mask     boolean `[B, T-1]`, true where a target counts
public record NextTokens(Tensor logProbs, Tensor targets, Tensor mask) {
    /// The logits at each position with the label one position later. The logits at the last position and the label
    /// at the first are not used.
    ///
    /// @param logits      unnormalised, `[B, T, V]`; gradient flows, except where nothing counts
    /// @param labels      token ids int64 `[B, T]`, each in 0..V-1 or `ignoreLabel`
    /// @param ignoreLabel the label of positions that do not count, customarily -100
    /// @throws IllegalArgumentException if shapes do not fit
    public static NextTokens ofLogits(Tensor logits, Tensor labels, long ignoreLabel) {
        Require.dims("logits", logits, 3, "[B, T, V]");
        Require.sameShape("labels", labels, "logits without V", logits.select(2, 0));
        long last = labels.size(1) - 1;
        Tensor next = labels.narrow(1, 1, last);
        Tensor counts = next.ne(ignoreLabel);
        // Selected before the softmax: its gradient mixes the vocabulary, and NaN * 0 is NaN.
        Tensor logProbs =
                logits.narrow(1, 0, last).whereElse(counts.unsqueeze(2), 0).logSoftmax(2);
        return new NextTokens(logProbs, next.whereElse(counts, next.zerosLike()), counts);
    }

    /// `log π` of the targets, `[B, T-1]`: what objectives of token log-probabilities take, together with [#mask].
    public Tensor ofTargets() {
        return logProbs.gather(2, targets.unsqueeze(2)).squeeze(2);
    }
}

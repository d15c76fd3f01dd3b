package dev.kedge.objective.policy;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Entropies of next-token distributions, exact over the vocabulary.
public final class Entropy {
    private Entropy() {}

    /// `-Σ_v π(v) log π(v)` at each token, nats, `[B, T]`, 0 where masked. A token of logit `-Infinity` adds nothing.
    ///
    /// The gradient in the logit of v is `-π(v)·(log π(v) + H)`.
    ///
    /// @param logits unnormalised, `logits[b][t]` the distribution that token t was drawn from, `[B, T, V]`;
    ///               gradient flows. Copies of it are held, so it is for small vocabularies
    /// @param mask   boolean `[B, T]`, true at the tokens of the completion
    /// @throws IllegalArgumentException if shapes or types do not fit
    public static Tensor ofLogits(Tensor logits, Tensor mask) {
        Tensor logP = logProbs(logits, mask);
        Tensor support = logP.gt(Double.NEGATIVE_INFINITY); // 0 · -∞ is NaN
        Tensor entropy = logP.exp().times(logP.whereElse(support, 0)).sum(2).neg();
        return entropy.whereElse(mask, 0);
    }

    /// `log softmax`, uniform where masked: selected before the softmax, whose gradient mixes the vocabulary.
    static Tensor logProbs(Tensor logits, Tensor mask) {
        Require.dims("logits", logits, 3, "[B, T, V]");
        Require.mask("mask", mask, "logits without V", logits.select(2, 0));
        return logits.whereElse(mask.unsqueeze(2), 0).logSoftmax(2);
    }
}

package dev.kedge.objective.policy;

import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Completions that a policy drew, token by token: what policy gradients learn from. Row i is completion i.
///
/// @param logProbs    `log π(o_t|q, o_<t)` of the tokens drawn, nats, `[B, T]`; gradient flows
/// @param oldLogProbs the same under the policy that drew them, at the temperature of the draw, `[B, T]`; a constant
///                    whatever graph it carries. On policy it is logProbs itself
/// @param mask        boolean `[B, T]`, true at the tokens of the completion, its end token included; false at prompt
///                    and padding, which reach neither value nor gradient, NaN included
public record Rollout(Tensor logProbs, Tensor oldLogProbs, Tensor mask) {
    /// @throws IllegalArgumentException if the three are not matrices of one shape, or mask is not boolean
    public Rollout {
        Require.dims("logProbs", logProbs, 2, "[B, T]");
        Require.sameShape("oldLogProbs", oldLogProbs, "logProbs", logProbs);
        Require.mask("mask", mask, "logProbs", logProbs);
    }

    /// From the logits that each token was drawn from: `logits[b][t]` belongs to `tokens[b][t]`.
    ///
    /// Holds a copy of the logits, so it is for small vocabularies.
    ///
    /// @param logits      of the policy, unnormalised, `[B, T, V]`; gradient flows
    /// @param tokens      token ids, int64 `[B, T]`, each in 0..V-1 where `mask` is true, anything elsewhere
    /// @param oldLogProbs as above, and `mask` likewise
    /// @throws IllegalArgumentException if shapes or types do not fit
    public static Rollout ofLogits(Tensor logits, Tensor tokens, Tensor oldLogProbs, Tensor mask) {
        Require.dims("tokens", tokens, 2, "[B, T]");
        Require.mask("mask", mask, "tokens", tokens);
        Tensor index = tokens.whereElse(mask, tokens.zerosLike()).unsqueeze(2);
        Tensor logProbs = Entropy.logProbs(logits, mask).gather(2, index).squeeze(2);
        return new Rollout(logProbs, oldLogProbs, mask);
    }

    /// The same completions as if the policy had drawn them just now: every ratio is 1.
    public Rollout onPolicy() {
        return new Rollout(logProbs, logProbs, mask);
    }

    /// How many completions, B.
    public long completions() {
        return logProbs.size(0);
    }

    /// Tokens of each completion, `[B]`, of the type of logProbs.
    public Tensor lengths() {
        return mask.sum(1).to(logProbs.dtype());
    }

    /// `log π/π_old` of each token, `[B, T]`, 0 where masked.
    public Tensor logRatios() {
        return logProbs.minus(oldLogProbs.detach()).whereElse(mask, 0);
    }

    /// The mean over the tokens of each completion, `[B]`; 0 of none.
    ///
    /// @param perToken `[B, T]`; gradient flows
    public Tensor means(Tensor perToken) {
        Require.sameShape("perToken", perToken, "logProbs", logProbs);
        return perToken.whereElse(mask, 0).sum(1).div(Elementwise.clampMin(lengths(), 1));
    }
}

package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Tensor;

/// Decoupled clip and dynamic sampling policy optimization (Yu et al. 2025, arXiv:2503.14476).
///
/// | advantage | ratio and clipping | aggregation | KL |
/// |---|---|---|---|
/// | [GroupRelative#normalized] | of tokens, higher above than below | mean over the tokens of the step | none |
///
/// Groups without [#informative] rewards are dropped and others sampled until the step is full; completions that run
/// into the limit lose [#overlong] reward.
public final class Dapo {
    private Dapo() {}

    /// [Grpo#advantages].
    public static Tensor advantages(Tensor rewards) {
        return Grpo.advantages(rewards);
    }

    /// Which groups to keep, boolean `[P]`: those whose rewards differ.
    ///
    /// @param rewards `[P, G]`
    public static Tensor informative(Tensor rewards) {
        return GroupRelative.differ(rewards);
    }

    /// What is added to a reward for length: 0 up to `longest - margin`, falling to -1 at `longest`, -1 from
    /// there on.
    ///
    /// @param lengths tokens, of any shape
    /// @param longest the limit, tokens
    /// @param margin  tokens before the limit over which it falls, in 1..longest
    /// @throws IllegalArgumentException if margin is out of range
    public static Tensor overlong(Tensor lengths, long longest, long margin) {
        if (margin < 1 || margin > longest) {
            throw new IllegalArgumentException("margin must be in 1.." + longest + ", was " + margin);
        }
        return Elementwise.clamp(lengths.neg().plus(longest - margin).div(margin), -1, 0);
    }

    /// `(1/tokensInStep) Σ_it max(-A·ρ, -A·clip(ρ, 1 - clipLow, 1 + clipHigh))`.
    ///
    /// @param rollout      `[B, T]`
    /// @param advantages   `[B]`, or per token `[B, T]`; constants whatever graph they carry
    /// @param clipLow      dimensionless, >= 0, customarily 0.2
    /// @param clipHigh     dimensionless, >= 0, customarily 0.28: room for improbable tokens to grow
    /// @param tokensInStep completion tokens of the whole optimizer step, >= 1
    /// @return the loss; metrics as in [Surrogate#loss]
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss dapo(Rollout rollout, Tensor advantages, double clipLow, double clipHigh, long tokensInStep) {
        var surrogate = Surrogate.clipped(rollout, LogRatios.tokens(rollout), advantages, clipLow, clipHigh);
        return surrogate.loss(Aggregation.perToken(surrogate.losses(), rollout.mask(), tokensInStep));
    }
}

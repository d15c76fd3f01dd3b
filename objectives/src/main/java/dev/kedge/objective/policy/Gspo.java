package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;

/// Group Sequence Policy Optimization (Zheng et al. 2025, arXiv:2507.18071): the ratio of a completion in place of
/// those of its tokens, so that a completion is clipped as a whole.
///
/// | advantage | ratio and clipping | aggregation | KL |
/// |---|---|---|---|
/// | [GroupRelative#normalized] | `(π(o)/π_old(o))^(1/L)`, closely | mean of means over completions | none |
public final class Gspo {
    private Gspo() {}

    /// [Grpo#advantages].
    public static Tensor advantages(Tensor rewards) {
        return Grpo.advantages(rewards);
    }

    /// `(1/completionsInStep) Σ_i (1/L_i) Σ_t max(-A·s_it, -A·clip(s_it, 1 - clipLow, 1 + clipHigh))`, s of
    /// [LogRatios#sequences].
    ///
    /// @param rollout           `[B, T]`
    /// @param advantages        `[B]`, or per token `[B, T]`; constants whatever graph they carry
    /// @param clipLow           dimensionless, >= 0, customarily 3e-4: s is a mean over tokens and moves little
    /// @param clipHigh          dimensionless, >= 0, customarily 4e-4
    /// @param completionsInStep completions of the whole optimizer step, at least B
    /// @return the loss; metrics as in [Surrogate#loss]
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss gspo(
            Rollout rollout, Tensor advantages, double clipLow, double clipHigh, long completionsInStep) {
        var surrogate = Surrogate.clipped(rollout, LogRatios.sequences(rollout), advantages, clipLow, clipHigh);
        return surrogate.loss(Aggregation.perSequence(surrogate.losses(), rollout.mask(), completionsInStep));
    }
}

package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Dr. GRPO (Liu et al. 2025, arXiv:2503.20783): [Grpo] without the two divisions that bias it, by the std of a group
/// (towards prompts that are nearly always or nearly never solved) and by the length of a completion (towards short
/// right answers and long wrong ones).
///
/// | advantage | ratio and clipping | aggregation | KL |
/// |---|---|---|---|
/// | [GroupRelative#centred] | of tokens, clipped to `1 ± clip` | sum over a completion by a constant | none |
public final class DrGrpo {
    private DrGrpo() {}

    /// `A_i = r_i - mean`, `[P·G]`, prompt by prompt.
    ///
    /// @param rewards of the G completions to each prompt, `[P, G]` with G >= 2
    /// @throws IllegalArgumentException if rewards is no matrix or has a single column
    public static Tensor advantages(Tensor rewards) {
        return GroupRelative.centred(rewards).reshape(-1);
    }

    /// `(1/(completionsInStep·length)) Σ_it max(-A·ρ, -A·clip(ρ, 1 - clip, 1 + clip))`.
    ///
    /// @param rollout           `[B, T]`
    /// @param advantages        `[B]`, or per token `[B, T]`; constants whatever graph they carry
    /// @param clip              dimensionless, in (0, 1), customarily 0.2
    /// @param length            of the longest completion allowed, tokens, >= 1: the same at every step
    /// @param completionsInStep completions of the whole optimizer step, at least B
    /// @return the loss; metrics as in [Surrogate#loss]
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss drGrpo(Rollout rollout, Tensor advantages, double clip, long length, long completionsInStep) {
        Require.between("clip", clip, 0, 1);
        var surrogate = Surrogate.clipped(rollout, LogRatios.tokens(rollout), advantages, clip, clip);
        return surrogate.loss(
                Aggregation.constantLength(surrogate.losses(), rollout.mask(), length, completionsInStep));
    }
}

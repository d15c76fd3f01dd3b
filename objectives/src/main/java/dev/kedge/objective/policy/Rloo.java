package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;

/// REINFORCE leave-one-out (Ahmadian et al. 2024, arXiv:2402.14740).
///
/// | advantage | ratio and clipping | aggregation | KL |
/// |---|---|---|---|
/// | [LeaveOneOut] | none: on policy | sum over a completion, mean over completions | in the reward |
///
/// The KL is that of [ReferenceKl#inReward], taken off the rewards before the advantages.
public final class Rloo {
    private Rloo() {}

    /// `A_i = r_i - (1/(G-1)) Σ_{j≠i} r_j`, `[P·G]`, prompt by prompt.
    ///
    /// @param rewards of the G completions to each prompt, `[P, G]` with G >= 2
    /// @throws IllegalArgumentException if rewards is no matrix or has a single column
    public static Tensor advantages(Tensor rewards) {
        return LeaveOneOut.advantages(rewards.detach()).reshape(-1);
    }

    /// `-(1/completionsInStep) Σ_i A_i log π(o_i|q)`: [Reinforce#reinforce] with these advantages.
    ///
    /// @param rollout           completions just drawn, `[B, T]`
    /// @param advantages        `[B]`
    /// @param completionsInStep completions of the whole optimizer step, at least B
    /// @return the loss; metrics as in [Surrogate#loss]
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss rloo(Rollout rollout, Tensor advantages, long completionsInStep) {
        return Reinforce.reinforce(rollout, advantages, completionsInStep);
    }
}

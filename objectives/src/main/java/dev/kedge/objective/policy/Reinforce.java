package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;

/// REINFORCE (Williams 1992): the log-probability of a completion, weighted with how good it was.
///
/// | advantage | ratio and clipping | aggregation | KL |
/// |---|---|---|---|
/// | `r - b`, b a constant or [RunningMean] | none: on policy | sum over a completion, mean over completions | none |
public final class Reinforce {
    private Reinforce() {}

    /// `-(1/completionsInStep) Σ_i A_i Σ_t log π(o_it)`.
    ///
    /// @param rollout           completions just drawn, `[B, T]`: the policy that drew them is not corrected for
    /// @param advantages        `[B]`, or per token `[B, T]`; constants whatever graph they carry
    /// @param completionsInStep completions of the whole optimizer step, at least B
    /// @return the loss; metrics as in [Surrogate#loss]
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss reinforce(Rollout rollout, Tensor advantages, long completionsInStep) {
        Surrogate surrogate = Surrogate.scoreFunction(rollout, advantages);
        return surrogate.loss(Aggregation.sequenceSum(surrogate.losses(), rollout.mask(), completionsInStep));
    }

    /// The mean of all rewards so far, a baseline: kept between steps by the caller.
    ///
    /// @param value of those so far, 0 of none
    /// @param count how many they are
    public record RunningMean(double value, long count) {
        /// Of no rewards.
        public static final RunningMean NONE = new RunningMean(0, 0);

        /// With the rewards of one more step. Take the baseline of a step before its own rewards are in it: then it
        /// leaves the gradient unbiased.
        public RunningMean with(double... rewards) {
            long all = count + rewards.length;
            return all == 0
                    ? this
                    : new RunningMean((value * count + Arrays.stream(rewards).sum()) / all, all);
        }
    }
}

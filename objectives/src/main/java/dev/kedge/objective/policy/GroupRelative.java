package dev.kedge.objective.policy;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Advantages of completions against the mean of their group, the answers to one prompt.
///
/// Rewards are `[P, G]`, finite, in any unit; advantages have their shape and carry no gradient. In a group of equal
/// rewards they are exactly 0. All throw [IllegalArgumentException] if rewards is no matrix, a group has a single
/// completion, which has nothing to be measured against, or epsilon is not finite and > 0.
public final class GroupRelative {
    private GroupRelative() {}

    /// `A = r - mean(r)` (Dr. GRPO, arXiv:2503.20783): `(G-1)/G` times that of [LeaveOneOut].
    public static Tensor centred(Tensor rewards) {
        Require.dims("rewards", rewards, 2, "[P, G]");
        if (rewards.size(1) < 2) {
            throw new IllegalArgumentException(
                    "a group needs 2 or more completions to compare, was " + rewards.size(1));
        }
        Tensor r = rewards.detach();
        // Relative to the first, so that the mean of equal rewards has no rounding for a tiny std to blow up.
        Tensor relative = r.minus(r.narrow(1, 0, 1));
        return relative.minus(relative.mean(1, true));
    }

    /// `A = (r - mean(r))/(std(r) + epsilon)`, std with divisor G - 1 (GRPO, arXiv:2402.03300). Prompts whose rewards
    /// rarely differ weigh more than with [#centred].
    ///
    /// @param epsilon in the unit of the rewards
    public static Tensor normalized(Tensor rewards, double epsilon) {
        return normalized(rewards, epsilon, rewards.size(-1) - 1);
    }

    /// [#normalized] by the std of the group as it is, with divisor G.
    ///
    /// @param epsilon in the unit of the rewards
    public static Tensor populationNormalized(Tensor rewards, double epsilon) {
        return normalized(rewards, epsilon, rewards.size(-1));
    }

    /// Values of any shape, normalised as one group: whitening over the batch (REINFORCE++, arXiv:2501.03262). The
    /// batch is the whole step, not a part of it.
    ///
    /// @param values  rewards or advantages of 2 or more completions, of any shape
    /// @param epsilon in the unit of the values
    public static Tensor whitened(Tensor values, double epsilon) {
        return normalized(values.reshape(1, -1), epsilon).reshape(values.shape());
    }

    /// Whether the rewards of a group differ, boolean `[P]`: where they do not, there is nothing to learn.
    public static Tensor differ(Tensor rewards) {
        Require.dims("rewards", rewards, 2, "[P, G]");
        return rewards.amax(1, false).gt(rewards.amin(1, false));
    }

    private static Tensor normalized(Tensor rewards, double epsilon, long divisor) {
        Require.positive("epsilon", epsilon);
        Tensor centred = centred(rewards);
        Tensor std = centred.square().sum(1, true).div(divisor).sqrt();
        return centred.div(std.plus(epsilon));
    }
}

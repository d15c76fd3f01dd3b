package dev.kedge.objective.selection;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// The best and the worst of N independent draws by reward, exactly, over outcomes that can be enumerated, and how
/// often one distribution wins against another (InfAlign, arXiv:2412.19792).
///
/// The probabilities of a policy need not add up to 1: the laws are polynomials in them, and differentiating
/// [#winRate] at a policy gives the reward `R(y) = ∂W/∂π(y)` for which the ordinary KL-regularised optimum is optimal
/// under selection. A set of samples is the distribution that gives each the same probability.
public final class BestOfN {
    private BestOfN() {}

    /// The distribution of the best of N: [..., n]. Among draws of equal reward each is as likely to be taken.
    ///
    /// With G the probability of a reward no higher and G⁻ that of a lower one, an outcome of its own reward has
    /// `G^N - (G⁻)^N`.
    ///
    /// @param draws  N, at least 1; 1 is the policy itself
    /// @param policy probabilities, [..., n]; gradient flows
    /// @param reward of each outcome, not NaN, [..., n]
    /// @throws IllegalArgumentException if N is below 1 or the shapes differ
    public static Tensor best(int draws, Tensor policy, Tensor reward) {
        Require.sameShape("reward", reward, "policy", policy);
        return selected(draws, policy, reward.detach());
    }

    /// The distribution of the worst of N, likewise: what is left of a model's answers to someone who keeps the worst.
    public static Tensor worst(int draws, Tensor policy, Tensor reward) {
        Require.sameShape("reward", reward, "policy", policy);
        return selected(draws, policy, reward.detach().neg());
    }

    /// The chance that an outcome of the first distribution has a higher reward than one of the second, equal rewards
    /// counting one half: [...].
    ///
    /// @param first        probabilities, [..., n]; gradient flows
    /// @param firstReward  of its outcomes, [..., n]
    /// @param second       probabilities, a constant, [..., m]
    /// @param secondReward of its outcomes, [..., m]
    /// @throws IllegalArgumentException if the shapes do not fit
    public static Tensor winRate(Tensor first, Tensor firstReward, Tensor second, Tensor secondReward) {
        Require.sameShape("firstReward", firstReward, "first", first);
        Require.sameShape("secondReward", secondReward, "second", second);
        return first.times(Calibration.quantiles(firstReward, second, secondReward))
                .sum(-1);
    }

    private static Tensor selected(int draws, Tensor policy, Tensor reward) {
        if (draws < 1) {
            throw new IllegalArgumentException("draws must be >= 1, was " + draws);
        }
        Tensor mine = reward.unsqueeze(-1);
        Tensor others = reward.unsqueeze(-2);
        Tensor lower = mass(others.lt(mine), policy);
        Tensor notHigher = mass(others.le(mine), policy);
        // (a^N - b^N)/(a - b) = Σ a^k·b^(N-1-k): no difference of close numbers, no division where nothing has mass.
        Tensor sum = policy.onesLike();
        Tensor power = policy.onesLike();
        for (int i = 1; i < draws; i++) {
            power = power.times(lower);
            sum = sum.times(notHigher).plus(power);
        }
        return policy.times(sum);
    }

    private static Tensor mass(Tensor which, Tensor policy) {
        return which.to(policy.dtype()).matmul(policy.unsqueeze(-1)).squeeze(-1);
    }
}

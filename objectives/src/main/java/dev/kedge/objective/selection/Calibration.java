package dev.kedge.objective.selection;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;

/// Calibrated rewards: the quantile of an answer's reward among those of the base model (InfAlign, arXiv:2412.19792).
///
/// `C(x, y) = E_z[w(y, z)]` with z from the base model and w 1, 1/2 or 0 where y's reward is higher, equal or lower:
/// in [0, 1], the same under any strictly increasing map of the reward, and 1/2 on average over the base model.
///
/// Prompts are the leading dimensions, if there are any. Rewards are not NaN. Nothing here carries a gradient.
public final class Calibration {
    private Calibration() {}

    /// `C` of every outcome of a finite set: [..., n].
    ///
    /// @param base   the probabilities of the base model, [..., n]
    /// @param reward of each outcome, [..., n]
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor exact(Tensor base, Tensor reward) {
        Require.sameShape("reward", reward, "base", base);
        return quantiles(reward, base, reward);
    }

    /// The estimate of `C` from draws of the base model: [..., m], in steps of `1/(2K)`.
    ///
    /// @param baseRewards rewards of K answers drawn from the base model for each prompt, [..., K]
    /// @param rewards     of the answers to calibrate, [..., m], the prompts the same
    /// @throws IllegalArgumentException if the prompts differ in number, or there is no base answer
    public static Tensor empirical(Tensor baseRewards, Tensor rewards) {
        long[] prompts = prompts("baseRewards", baseRewards);
        if (!Arrays.equals(prompts, prompts("rewards", rewards)) || baseRewards.size(-1) == 0) {
            throw new IllegalArgumentException("baseRewards must be [..., K] with K >= 1 and the prompts of rewards, "
                    + Arrays.toString(rewards.shape()) + ", was " + Arrays.toString(baseRewards.shape()));
        }
        return wins(rewards, baseRewards).mean(-1);
    }

    /// `Σ_j weight_j·w(r_i, other_j)`, [..., m].
    static Tensor quantiles(Tensor rewards, Tensor weights, Tensor others) {
        return wins(rewards, others)
                .matmul(weights.detach().to(rewards.dtype()).unsqueeze(-1))
                .squeeze(-1);
    }

    /// `w(r_i, other_j)`, [..., m, k].
    private static Tensor wins(Tensor rewards, Tensor others) {
        Tensor r = rewards.unsqueeze(-1);
        Tensor o = others.unsqueeze(-2);
        return r.gt(o).to(rewards.dtype()).plus(r.eq(o).times(0.5));
    }

    private static long[] prompts(String name, Tensor rewards) {
        if (rewards == null || rewards.dim() == 0) {
            throw new IllegalArgumentException(
                    name + " must be [..., n], was " + (rewards == null ? "missing" : "a scalar"));
        }
        return Arrays.copyOf(rewards.shape(), rewards.dim() - 1);
    }
}

package dev.kedge.objective.occupancy;

import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// The penalty of single steps whose mean is the root of the χ² divergence of occupancy measures (ORPO,
/// arXiv:2403.03185). A constant: it is part of the reward.
///
/// @param perStep    `(exp(d) - 1)/sqrt(trimmed)`, `[n]`, in the order of the scores, none left out; `exp(d) - 1` where
///                   the estimate is not above 0. The paper has `exp(d)` in the numerator, its code this: they differ
///                   by a constant of a step, which matters where episodes end early
/// @param untrimmed  the mean of `exp(d) - 1`, an estimate of χ², a scalar
/// @param trimmed    that without the smallest and the largest, a scalar, which may be negative
public record RootChiSquaredPenalty(Tensor perStep, Tensor untrimmed, Tensor trimmed) {
    /// The penalty from the scores of a discriminator.
    ///
    /// @param scores       `d = log μ_cur/μ_ref` at the steps of the current policy, `[n]`, n >= 1; `exp(d)`
    ///                     must not overflow, so clip them
    /// @param trimFraction the share left out at each end, rounded down to whole steps, in [0, 1/2); 0.01 is
    ///                     customary
    /// @throws IllegalArgumentException if there is no score or the share is out of range
    public static RootChiSquaredPenalty of(Tensor scores, double trimFraction) {
        Require.from("trimFraction", trimFraction, 0, 0.5);
        Require.dims("scores", scores, 1, "[n]");
        long n = scores.size(0);
        if (n == 0) {
            throw new IllegalArgumentException("scores must hold at least one step, was empty");
        }
        Tensor excess = Elementwise.expm1(scores.detach());
        long k = (long) (trimFraction * n);
        Tensor trimmed =
                Ordering.sort(excess, 0, false)[0].narrow(0, k, n - 2 * k).mean();
        Tensor scale = trimmed.whereElse(trimmed.gt(0), 1).sqrt();
        return new RootChiSquaredPenalty(excess.div(scale), excess.mean(), trimmed);
    }

    /// `reward - lambda·perStep`, `[n]`.
    ///
    /// @param reward the proxy reward of each step, `[n]`
    /// @param lambda in the unit of the reward, finite and >= 0
    /// @throws IllegalArgumentException if the shapes differ or lambda is out of range
    public Tensor takenFrom(Tensor reward, double lambda) {
        Require.from("lambda", lambda, 0, Double.POSITIVE_INFINITY);
        Require.sameShape("reward", reward, "scores", perStep);
        return reward.minus(perStep.times(lambda));
    }
}

package dev.kedge.objective.preference;

import dev.kedge.objective.policy.GroupRelative;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Targets over sets of candidates for [Adpo] (arXiv:2510.18913): constants, detached from whatever they come from.
///
/// Rewards are `[S, P]`, finite, higher is better. Equal rewards get equal targets, so a set whose rewards are all
/// equal has the uniform one, which pulls the policy back to its anchor. All throw [IllegalArgumentException] if a
/// set has fewer than 2 candidates or a number is out of range.
public final class AdpoTargets {
    private static final double STD_EPSILON = 1e-8;

    private AdpoTargets() {}

    /// `q = softmax(scores/temperature)` over each set, `[S, P]`. Scores may be rewards ("raw"), advantages, or a
    /// teacher's logits.
    ///
    /// @param temperature the paper's beta_r, in the unit of the scores, finite and > 0
    public static Tensor softmax(Tensor scores, double temperature) {
        AnchoredLogits.requireSets("scores", scores);
        Require.positive("temperature", temperature);
        return scores.detach().div(temperature).softmax(1);
    }

    /// `A = (R - mean)/(std + 1e-8)` over each set, `[S, P]`, std with divisor P - 1. Exactly 0 where all rewards are
    /// equal.
    public static Tensor groupAdvantages(Tensor rewards) {
        AnchoredLogits.requireSets("rewards", rewards);
        return GroupRelative.normalized(rewards, STD_EPSILON);
    }

    /// [#softmax] of [#groupAdvantages]: blind to location and scale of a set's rewards.
    ///
    /// @param temperature beta_r, dimensionless, finite and > 0
    public static Tensor groupRelative(Tensor rewards, double temperature) {
        return softmax(groupAdvantages(rewards), temperature);
    }

    /// `q = softmax(logit(F)/temperature)`, `F_i = (1/P) Σ_j Φ((R_i - R_j)/bandwidth)`: the rank of a reward in its
    /// set, smoothed by a Gaussian kernel. F keeps to [1/2P, 1 - 1/2P], so no outlier, however far, takes all of q.
    ///
    /// A small bandwidth gives mid-ranks, a large one the uniform target. The paper's early versions smooth ranks
    /// by a kernel density estimate without saying how; this reading is ours.
    ///
    /// @param bandwidth   in the unit of the rewards, finite and > 0
    /// @param temperature dimensionless, finite and > 0
    public static Tensor kernelRanked(Tensor rewards, double bandwidth, double temperature) {
        AnchoredLogits.requireSets("rewards", rewards);
        Require.positive("bandwidth", bandwidth);
        // E = erf(·/√2) = 2Φ - 1, whose mean m over j gives logit F = log((1 + m)/(1 - m)).
        Tensor m = Elementwise.erf(differences(rewards).div(bandwidth * Math.sqrt(2)))
                .mean(2);
        return softmax(Elementwise.log1p(m).minus(Elementwise.log1p(m.neg())), temperature);
    }

    /// `q_ij = σ((R_i - R_j)/temperature)`, `[S, P, P]`: Bradley and Terry's probability that i is preferred to j.
    ///
    /// @param temperature in the unit of the rewards, finite and > 0; the paper names none, which is 1
    public static Tensor softPreferences(Tensor rewards, double temperature) {
        AnchoredLogits.requireSets("rewards", rewards);
        Require.positive("temperature", temperature);
        return Functional.sigmoid(differences(rewards).div(temperature));
    }

    /// `q_ij` = 1 where `R_i > R_j`, 0 where less, 1/2 where equal, `[S, P, P]`: [#softPreferences] as the
    /// temperature falls to 0.
    public static Tensor hardPreferences(Tensor rewards) {
        AnchoredLogits.requireSets("rewards", rewards);
        return Elementwise.sign(differences(rewards)).plus(1).div(2);
    }

    /// Refuses targets that are no distributions. Reads them, and so waits for the device: for where they enter,
    /// not for every step.
    ///
    /// @param targets `[S, P]`
    /// @throws IllegalArgumentException naming the first set with a target that is negative, or NaN, or whose
    ///                                  targets do not sum to 1 within 1e-4
    public static void requireDistributions(Tensor targets) {
        AnchoredLogits.requireSets("targets", targets);
        double[] q = targets.toDoubles();
        int p = (int) targets.size(1);
        for (int s = 0; s < targets.size(0); s++) {
            double sum = 0;
            for (int i = 0; i < p; i++) {
                double target = q[s * p + i];
                if (!(target >= 0)) {
                    throw new IllegalArgumentException(
                            "targets must be >= 0, was " + target + " at candidate " + i + " of set " + s);
                }
                sum += target;
            }
            if (!(Math.abs(sum - 1) <= 1e-4)) {
                throw new IllegalArgumentException("targets must sum to 1 over a set, was " + sum + " at set " + s);
            }
        }
    }

    /// `R_i - R_j`, `[S, P, P]`.
    private static Tensor differences(Tensor rewards) {
        Tensor r = rewards.detach();
        return r.unsqueeze(2).minus(r.unsqueeze(1));
    }
}

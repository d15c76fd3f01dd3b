package dev.kedge.objective.occupancy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// The penalty that occupancy measures are compared with: divergences of action distributions, state by state
/// (arXiv:2403.03185). It does not see which states a policy goes to.
public final class ActionPenalty {
    private ActionPenalty() {}

    /// `coefficient/(1-gamma)·(1/statesInStep) Σ_s D(π(.|s)||ref(.|s))`: on the scale of returns, while a penalty of
    /// occupancy measures is paid step by step.
    ///
    /// @param divergences   of each visited state, `[B]`, such as those of
    ///                      [dev.kedge.objective.divergence.Divergence#categorical]; gradient flows
    /// @param coefficient   in units of reward, finite and > 0
    /// @param gamma         discount, in [0, 1)
    /// @param statesInStep  states in the whole optimizer step, at least B
    /// @return the loss; metrics `divergence`, `[B]`
    /// @throws IllegalArgumentException if an argument is out of range
    public static Loss mean(Tensor divergences, double coefficient, double gamma, long statesInStep) {
        Require.positive("coefficient", coefficient);
        Require.from("gamma", gamma, 0, 1);
        Require.dims("divergences", divergences, 1, "[B]");
        Require.denominator("statesInStep", statesInStep, divergences.size(0));
        double weight = coefficient / (1 - gamma);
        return Loss.of(divergences.sum().div(statesInStep).times(weight)).with("divergence", divergences);
    }

    /// `sqrt(max(floor, χ²))` of each state, for [#mean]: no gradient below the floor.
    ///
    /// @param chiSquared `[B]`; gradient flows
    /// @param floor      finite and > 0; 1e-4 is customary
    /// @throws IllegalArgumentException if the floor is out of range
    public static Tensor root(Tensor chiSquared, double floor) {
        Require.positive("floor", floor);
        return Elementwise.clampMin(chiSquared, floor).sqrt();
    }

    /// χ² where it is finite, the KL elsewhere: for Gaussians, of which a wide one is infinitely far from a narrow one.
    ///
    /// @param chiSquared of each state, `[B]`; gradient flows where it is finite
    /// @param kl         of the same pairs, `[B]`; gradient flows elsewhere
    /// @throws IllegalArgumentException if the shapes differ
    public static Tensor finite(Tensor chiSquared, Tensor kl) {
        Require.sameShape("kl", kl, "chiSquared", chiSquared);
        return chiSquared.whereElse(chiSquared.isFinite(), kl);
    }
}

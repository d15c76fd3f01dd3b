package dev.kedge.env.mdp;

import java.util.ArrayList;
import java.util.List;

/// Exact gradients of returns with respect to the logits of a softmax policy.
///
/// With `g(a) = Q(s,a) - ∂penalty/∂π(a|s)` the gradient at (s, a) is `μ(s)·π(a|s)·(g(a) - Σ π·g)`: the policy gradient
/// theorem, in which the reward is less the penalty.
///
/// A divergence of occupancy measures needs nothing more: the gradient of `J(π, R) - D(μ_π)` is that of the linear
/// return under the rewards `R(s,a) - ∂D/∂μ(s,a)` at the μ of the moment.
public final class PolicyGradient {
    private PolicyGradient() {}

    /// Of `J = (1 - discount)·Σ start(s)·V(s)`, the mean of a step's `reward - penalty`: `[S][A]`.
    ///
    /// @param tolerance for values and occupancy, finite and > 0
    /// @throws IllegalArgumentException naming state and action, if the policy has mass where the reference has
    ///     none
    public static double[][] discounted(
            Mdp mdp, MdpPolicy policy, MdpPolicy ref, Regularizer regularizer, double tolerance) {
        var solution = ValueIteration.evaluate(mdp, policy, ref, regularizer, tolerance);
        double[] states = Occupancy.discounted(mdp, policy, tolerance).states();
        return gradient(states, solution.actionValues(), policy, ref, regularizer);
    }

    /// Of `Σ start(s)·V_0(s)`, for each stage's logits: `[H][S][A]`.
    ///
    /// @param policies of each stage, and as many references: `[H]`
    /// @throws IllegalArgumentException naming stage, state and action, if a policy has mass where its reference
    ///     has none
    public static List<double[][]> perStage(
            FiniteHorizonMdp mdp, List<MdpPolicy> policies, List<MdpPolicy> ref, Regularizer regularizer) {
        var solution = BackwardInduction.evaluate(mdp, policies, ref, regularizer);
        List<Occupancy> occupancies = Occupancy.perStage(mdp, policies);
        List<double[][]> stages = new ArrayList<>();
        for (int h = 0; h < mdp.horizon(); h++) {
            stages.add(gradient(
                    occupancies.get(h).states(), solution.actionValues()[h], policies.get(h), ref.get(h), regularizer));
        }
        return stages;
    }

    private static double[][] gradient(
            double[] states, double[][] q, MdpPolicy policy, MdpPolicy ref, Regularizer regularizer) {
        double[][] gradient = new double[states.length][policy.actions()];
        for (int s = 0; s < states.length; s++) {
            double[] slope = new double[policy.actions()];
            double mean = 0;
            for (int a = 0; a < slope.length; a++) {
                double p = policy.probability(s, a);
                if (p > 0) {
                    slope[a] = q[s][a] - regularizer.derivative(policy.logProbs()[s][a], ref.logProbs()[s][a]);
                    mean += p * slope[a];
                }
            }
            for (int a = 0; a < slope.length; a++) {
                gradient[s][a] = states[s] * policy.probability(s, a) * (slope[a] - mean);
            }
        }
        return gradient;
    }
}

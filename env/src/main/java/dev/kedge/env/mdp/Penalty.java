package dev.kedge.env.mdp;

import dev.kedge.config.Kind;
import dev.kedge.env.Categorical;
import java.util.Arrays;

/// A divergence from a reference that is taken off a policy's return: what arXiv:2403.03185 compares. Those of
/// [Regularizer] are paid in each state, and have optima in closed form; some of these depend on everything a policy
/// visits.
public sealed interface Penalty {
    /// Which divergence.
    enum Divergence {
        KL,
        CHI_SQUARED,
        /// The root of χ².
        ROOT_CHI_SQUARED;

        private static final double SMALLEST = 1e-9;

        /// Of p from q, which is above 0 where p is.
        double of(double[] p, double[] q) {
            return switch (this) {
                case KL -> Categorical.kl(logs(p), logs(q));
                case CHI_SQUARED -> Occupancy.chiSquared(p, q);
                case ROOT_CHI_SQUARED -> Math.sqrt(Occupancy.chiSquared(p, q));
            };
        }

        private static double[] logs(double[] p) {
            return Arrays.stream(p).map(Math::log).toArray();
        }

        /// `∂D/∂p`, up to a constant, at a ratio `p/q > 0` and a value of the divergence. The root has none at its
        /// least value, where 0 is as good as any.
        double slope(double ratio, double value) {
            return switch (this) {
                case KL -> Math.log(ratio);
                case CHI_SQUARED -> 2 * ratio;
                case ROOT_CHI_SQUARED -> value > SMALLEST ? (ratio - 1) / value : 0;
            };
        }
    }

    /// None: the return alone.
    @Kind("none")
    record None() implements Penalty {}

    /// Of actions, `Σ μ(s)·D(π(.|s)||ref(.|s))`.
    @Kind("actions")
    record Actions(Divergence divergence) implements Penalty {}

    /// Of the states that are visited, `D(μ(s)||μ_ref(s))`.
    @Kind("states")
    record States(Divergence divergence) implements Penalty {}

    /// Of occupancy measures, `D(μ(s,a)||μ_ref(s,a))`.
    @Kind("occupancies")
    record Occupancies(Divergence divergence) implements Penalty {}
}

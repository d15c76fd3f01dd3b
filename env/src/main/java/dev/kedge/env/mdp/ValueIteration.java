package dev.kedge.env.mdp;

import java.util.Arrays;

/// Exact values of discounted processes, to within a tolerance that is proven: the distance of every value from the
/// true one is at most [Solution#errorBound], in which rounding is allowed for with 2⁻⁵² of the largest value,
/// `/(1 - discount)`.
///
/// Held to a reference, a policy is worth `V(s) = E[Σ_t discount^t·(r - penalty(π(s_t), ref(s_t)))]`; the optimum has
/// `V(s) = max_p Σ p(a)·Q(s,a) - penalty(p, ref(s))` with `Q = r + discount·P·V`.
public final class ValueIteration {
    private ValueIteration() {}

    /// @param values       V, what the penalties cost taken off: `[S]`
    /// @param actionValues `Q(s,a) = r(s,a) + discount·Σ P(s'|s,a)·V(s')`: `[S][A]`
    /// @param policy       the policy evaluated, or the maximiser of `Q` in every state. With `e` the error
    ///                     bound its own values are within `2·discount·e/(1 - discount)` of the optimum's, under
    ///                     a KL regulariser within `(discount·e)²/(2·beta·(1 - discount))`
    /// @param errorBound   on every value
    /// @param sweeps       over the states that it took
    public record Solution(double[] values, double[][] actionValues, MdpPolicy policy, double errorBound, int sweeps) {}

    /// The best values without a regulariser, and a greedy policy.
    ///
    /// @param tolerance for the error bound, finite and > 0
    /// @throws ArithmeticException if rounding does not allow it
    public static Solution optimal(Mdp mdp, double tolerance) {
        return optimal(mdp, MdpPolicy.uniform(mdp.states(), mdp.actions()), new Regularizer.None(), tolerance);
    }

    /// The best that a policy held to a reference can do. It takes no action that the reference never takes.
    ///
    /// @param tolerance for the error bound, finite and > 0
    /// @throws ArithmeticException if rounding does not allow it
    public static Solution optimal(Mdp mdp, MdpPolicy ref, Regularizer regularizer, double tolerance) {
        ref.requireShape(mdp.states(), mdp.actions());
        double[] q = new double[mdp.actions()];
        FixedPoint found = FixedPoint.of(
                (from, to) -> {
                    for (int s = 0; s < to.length; s++) {
                        to[s] = regularizer.maximum(mdp.actionValues(s, from, q), ref.logProbs()[s]);
                    }
                },
                mdp.states(),
                mdp.discount(),
                tolerance);
        double[][] actionValues = mdp.actionValues(found.values());
        return new Solution(
                found.values(),
                actionValues,
                maximizer(actionValues, ref, regularizer),
                found.errorBound(),
                found.sweeps());
    }

    static MdpPolicy maximizer(double[][] actionValues, MdpPolicy ref, Regularizer regularizer) {
        double[][] logProbs = new double[actionValues.length][];
        Arrays.setAll(logProbs, s -> regularizer.maximizer(actionValues[s], ref.logProbs()[s]));
        return new MdpPolicy(logProbs);
    }

    /// The best with a bonus of `alpha` times the policy's entropy at each step: that of a uniform reference,
    /// `alpha·H(p) = alpha·log A - alpha·KL(p||uniform)`.
    ///
    /// @param alpha     finite and > 0
    /// @param tolerance for the error bound, finite and > 0
    /// @throws ArithmeticException if rounding does not allow it
    public static Solution maximumEntropy(Mdp mdp, double alpha, double tolerance) {
        Solution soft = optimal(
                mdp.withReward(raised(mdp.reward(), alpha * Math.log(mdp.actions()))),
                MdpPolicy.uniform(mdp.states(), mdp.actions()),
                new Regularizer.Kl(alpha),
                tolerance);
        return new Solution(
                soft.values(), mdp.actionValues(soft.values()), soft.policy(), soft.errorBound(), soft.sweeps());
    }

    static double[][] raised(double[][] table, double by) {
        return Arrays.stream(table)
                .map(row -> Arrays.stream(row).map(x -> x + by).toArray())
                .toArray(double[][]::new);
    }

    /// What a policy is worth.
    ///
    /// @param tolerance for the error bound, finite and > 0
    /// @throws ArithmeticException if rounding does not allow it
    public static Solution evaluate(Mdp mdp, MdpPolicy policy, double tolerance) {
        return evaluate(mdp, policy, policy, new Regularizer.None(), tolerance);
    }

    /// What a policy is worth, the penalties taken off.
    ///
    /// @param tolerance for the error bound, finite and > 0
    /// @throws IllegalArgumentException naming state and action, if the policy has mass where the reference has
    ///     none
    /// @throws ArithmeticException      if rounding does not allow the tolerance
    public static Solution evaluate(
            Mdp mdp, MdpPolicy policy, MdpPolicy ref, Regularizer regularizer, double tolerance) {
        policy.requireShape(mdp.states(), mdp.actions());
        policy.requireWithin(ref);
        double[][] p = policy.probabilities();
        double[] gain = new double[mdp.states()];
        for (int s = 0; s < gain.length; s++) {
            gain[s] = expectation(p[s], mdp.reward()[s]) - regularizer.penalty(policy.logProbs()[s], ref.logProbs()[s]);
        }
        FixedPoint found = FixedPoint.of(
                (from, to) -> {
                    for (int s = 0; s < to.length; s++) {
                        to[s] = gain[s] + mdp.discount() * expectation(mdp.transitions(), s, p[s], from);
                    }
                },
                mdp.states(),
                mdp.discount(),
                tolerance);
        return new Solution(
                found.values(), mdp.actionValues(found.values()), policy, found.errorBound(), found.sweeps());
    }

    static double expectation(double[] p, double[] of) {
        double sum = 0;
        for (int a = 0; a < p.length; a++) {
            sum += p[a] == 0 ? 0 : p[a] * of[a];
        }
        return sum;
    }

    /// `Σ π(a|s)·P(s'|s,a)·values[s']`.
    static double expectation(Transitions transitions, int state, double[] p, double[] values) {
        double sum = 0;
        for (int a = 0; a < p.length; a++) {
            sum += p[a] == 0 ? 0 : p[a] * transitions.expectation(state, a, values);
        }
        return sum;
    }
}

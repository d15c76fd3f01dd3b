package dev.kedge.env.mdp;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/// The planning step of UCBVI-Ent+ and of LSVI-UCB-Ent (arXiv:2310.17303): values above and below the true ones of a
/// process of H stages that is only known from visits, held to a reference. Without a regulariser it is that of UCBVI.
///
/// With the true transitions and no bonus both are [BackwardInduction]'s.
public final class OptimisticPlanning {
    private OptimisticPlanning() {}

    /// What is known of a process.
    ///
    /// @param reward  `[H][S][A]`
    /// @param weights of the successors, so that `Σ weights·V(s')` is the value expected: probabilities counted
    ///                from visits, or what a regression makes of them, which may be negative; `[H][S][A][S]`
    public record Estimate(double[][][] reward, double[][][][] weights) {
        /// @throws IllegalArgumentException if the shapes do not fit
        public Estimate {
            if (reward.length == 0 || weights.length != reward.length) {
                throw new IllegalArgumentException(
                        "rewards and weights of the same number of stages > 0 expected, were " + reward.length + " and "
                                + weights.length);
            }
        }

        /// A process that is known.
        public static Estimate of(FiniteHorizonMdp mdp) {
            double[][][][] weights = new double[mdp.horizon()][mdp.states()][mdp.actions()][mdp.states()];
            for (int h = 0; h < weights.length; h++) {
                for (int s = 0; s < weights[h].length; s++) {
                    for (int a = 0; a < weights[h][s].length; a++) {
                        mdp.transitions().get(h).push(s, a, 1, weights[h][s][a]);
                    }
                }
            }
            return new Estimate(mdp.reward(), weights);
        }

        /// H.
        public int horizon() {
            return reward.length;
        }

        double expectation(int stage, int state, int action, double[] values) {
            double[] w = weights[stage][state][action];
            double sum = 0;
            for (int s = 0; s < w.length; s++) {
                sum += w[s] * values[s];
            }
            return sum;
        }

        double variance(int stage, int state, int action, double[] values, double mean) {
            double[] w = weights[stage][state][action];
            double sum = 0;
            for (int s = 0; s < w.length; s++) {
                sum += w[s] * (values[s] - mean) * (values[s] - mean);
            }
            return sum;
        }
    }

    /// What is added to the optimistic action value, and taken from the pessimistic one.
    @FunctionalInterface
    public interface Bonus {
        /// @param upper the optimistic values after the stage: `[S]`; `lower` the pessimistic ones
        double at(int stage, int state, int action, double[] upper, double[] lower);
    }

    /// Values that hold the true ones between them.
    ///
    /// @param upperQ            `[H][S][A]`; `lowerQ` likewise
    /// @param upperV            the last row is 0: `[H + 1][S]`; `lowerV` likewise
    /// @param policies          of the optimistic values: `[H]`
    /// @param explorationAction where the two are farthest apart, the first of several: `[H][S]`
    public record Bounds(
            double[][][] upperQ,
            double[][][] lowerQ,
            double[][] upperV,
            double[][] lowerV,
            List<MdpPolicy> policies,
            int[][] explorationAction) {}

    /// Backwards from the last stage: `Q = clip(r + Σ weights·V ± bonus, low, high)`, V the regularised maximum, which
    /// is not clipped again.
    ///
    /// @param ref  of each stage: `[H]`
    /// @param low  the least that a value can be
    /// @param high the most that a value can be, of each stage, above `low`: `[H]`
    /// @throws IllegalArgumentException if the lists have other lengths, or low is not below high
    public static Bounds plan(
            Estimate estimate, Bonus bonus, List<MdpPolicy> ref, Regularizer regularizer, double low, double[] high) {
        int horizon = estimate.horizon();
        if (ref.size() != horizon || high.length != horizon) {
            throw new IllegalArgumentException("references and limits of " + horizon + " stages expected, were "
                    + ref.size() + " and " + high.length);
        }
        double[][][] upperQ = new double[horizon][][];
        double[][][] lowerQ = new double[horizon][][];
        double[][] upperV = new double[horizon + 1][];
        double[][] lowerV = new double[horizon + 1][];
        upperV[horizon] = lowerV[horizon] = new double[estimate.reward[0].length];
        List<MdpPolicy> policies = new ArrayList<>(Collections.nCopies(horizon, null));
        int[][] widest = new int[horizon][];
        for (int h = horizon - 1; h >= 0; h--) {
            if (!(low < high[h])) {
                throw new IllegalArgumentException(
                        "stage " + h + ": low must be below high, were " + low + " and " + high[h]);
            }
            ref.get(h).requireShape(estimate.reward[h].length, estimate.reward[h][0].length);
            upperQ[h] = new double[estimate.reward[h].length][estimate.reward[h][0].length];
            lowerQ[h] = new double[upperQ[h].length][upperQ[h][0].length];
            double[][] logPolicy = new double[upperQ[h].length][];
            upperV[h] = new double[upperQ[h].length];
            lowerV[h] = new double[upperQ[h].length];
            widest[h] = new int[upperQ[h].length];
            for (int s = 0; s < upperQ[h].length; s++) {
                for (int a = 0; a < upperQ[h][s].length; a++) {
                    double b = bonus.at(h, s, a, upperV[h + 1], lowerV[h + 1]);
                    double r = estimate.reward[h][s][a];
                    double up = r + estimate.expectation(h, s, a, upperV[h + 1]) + b;
                    double down = r + estimate.expectation(h, s, a, lowerV[h + 1]) - b;
                    upperQ[h][s][a] = Math.clamp(up, low, high[h]);
                    lowerQ[h][s][a] = Math.clamp(down, low, high[h]);
                    widest[h][s] =
                            width(upperQ[h][s], lowerQ[h][s], a) > width(upperQ[h][s], lowerQ[h][s], widest[h][s])
                                    ? a
                                    : widest[h][s];
                }
                double[] logRef = ref.get(h).logProbs()[s];
                upperV[h][s] = regularizer.maximum(upperQ[h][s], logRef);
                lowerV[h][s] = regularizer.maximum(lowerQ[h][s], logRef);
                logPolicy[s] = regularizer.maximizer(upperQ[h][s], logRef);
            }
            policies.set(h, new MdpPolicy(logPolicy));
        }
        return new Bounds(upperQ, lowerQ, upperV, lowerV, Collections.unmodifiableList(policies), widest);
    }

    /// `(1/(2·lambda))·E_π[Σ_h max_a (Q_up - Q_low)²]` from each stage and state on: with the true transitions and no
    /// bonus at least what the optimistic policies lack of the regularised optimum, `lambda·KL` being paid. With
    /// estimated transitions a bonus on top of what is propagated makes up for their errors.
    ///
    /// @param lambda finite and > 0
    /// @param high   the most that can be lacking, of each stage: `[H]`
    /// @return the last row is 0: `[H + 1][S]`
    public static double[][] gapBound(Estimate estimate, Bounds bounds, Bonus bonus, double lambda, double[] high) {
        if (!(lambda > 0 && lambda < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("lambda must be finite and > 0, was " + lambda);
        }
        int horizon = estimate.horizon();
        double[][] gap = new double[horizon + 1][bounds.upperV[0].length];
        double[] none = new double[gap[0].length];
        for (int h = horizon - 1; h >= 0; h--) {
            MdpPolicy policy = bounds.policies.get(h);
            for (int s = 0; s < none.length; s++) {
                double widest = width(bounds.upperQ[h][s], bounds.lowerQ[h][s], bounds.explorationAction[h][s]);
                double sum = widest * widest / (2 * lambda);
                for (int a = 0; a < policy.actions(); a++) {
                    double later = estimate.expectation(h, s, a, gap[h + 1]) + bonus.at(h, s, a, gap[h + 1], none);
                    sum += policy.probability(s, a) * later;
                }
                gap[h][s] = Math.min(sum, high[h]);
            }
        }
        return gap;
    }

    private static double width(double[] upper, double[] lower, int action) {
        return upper[action] - lower[action];
    }

    /// No bonus.
    public static Bonus none() {
        return (_, _, _, _, _) -> 0;
    }

    /// The same whatever the values: `[H][S][A]`.
    public static Bonus fixed(double[][][] bonus) {
        double[][][] copy = Arrays.stream(bonus).map(double[][]::clone).toArray(double[][][]::new);
        return (h, s, a, _, _) -> copy[h][s][a];
    }
}

package dev.kedge.env.mdp;

import dev.kedge.env.Categorical;
import java.util.Arrays;

/// What holds a policy to its reference in every state: a divergence times its strength, paid at each step.
///
/// Each has the solution of one state, the maximum over distributions p of `Σ p(a)·q(a) - penalty(p, ref)`, in closed
/// form. As functions of q these maxima are monotone, and adding a constant to q adds it to them: hence the Bellman
/// operators made of them contract.
public sealed interface Regularizer {
    /// The maximum: `>=` any other policy's `Σ p·q - penalty`.
    ///
    /// @param q      of the actions: `[A]`
    /// @param logRef the reference: `[A]`
    double maximum(double[] q, double[] logRef);

    /// Where it is attained, log-probabilities: `[A]`.
    double[] maximizer(double[] q, double[] logRef);

    /// The penalty of a policy; infinite where it has mass and the reference has none.
    double penalty(double[] logPolicy, double[] logRef);

    /// The derivative of the penalty with respect to `p(a)`, up to a constant: all that a gradient along the simplex
    /// needs. Both log-probabilities are finite.
    double derivative(double logPolicy, double logRef);

    /// No regulariser: the greedy policy, of equal actions the first. The reference is ignored.
    record None() implements Regularizer {
        @Override
        public double maximum(double[] q, double[] logRef) {
            return q[best(q)];
        }

        @Override
        public double[] maximizer(double[] q, double[] logRef) {
            double[] policy = new double[q.length];
            Arrays.fill(policy, Double.NEGATIVE_INFINITY);
            policy[best(q)] = 0;
            return policy;
        }

        private static int best(double[] q) {
            int best = 0;
            for (int a = 1; a < q.length; a++) {
                best = q[a] > q[best] ? a : best;
            }
            return best;
        }

        @Override
        public double penalty(double[] logPolicy, double[] logRef) {
            return 0;
        }

        @Override
        public double derivative(double logPolicy, double logRef) {
            return 0;
        }
    }

    /// `beta·KL(p||ref)`: the maximum is `beta·log Σ ref·exp(q/beta)`, the soft Bellman backup, and the maximiser the
    /// tilted reference, `p ~ ref·exp(q/beta)` (arXiv:2205.11275; arXiv:2310.17303). With a uniform reference it is
    /// maximum entropy, but for the constant `beta·log A` that [ValueIteration#maximumEntropy] adds at each step.
    ///
    /// @param beta finite and > 0
    record Kl(double beta) implements Regularizer {
        public Kl {
            requirePositive(beta);
        }

        @Override
        public double maximum(double[] q, double[] logRef) {
            double max = Double.NEGATIVE_INFINITY;
            double min = Double.POSITIVE_INFINITY;
            for (int a = 0; a < q.length; a++) {
                if (logRef[a] != Double.NEGATIVE_INFINITY) {
                    max = Math.max(max, q[a]);
                    min = Math.min(min, q[a]);
                }
            }
            if (max - min < beta) { // near the reference: of log Σ ref·exp(...) a large beta would leave no digits
                double sum = 0;
                for (int a = 0; a < q.length; a++) {
                    sum += Math.exp(logRef[a]) * Math.expm1((Math.min(q[a], max) - max) / beta);
                }
                return max + beta * Math.log1p(sum);
            }
            double largest = Double.NEGATIVE_INFINITY;
            for (int a = 0; a < q.length; a++) {
                largest = Math.max(largest, logRef[a] + (q[a] - max) / beta);
            }
            double sum = 0;
            for (int a = 0; a < q.length; a++) {
                sum += Math.exp(logRef[a] + (q[a] - max) / beta - largest);
            }
            return max + beta * (largest + Math.log(sum));
        }

        @Override
        public double[] maximizer(double[] q, double[] logRef) {
            double best = bestWithin(logRef, q);
            double[] logits = new double[q.length];
            Arrays.setAll(logits, a -> logRef[a] + (q[a] - best) / beta);
            return Categorical.logSoftmax(logits);
        }

        @Override
        public double penalty(double[] logPolicy, double[] logRef) {
            return beta * Categorical.kl(logPolicy, logRef);
        }

        @Override
        public double derivative(double logPolicy, double logRef) {
            return beta * (logPolicy - logRef);
        }
    }

    /// `beta·χ²(p||ref)`, `χ² = Σ p²/ref - 1`: `p = ref·max(0, 1 + (q - threshold)/(2·beta))`, with the threshold at
    /// which that is a distribution (arXiv:2403.03185). Bad enough actions get no mass at all.
    ///
    /// @param beta finite and > 0
    record ChiSquared(double beta) implements Regularizer {
        public ChiSquared {
            requirePositive(beta);
        }

        @Override
        public double maximum(double[] q, double[] logRef) {
            double[] ratio = ratios(q, logRef);
            double sum = 0;
            for (int a = 0; a < q.length; a++) {
                double distance = ratio[a] - 1;
                sum += Math.exp(logRef[a]) * (ratio[a] * q[a] - beta * distance * distance);
            }
            return sum;
        }

        @Override
        public double[] maximizer(double[] q, double[] logRef) {
            double[] ratio = ratios(q, logRef);
            double[] logits = new double[q.length];
            Arrays.setAll(logits, a -> ratio[a] == 0 ? Double.NEGATIVE_INFINITY : logRef[a] + Math.log(ratio[a]));
            return Categorical.logSoftmax(logits);
        }

        /// `p/ref`. The threshold of a set of actions, `E[q] - 2·beta·(1 - mass)/mass` under the reference in it, is at
        /// most the one sought, so that what is not above it has no mass; without those the set is smaller, and
        /// after at most A rounds none is left to take away.
        private double[] ratios(double[] q, double[] logRef) {
            double[] ref = Categorical.probabilities(logRef);
            double best = bestWithin(logRef, q);
            double[] ratio = new double[q.length];
            Arrays.setAll(ratio, a -> ref[a] > 0 ? 1 : 0);
            boolean smaller = true;
            while (smaller) {
                double mass = 0;
                double mean = 0;
                for (int a = 0; a < q.length; a++) {
                    mass += ratio[a] > 0 ? ref[a] : 0;
                    mean += ratio[a] > 0 ? ref[a] * (q[a] - best) : 0;
                }
                double threshold = (mean - 2 * beta * (1 - mass)) / mass;
                smaller = false;
                for (int a = 0; a < q.length; a++) {
                    if (ratio[a] > 0) {
                        ratio[a] = Math.max(0, 1 + (q[a] - best - threshold) / (2 * beta));
                        smaller |= ratio[a] == 0;
                    }
                }
            }
            return ratio;
        }

        @Override
        public double penalty(double[] logPolicy, double[] logRef) {
            return beta * Occupancy.chiSquared(Categorical.probabilities(logPolicy), Categorical.probabilities(logRef));
        }

        @Override
        public double derivative(double logPolicy, double logRef) {
            return 2 * beta * Math.exp(logPolicy - logRef);
        }
    }

    private static double bestWithin(double[] logRef, double[] q) {
        double best = Double.NEGATIVE_INFINITY;
        for (int a = 0; a < q.length; a++) {
            best = logRef[a] == Double.NEGATIVE_INFINITY ? best : Math.max(best, q[a]);
        }
        return best;
    }

    private static void requirePositive(double beta) {
        if (!(beta > 0 && beta < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("beta must be finite and > 0, was " + beta);
        }
    }
}

package dev.kedge.env.mdp;

import dev.kedge.env.Categorical;
import java.util.Arrays;

/// A policy `π(a|s)`, as log-probabilities: a small beta makes actions rarer than a double can say.
///
/// Rows that add up to 1 but for rounding (1e-9) are divided by their sum.
///
/// @param logProbs normalised, nats, `-Infinity` stands for 0: `[S][A]`
public record MdpPolicy(double[][] logProbs) {
    private static final double ROUNDING = 1e-9;

    /// @throws IllegalArgumentException naming the state, if a row has another length or does not add up to 1
    public MdpPolicy {
        logProbs = Arrays.stream(logProbs).map(double[]::clone).toArray(double[][]::new);
        if (logProbs.length == 0 || logProbs[0].length == 0) {
            throw new IllegalArgumentException("a policy needs at least one state and one action");
        }
        for (int s = 0; s < logProbs.length; s++) {
            requireLength(s, logProbs[s].length, logProbs[0].length);
            double sum = sum(logProbs[s]);
            if (!(Math.abs(sum - 1) <= ROUNDING)) {
                throw new IllegalArgumentException(
                        "state " + s + ": the policy's probabilities must add up to 1, added up to " + sum);
            }
            if (sum != 1) {
                double[] row = logProbs[s];
                double normalizer = Math.log(sum);
                Arrays.setAll(row, a -> row[a] - normalizer);
            }
        }
    }

    /// Every action equally likely.
    public static MdpPolicy uniform(int states, int actions) {
        return softmax(new double[states][actions]);
    }

    /// `π(a|s) ~ exp(logits[s][a])`.
    ///
    /// @param logits below infinity, at least one in each row finite: `[S][A]`
    public static MdpPolicy softmax(double[][] logits) {
        return new MdpPolicy(Arrays.stream(logits).map(Categorical::logSoftmax).toArray(double[][]::new));
    }

    /// A policy given by its probabilities, `[S][A]`.
    ///
    /// @throws IllegalArgumentException naming state and action, if one is negative or not finite, or a row does
    ///     not add up to 1
    public static MdpPolicy of(double[][] probabilities) {
        var logProbs = new double[probabilities.length][];
        for (int s = 0; s < logProbs.length; s++) {
            for (int a = 0; a < probabilities[s].length; a++) {
                double p = probabilities[s][a];
                if (!(p >= 0 && p < Double.POSITIVE_INFINITY)) {
                    throw new IllegalArgumentException(
                            Transitions.at(s, a) + ": the policy's probability must be finite and >= 0, was " + p);
                }
            }
            logProbs[s] = Arrays.stream(normalised(probabilities[s], "state " + s + ": the policy"))
                    .map(Math::log)
                    .toArray();
        }
        return new MdpPolicy(logProbs);
    }

    /// The policy that always takes `choice[s]`.
    public static MdpPolicy deterministic(int[] choice, int actions) {
        double[][] p = new double[choice.length][actions];
        for (int s = 0; s < choice.length; s++) {
            if (choice[s] < 0 || choice[s] >= actions) {
                throw new IllegalArgumentException(
                        "state " + s + ": actions are from 0 to " + (actions - 1) + ", was " + choice[s]);
            }
            p[s][choice[s]] = 1;
        }
        return of(p);
    }

    /// Behaviour cloning with Laplace's smoothing, `(n(s,a) + alpha)/(n(s) + A·alpha)` (arXiv:2310.17303); uniform
    /// where nothing was seen.
    ///
    /// @param counts how often a was seen in s, `>= 0`: `[S][A]`
    /// @param alpha  finite and > 0
    public static MdpPolicy cloned(double[][] counts, double alpha) {
        if (!(alpha > 0 && alpha < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("alpha must be finite and > 0, was " + alpha);
        }
        double[][] p = new double[counts.length][];
        for (int s = 0; s < p.length; s++) {
            double total = Arrays.stream(counts[s]).sum() + alpha * counts[s].length;
            p[s] = Arrays.stream(counts[s]).map(n -> (n + alpha) / total).toArray();
        }
        return of(p);
    }

    /// S.
    public int states() {
        return logProbs.length;
    }

    /// A.
    public int actions() {
        return logProbs[0].length;
    }

    /// `π(a|s)`.
    public double probability(int state, int action) {
        return Math.exp(logProbs[state][action]);
    }

    /// A copy of the probabilities, `[S][A]`.
    public double[][] probabilities() {
        return Arrays.stream(logProbs).map(Categorical::probabilities).toArray(double[][]::new);
    }

    /// `(1 - share)·this + share·other`, in every state.
    ///
    /// @param share in [0, 1]
    public MdpPolicy mixedWith(MdpPolicy other, double share) {
        other.requireShape(states(), actions());
        double[][] p = probabilities();
        for (int s = 0; s < p.length; s++) {
            for (int a = 0; a < p[s].length; a++) {
                p[s][a] = (1 - share) * p[s][a] + share * other.probability(s, a);
            }
        }
        return of(p);
    }

    void requireShape(int states, int actions) {
        if (states() != states || actions() != actions) {
            throw new IllegalArgumentException("a policy of " + states() + " states and " + actions()
                    + " actions in a process of " + states + " and " + actions);
        }
    }

    /// Fails, naming state and action, where this policy has mass and the reference has none.
    void requireWithin(MdpPolicy ref) {
        ref.requireShape(states(), actions());
        for (int s = 0; s < logProbs.length; s++) {
            for (int a = 0; a < logProbs[s].length; a++) {
                if (ref.logProbs[s][a] == Double.NEGATIVE_INFINITY && logProbs[s][a] != Double.NEGATIVE_INFINITY) {
                    throw new IllegalArgumentException(Transitions.at(s, a) + ": the policy takes it with probability "
                            + probability(s, a) + ", the reference never: their divergence is infinite");
                }
            }
        }
    }

    /// Probabilities that add up to 1 but for rounding, divided by their sum.
    static double[] normalised(double[] p, String whose) {
        double sum = Arrays.stream(p).sum();
        if (!(Math.abs(sum - 1) <= ROUNDING)) {
            throw new IllegalArgumentException(whose + " must add up to 1, added up to " + sum);
        }
        return sum == 1 ? p.clone() : Arrays.stream(p).map(x -> x / sum).toArray();
    }

    private static double sum(double[] logProbs) {
        double sum = 0;
        for (double logProb : logProbs) {
            sum += Math.exp(logProb);
        }
        return sum;
    }

    private static void requireLength(int state, int length, int actions) {
        if (length != actions) {
            throw new IllegalArgumentException("state " + state + ": " + length + " actions, state 0 has " + actions);
        }
    }
}

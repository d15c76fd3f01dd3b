package dev.kedge.objective.preference;

import dev.kedge.tensor.Tensor;
import java.util.Arrays;

/// Three sets of four candidates in plain numbers, and their softmax from the equation.
final class Sets {
    static final double[][] POLICY = {{-1, -2, -3, -2.5}, {-4, -0.5, -2, -2}, {-3, -3, -3, -1}};
    static final double[][] ANCHOR = {{-1.5, -1.5, -2.5, -2}, {-3, -1, -2, -2.2}, {-2, -4, -3, -1}};
    static final double[][] Q = {{0.6, 0.2, 0.1, 0.1}, {0.25, 0.25, 0.25, 0.25}, {0.05, 0.15, 0.3, 0.5}};

    private Sets() {}

    static AnchoredLogits all(double tau) {
        return AnchoredLogits.of(Tensor.of(POLICY), Tensor.of(ANCHOR), tau);
    }

    /// `log softmax((l - a)/tau)`.
    static double[] logP(double[] policy, double[] anchor, double tau) {
        double[] u = new double[policy.length];
        Arrays.setAll(u, i -> (policy[i] - anchor[i]) / tau);
        double normalizer = Math.log(Arrays.stream(u).map(Math::exp).sum());
        return Arrays.stream(u).map(x -> x - normalizer).toArray();
    }
}

package dev.kedge.env;

import java.util.Arrays;

/// Distributions over n outcomes in plain numbers. Log-probabilities are in nats; `-Infinity` stands for 0.
public final class Categorical {
    private Categorical() {}

    /// `log Σ exp(x)`; does not overflow.
    public static double logSumExp(double[] x) {
        double max = Arrays.stream(x).max().orElseThrow();
        return max + Math.log(Arrays.stream(x).map(v -> Math.exp(v - max)).sum());
    }

    /// The log-probabilities of logits, `x - log Σ exp(x)`.
    public static double[] logSoftmax(double[] logits) {
        double normalizer = logSumExp(logits);
        return Arrays.stream(logits).map(x -> x - normalizer).toArray();
    }

    /// `exp(x)`, entry by entry.
    public static double[] probabilities(double[] logProbs) {
        return Arrays.stream(logProbs).map(Math::exp).toArray();
    }

    /// `KL(p||q) = Σ p log(p/q)` of normalised log-probabilities: nats, never below 0.
    ///
    /// @throws IllegalArgumentException if the lengths differ
    public static double kl(double[] logP, double[] logQ) {
        requireSameLength(logP, logQ);
        double sum = 0;
        for (int y = 0; y < logP.length; y++) {
            sum += term(logP[y], logQ[y]);
        }
        return sum;
    }

    /// `p log(p/q) - p + q`: the extra parts add up to 0 over all outcomes, and no term is negative then, so that
    /// close distributions do not drown in rounding.
    private static double term(double logP, double logQ) {
        double p = Math.exp(logP);
        if (p == 0) {
            return Math.exp(logQ);
        }
        double x = logP - logQ;
        return Math.abs(x) < 1 ? Math.max(0, p * (x + Math.expm1(-x))) : p * x + (Math.exp(logQ) - p);
    }

    /// Half the sum of absolute differences of two distributions, given as probabilities: from 0 to 1.
    ///
    /// @throws IllegalArgumentException if the lengths differ
    public static double totalVariation(double[] p, double[] q) {
        requireSameLength(p, q);
        double sum = 0;
        for (int y = 0; y < p.length; y++) {
            sum += Math.abs(p[y] - q[y]);
        }
        return sum / 2;
    }

    private static void requireSameLength(double[] p, double[] q) {
        if (p.length != q.length) {
            throw new IllegalArgumentException("distributions over " + p.length + " and " + q.length + " outcomes");
        }
    }
}

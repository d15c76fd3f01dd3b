package dev.kedge.objective.divergence;

import dev.kedge.tensor.Require;
import java.util.Arrays;
import java.util.function.DoubleBinaryOperator;

/// The policy that maximises `E_π[reward] - beta·D_f(π||ref)` over a finite set of outcomes: an oracle.
public final class RegularizedOptimum {
    private static final int BISECTIONS = 300;

    private RegularizedOptimum() {}

    /// `π(y) = ref(y)·(f')⁻¹((reward(y) - λ)/beta)`, 0 where `(reward(y) - λ)/beta <= f'(0)`, with the λ that
    /// makes it a distribution: the KKT conditions, solved by bisection on λ. The reverse KL has the closed form
    /// `π(y) ~ ref(y)·exp(reward(y)/beta)`.
    ///
    /// @param divergence one whose f' has an inverse
    /// @param logRef     normalised log-probabilities of the reference, nats; `-Infinity` is allowed
    /// @param reward     finite, one per outcome
    /// @param beta       strength of the regulariser, finite and > 0
    /// @return the probabilities
    /// @throws IllegalArgumentException      if lengths differ or beta is out of range
    /// @throws UnsupportedOperationException if f' has no inverse
    public static double[] optimalPolicy(Divergence divergence, double[] logRef, double[] reward, double beta) {
        Require.positive("beta", beta);
        if (logRef.length != reward.length || reward.length == 0) {
            throw new IllegalArgumentException(
                    logRef.length + " reference log-probabilities for " + reward.length + " rewards");
        }
        return switch (divergence) {
            case ReverseKl _ -> exponentialTilt(logRef, reward, beta);
            case ForwardKl _, JensenShannon _, AlphaDivergence _, ChiSquared _, TotalVariation _ ->
                bisect(divergence, logRef, reward, beta);
        };
    }

    private static double[] exponentialTilt(double[] logRef, double[] reward, double beta) {
        double[] logits = new double[reward.length];
        Arrays.setAll(logits, y -> logRef[y] + reward[y] / beta);
        double max = Arrays.stream(logits).max().orElseThrow();
        return normalised(Arrays.stream(logits).map(l -> Math.exp(l - max)).toArray());
    }

    private static double[] bisect(Divergence divergence, double[] logRef, double[] reward, double beta) {
        double best = supported(logRef, reward, Double.NEGATIVE_INFINITY, Math::max);
        double worst = supported(logRef, reward, Double.POSITIVE_INFINITY, Math::min);
        // At u = 1 everywhere the mass is 1. With λ so that the best outcome has u = 1 the mass is at most 1; so that
        // the worst has, at least 1. Rewards relative to the best keep λ exact where the best outcome nears a pole.
        double high = -beta * divergence.derivative(1);
        double low = high - (best - worst);
        for (int i = 0; i < BISECTIONS && low < high; i++) {
            double lambda = low + (high - low) / 2;
            if (Arrays.stream(policy(divergence, logRef, reward, best, lambda, beta))
                            .sum()
                    >= 1) {
                low = lambda;
            } else {
                high = lambda;
            }
        }
        return normalised(policy(divergence, logRef, reward, best, high, beta));
    }

    private static double[] policy(
            Divergence divergence, double[] logRef, double[] reward, double best, double lambda, double beta) {
        double[] policy = new double[reward.length];
        Arrays.setAll(policy, y -> {
            double ref = Math.exp(logRef[y]);
            return ref == 0 ? 0 : ref * ratio(divergence, (reward[y] - best - lambda) / beta);
        });
        return policy;
    }

    private static double ratio(Divergence divergence, double v) {
        Divergence.Range range = divergence.derivativeRange();
        if (v <= range.infimum()) {
            return 0;
        }
        return v < range.supremum() ? divergence.inverseDerivative(v) : Double.POSITIVE_INFINITY;
    }

    private static double supported(double[] logRef, double[] reward, double start, DoubleBinaryOperator choose) {
        double chosen = start;
        for (int y = 0; y < reward.length; y++) {
            chosen = logRef[y] == Double.NEGATIVE_INFINITY ? chosen : choose.applyAsDouble(chosen, reward[y]);
        }
        return chosen;
    }

    private static double[] normalised(double[] mass) {
        double sum = Arrays.stream(mass).sum();
        return Arrays.stream(mass).map(m -> m / sum).toArray();
    }
}

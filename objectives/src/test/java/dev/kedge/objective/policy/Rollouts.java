package dev.kedge.objective.policy;

import dev.kedge.tensor.Tensor;

/// A small rollout in plain numbers, with NaN wherever nothing counts: three completions of 4, 2 and 0 tokens.
final class Rollouts {
    static final double[][] LOG_PROBS = {
        {-0.187, -1.4563, -0.6506, -0.47}, {-1.0643, -0.5072, Double.NaN, Double.NaN}, nothing(),
    };
    static final double[][] OLD = {
        {-0.0603, -0.7725, -0.8723, -0.2532}, {-1.0425, -0.6409, Double.NaN, Double.NaN}, nothing(),
    };
    static final double[][] REF = {
        {-0.3, -0.9, -0.8, -0.4}, {-1.3, -0.2, Double.NaN, Double.NaN}, nothing(),
    };
    static final boolean[][] MASK = {
        {true, true, true, true}, {true, true, false, false}, {false, false, false, false},
    };
    static final double[] ADVANTAGES = {1, -0.8, 0.3};

    private Rollouts() {}

    private static double[] nothing() {
        return new double[] {Double.NaN, Double.NaN, Double.NaN, Double.NaN};
    }

    static Tensor logProbs() {
        return Tensor.of(LOG_PROBS).requiresGrad();
    }

    static Rollout of(Tensor logProbs) {
        return new Rollout(logProbs, Tensor.of(OLD), Tensor.mask(MASK));
    }

    /// Of one token a row, old log-probability 0: the ratio is `exp(logRatio)`.
    static Rollout single(Tensor logRatios) {
        Tensor column = logRatios.unsqueeze(1);
        return new Rollout(column, column.detach().zerosLike(), column.detach().isFinite());
    }
}

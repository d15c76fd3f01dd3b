package dev.kedge.objective.divergence;

import dev.kedge.tensor.Tensor;

/// `KL(Q||P) = E_Q[log Q/P]`: `f(u) = -log u`. Covers: P must hold what Q holds.
public record ForwardKl() implements BarrierDivergence {
    private static final Range DERIVATIVE = new Range(Double.NEGATIVE_INFINITY, 0);

    @Override
    public double f(double u) {
        Ratio.require(u);
        return -Math.log(u);
    }

    /// `-1/u`.
    @Override
    public double derivative(double u) {
        Ratio.require(u);
        return -1 / Math.abs(u); // -0.0 is 0 as well
    }

    @Override
    public Range derivativeRange() {
        return DERIVATIVE;
    }

    /// `-1/v`, v < 0.
    @Override
    public double inverseDerivative(double v) {
        Ratio.requireInside(DERIVATIVE, v, "the forward KL");
        return -1 / v;
    }

    /// `s(x) = -exp(-x) = f'(e^x)`.
    @Override
    public Tensor score(Tensor logRatio) {
        return logRatio.neg().exp().neg();
    }

    @Override
    public Tensor categorical(Tensor logP, Tensor logQ) {
        Ratio.requirePair(logP, logQ); // by their own names, before they change places
        return new ReverseKl().categorical(logQ, logP);
    }

    /// [ReverseKl#gaussian] with P and Q exchanged.
    @Override
    public Tensor gaussian(Tensor meanP, Tensor logStdP, Tensor meanQ, Tensor logStdQ) {
        Ratio.requireGaussians(meanP, logStdP, meanQ, logStdQ);
        return new ReverseKl().gaussian(meanQ, logStdQ, meanP, logStdP);
    }
}

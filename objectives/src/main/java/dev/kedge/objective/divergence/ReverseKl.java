package dev.kedge.objective.divergence;

import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Tensor;

/// `KL(P||Q) = E_P[log P/Q]`: `f(u) = u log u`. Seeks modes: P may leave out what Q holds.
public record ReverseKl() implements BarrierDivergence {
    private static final Range DERIVATIVE = new Range(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);

    @Override
    public double f(double u) {
        Ratio.require(u);
        return Ratio.timesLog(u);
    }

    /// `log u + 1`.
    @Override
    public double derivative(double u) {
        Ratio.require(u);
        return Math.log(u) + 1;
    }

    @Override
    public Range derivativeRange() {
        return DERIVATIVE;
    }

    /// `exp(v - 1)`.
    @Override
    public double inverseDerivative(double v) {
        Ratio.requireInside(DERIVATIVE, v, "the reverse KL");
        return Math.exp(v - 1);
    }

    /// `s(x) = x = f'(e^x) - 1`.
    @Override
    public Tensor score(Tensor logRatio) {
        return logRatio;
    }

    @Override
    public Tensor categorical(Tensor logP, Tensor logQ) {
        Ratio.requirePair(logP, logQ);
        // Where p is 0 so is its term, but -inf - log q would make it NaN, and its gradient too: select before
        // and after.
        Tensor support = logP.gt(Double.NEGATIVE_INFINITY);
        Tensor logRatio = logP.whereElse(support, 0).minus(logQ.whereElse(support, 0));
        return logP.exp().times(logRatio).whereElse(support, 0).sum(-1);
    }

    /// `Σ log σq/σp + (σp² + (μp - μq)²)/(2σq²) - 1/2`.
    @Override
    public Tensor gaussian(Tensor meanP, Tensor logStdP, Tensor meanQ, Tensor logStdQ) {
        Ratio.requireGaussians(meanP, logStdP, meanQ, logStdQ);
        Tensor logRatio = logStdP.minus(logStdQ);
        Tensor distance = meanP.minus(meanQ).times(logStdQ.neg().exp()).square();
        // expm1 keeps what is left when the standard deviations are almost the same.
        return Elementwise.expm1(logRatio.times(2))
                .plus(distance)
                .times(0.5)
                .minus(logRatio)
                .sum(-1);
    }
}

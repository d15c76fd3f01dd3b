package dev.kedge.objective.divergence;

import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Tensor;

/// `KL(P||M) + KL(Q||M)`, `M = (P+Q)/2`: `f(u) = u log u - (u+1) log((u+1)/2)`. Symmetric, at most `2 log 2`.
///
/// This is the convention of f-DPO (arXiv:2309.16240), twice the Jensen-Shannon divergence that takes the mean
/// of the two terms.
public record JensenShannon() implements BarrierDivergence {
    private static final double LOG_2 = Math.log(2);
    private static final Range DERIVATIVE = new Range(Double.NEGATIVE_INFINITY, LOG_2);

    @Override
    public double f(double u) {
        Ratio.require(u);
        return Ratio.timesLog(u) - (u + 1) * (Math.log1p(u) - LOG_2);
    }

    /// `log(2u/(1+u))`, less than log 2.
    @Override
    public double derivative(double u) {
        Ratio.require(u);
        return LOG_2 - Math.log1p(1 / Math.abs(u)); // -0.0 is 0 as well
    }

    @Override
    public Range derivativeRange() {
        return DERIVATIVE;
    }

    /// `e^v/(2 - e^v)`, v < log 2.
    @Override
    public double inverseDerivative(double v) {
        Ratio.requireInside(DERIVATIVE, v, "Jensen-Shannon");
        return Math.exp(v) / (-2 * Math.expm1(v - LOG_2));
    }

    /// `s(x) = log 2 - softplus(-x) = f'(e^x)`: x + log 2 far below 0, never above log 2.
    @Override
    public Tensor score(Tensor logRatio) {
        return Functional.softplus(logRatio.neg()).neg().plus(LOG_2);
    }

    @Override
    public Tensor categorical(Tensor logP, Tensor logQ) {
        Ratio.requirePair(logP, logQ);
        // Where both are 0 nothing counts, but the gradient of log(0 + 0) would be NaN.
        Tensor support = Elementwise.maximum(logP, logQ).gt(Double.NEGATIVE_INFINITY);
        Tensor logM = Elementwise.logAddExp(logP.whereElse(support, 0), logQ.whereElse(support, 0))
                .minus(LOG_2);
        ReverseKl kl = new ReverseKl();
        return kl.categorical(logP, logM).plus(kl.categorical(logQ, logM));
    }

    /// Not in closed form: the mixture of two Gaussians has no elementary entropy.
    ///
    /// @throws UnsupportedOperationException always
    @Override
    public Tensor gaussian(Tensor meanP, Tensor logStdP, Tensor meanQ, Tensor logStdQ) {
        throw new UnsupportedOperationException(
                "Jensen-Shannon of Gaussians has no closed form; estimate it by samples");
    }
}

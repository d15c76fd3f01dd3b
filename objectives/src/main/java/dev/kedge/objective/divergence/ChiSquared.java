package dev.kedge.objective.divergence;

import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Tensor;

/// Pearson's chi-squared, `E_Q[(P/Q - 1)²] = Σ P²/Q - 1`: `f(u) = (u-1)²`.
///
/// `f'(0) = -2` is finite: 0 is in the domain of f', so the regularised optimum gives probability 0 to bad enough
/// outcomes and there is no score for f-DPO.
public record ChiSquared() implements Divergence {
    private static final Range DERIVATIVE = new Range(-2, Double.POSITIVE_INFINITY);

    @Override
    public double f(double u) {
        Ratio.require(u);
        return (u - 1) * (u - 1);
    }

    /// `2(u - 1)`.
    @Override
    public double derivative(double u) {
        Ratio.require(u);
        return 2 * (u - 1);
    }

    @Override
    public Range derivativeRange() {
        return DERIVATIVE;
    }

    /// `1 + v/2`, v > -2. At and below -2, which f' takes at u = 0 or nowhere, the regularised optimum has u = 0.
    @Override
    public double inverseDerivative(double v) {
        Ratio.requireInside(DERIVATIVE, v, "chi-squared");
        return 1 + v / 2;
    }

    @Override
    public Tensor categorical(Tensor logP, Tensor logQ) {
        Ratio.requirePair(logP, logQ);
        Tensor support = logP.gt(Double.NEGATIVE_INFINITY); // elsewhere the term is 0, also where q is 0
        Tensor logTerm = logP.whereElse(support, 0).times(2).minus(logQ.whereElse(support, 0));
        return logTerm.exp().whereElse(support, 0).sum(-1).minus(1);
    }

    /// Finite where `2σq² > σp²` in every dimension, else infinite and without gradient.
    @Override
    public Tensor gaussian(Tensor meanP, Tensor logStdP, Tensor meanQ, Tensor logStdQ) {
        Ratio.requireGaussians(meanP, logStdP, meanQ, logStdQ);
        Tensor wide = logStdP.minus(logStdQ).times(2).exp().ge(2); // σp²/σq²
        Tensor narrowed = logStdP.whereElse(wide.not(), logStdQ);
        Tensor value = Elementwise.expm1(Ratio.logGaussianOverlap(-1, meanP, narrowed, meanQ, logStdQ));
        Tensor infinite = wide.sum(-1).gt(0);
        return value.whereElse(infinite.not(), Double.POSITIVE_INFINITY);
    }
}

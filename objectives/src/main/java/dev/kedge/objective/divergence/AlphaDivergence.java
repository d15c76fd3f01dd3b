package dev.kedge.objective.divergence;

import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// `(1 - Σ P^(1-alpha) Q^alpha) / (alpha(1-alpha))`: between the reverse KL (alpha to 0) and the forward KL
/// (alpha to 1).
///
/// `f(u) = (u^(1-alpha) - (1-alpha)u - alpha) / (alpha(alpha-1))`. This is the alpha of f-DPO (arXiv:2309.16240)
/// and its authors' code, whose score is `-u^(-alpha)/alpha`. Some libraries write the score `u^(a-1)/(a-1)`:
/// their a is 1 - alpha.
///
/// @param alpha the order, inside (0, 1)
public record AlphaDivergence(double alpha) implements BarrierDivergence {
    /// @throws IllegalArgumentException if alpha is not inside (0, 1)
    public AlphaDivergence {
        Require.between("alpha", alpha, 0, 1);
    }

    @Override
    public double f(double u) {
        Ratio.require(u);
        return (Math.pow(u, 1 - alpha) - (1 - alpha) * u - alpha) / (alpha * (alpha - 1));
    }

    /// `(1 - u^(-alpha))/alpha`, less than 1/alpha.
    @Override
    public double derivative(double u) {
        Ratio.require(u);
        return -Math.expm1(-alpha * Math.log(u)) / alpha;
    }

    @Override
    public Range derivativeRange() {
        return new Range(Double.NEGATIVE_INFINITY, 1 / alpha);
    }

    /// `(1 - alpha v)^(-1/alpha)`, alpha v < 1.
    @Override
    public double inverseDerivative(double v) {
        Ratio.requireInside(derivativeRange(), v, "the alpha divergence");
        return Math.exp(-Math.log1p(-alpha * v) / alpha);
    }

    /// `s(x) = -exp(-alpha x)/alpha = f'(e^x) - 1/alpha`.
    @Override
    public Tensor score(Tensor logRatio) {
        return logRatio.times(-alpha).exp().div(-alpha);
    }

    /// As in the interface; absolute error of some `1e-16/(alpha(1-alpha))` in float64.
    @Override
    public Tensor categorical(Tensor logP, Tensor logQ) {
        Ratio.requirePair(logP, logQ);
        Tensor overlap = logP.times(1 - alpha).plus(logQ.times(alpha)).exp().sum(-1);
        return overlap.neg().plus(1).div(alpha * (1 - alpha));
    }

    /// The categorical form with the integral of `p^(1-alpha) q^alpha` over the Gaussians, whose product is
    /// Gaussian too.
    @Override
    public Tensor gaussian(Tensor meanP, Tensor logStdP, Tensor meanQ, Tensor logStdQ) {
        Ratio.requireGaussians(meanP, logStdP, meanQ, logStdQ);
        Tensor logOverlap = Ratio.logGaussianOverlap(alpha, meanP, logStdP, meanQ, logStdQ);
        return Elementwise.expm1(logOverlap).div(-alpha * (1 - alpha));
    }
}

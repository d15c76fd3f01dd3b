package dev.kedge.objective.divergence;

import dev.kedge.tensor.Tensor;

/// `Σ |P - Q| / 2`, the largest difference in the probability of any event: `f(u) = |u-1|/2`.
///
/// f' takes two values only, so it has no inverse: regularised optima are not unique functions of the reward,
/// and there is no score for f-DPO.
public record TotalVariation() implements Divergence {
    @Override
    public double f(double u) {
        Ratio.require(u);
        return Math.abs(u - 1) / 2;
    }

    /// 1/2 above u = 1 and -1/2 below; at 1 the subgradient 0.
    @Override
    public double derivative(double u) {
        Ratio.require(u);
        return Math.signum(u - 1) / 2;
    }

    /// @throws UnsupportedOperationException always
    @Override
    public Range derivativeRange() {
        throw new UnsupportedOperationException("f' of total variation has no inverse: it is -1/2 or 1/2");
    }

    /// @throws UnsupportedOperationException always
    @Override
    public double inverseDerivative(double v) {
        throw new UnsupportedOperationException("f' of total variation has no inverse: it is -1/2 or 1/2");
    }

    /// As in the interface; the gradient is 0 where p = q.
    @Override
    public Tensor categorical(Tensor logP, Tensor logQ) {
        Ratio.requirePair(logP, logQ);
        return logP.exp().minus(logQ.exp()).abs().sum(-1).times(0.5);
    }

    /// Not in closed form unless the covariances are equal.
    ///
    /// @throws UnsupportedOperationException always
    @Override
    public Tensor gaussian(Tensor meanP, Tensor logStdP, Tensor meanQ, Tensor logStdQ) {
        throw new UnsupportedOperationException(
                "total variation of Gaussians has no closed form; estimate it by samples");
    }
}

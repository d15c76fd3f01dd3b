package dev.kedge.objective.divergence;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// What the divergences share about the ratio `u = P/Q` and about pairs of distributions.
final class Ratio {
    private Ratio() {}

    static void require(double u) {
        if (!(u >= 0)) {
            throw new IllegalArgumentException("a ratio of probabilities is >= 0, was " + u);
        }
    }

    /// `u log u`, 0 at 0.
    static double timesLog(double u) {
        return u == 0 ? 0 : u * Math.log(u);
    }

    static void requireInside(Divergence.Range range, double v, String name) {
        if (!range.contains(v)) {
            throw new IllegalArgumentException("the inverse of f' of " + name + " is defined inside (" + range.infimum()
                    + ", " + range.supremum() + "), not at " + v);
        }
    }

    static void requirePair(Tensor logP, Tensor logQ) {
        Require.sameShape("logQ", logQ, "logP", logP);
    }

    static void requireGaussians(Tensor meanP, Tensor logStdP, Tensor meanQ, Tensor logStdQ) {
        Require.sameShape("logStdP", logStdP, "meanP", meanP);
        Require.sameShape("meanQ", meanQ, "meanP", meanP);
        Require.sameShape("logStdQ", logStdQ, "meanP", meanP);
    }

    /// `log ∫ p^(1-a) q^a` of diagonal Gaussians, summed over the last dimension; NaN where the integral is
    /// infinite, which can only be where a is outside [0, 1].
    ///
    /// With `v = a σp² + (1-a) σq²` it is `a log σp + (1-a) log σq - log(v)/2 - a(1-a)(μp - μq)²/(2v)` in each
    /// dimension.
    static Tensor logGaussianOverlap(double a, Tensor meanP, Tensor logStdP, Tensor meanQ, Tensor logStdQ) {
        Tensor variance =
                logStdP.times(2).exp().times(a).plus(logStdQ.times(2).exp().times(1 - a));
        Tensor normaliser =
                logStdP.times(a).plus(logStdQ.times(1 - a)).minus(variance.log().times(0.5));
        Tensor distance = meanP.minus(meanQ).square().div(variance).times(0.5 * a * (1 - a));
        return normaliser.minus(distance).sum(-1);
    }
}

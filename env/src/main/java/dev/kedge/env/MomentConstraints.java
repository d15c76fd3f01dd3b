package dev.kedge.env;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;

/// The exponential tilt of a distribution that meets moment constraints: of all that meet them, the nearest in
/// `KL(p||a)` (GDC, in arXiv:2205.11275). No reward has such a target for its posterior unless it is made of features.
public final class MomentConstraints {
    private MomentConstraints() {}

    /// The λ, `[k]`, for which `p ~ a·exp(Σ λ_i·φ_i)` has the means that are wanted, by `λ += rate·(wanted - E_p[φ])`
    /// from 0. Means are importance estimates on fixed outcomes.
    ///
    /// @param logWeights what each outcome stands for, up to a constant, nats,
    ///                   `[N]`: 0 for draws from a, or `log a` for all outcomes that there are
    /// @param features   `φ` of each outcome, `[N, k]`
    /// @param wanted     the means wanted, `[k]`
    /// @param rate       step size, finite and > 0; 0.5 is customary for features in [0, 1]
    /// @param tolerance  the Euclidean distance of the means at which to stop, finite and > 0; 0.01 is customary
    /// @param maxSteps   1000 is customary
    /// @throws IllegalArgumentException if shapes do not fit, an argument is out of range, or the means are not met
    ///                                  within the steps: wanted means outside the features' range never are
    public static Tensor fit(
            Tensor logWeights, Tensor features, Tensor wanted, double rate, double tolerance, int maxSteps) {
        Require.positive("rate", rate);
        Require.positive("tolerance", tolerance);
        Require.dims("logWeights", logWeights, 1, "[N]");
        Require.dims("features", features, 2, "[N, k]");
        Require.dims("wanted", wanted, 1, "[k]");
        if (features.size(0) != logWeights.size(0) || features.size(1) != wanted.size(0)) {
            throw new IllegalArgumentException("features must be [N, k] = [" + logWeights.size(0) + ", "
                    + wanted.size(0) + "], was " + Arrays.toString(features.shape()));
        }
        double[] lambda = new double[(int) wanted.size(0)];
        double distance = 0;
        for (int step = 0; step <= maxSteps; step++) {
            double[] missing = missing(logWeights, features, wanted, lambda);
            distance = Math.sqrt(Arrays.stream(missing).map(x -> x * x).sum());
            if (distance < tolerance) {
                return Tensor.of(lambda).to(features.dtype()).to(features.device());
            }
            Arrays.setAll(lambda, i -> lambda[i] + rate * missing[i]);
        }
        throw new IllegalArgumentException("after " + maxSteps + " steps the means are still " + distance
                + " from those wanted, more than " + tolerance);
    }

    private static double[] missing(Tensor logWeights, Tensor features, Tensor wanted, double[] lambda) {
        try (var _ = new Scope()) {
            Tensor tilt = features.detach()
                    .matmul(Tensor.of(lambda).to(features.dtype()).to(features.device()));
            Tensor p = logWeights.detach().plus(tilt).softmax(0);
            Tensor means = p.unsqueeze(0).matmul(features.detach()).squeeze(0);
            return wanted.detach().minus(means).toDoubles();
        }
    }
}

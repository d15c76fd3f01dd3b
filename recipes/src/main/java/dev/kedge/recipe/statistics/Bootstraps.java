package dev.kedge.recipe.statistics;

import dev.kedge.recipe.run.Summary;
import java.util.Arrays;

/// Means with intervals, as a summary wants them.
public final class Bootstraps {
    private Bootstraps() {}

    /// The mean; NaN of nothing.
    public static double mean(double[] sample) {
        return Arrays.stream(sample).average().orElse(Double.NaN);
    }

    /// The mean of a sample with its BCa interval.
    public static Summary.Estimate of(Bootstrap bootstrap, double[] sample) {
        return of(bootstrap.bca(sample));
    }

    /// An estimate with the interval that it has.
    public static Summary.Estimate of(Estimate estimate) {
        return estimate.hasInterval()
                ? Summary.Estimate.of(estimate.value(), estimate.low(), estimate.high())
                : Summary.Estimate.of(estimate.value());
    }
}

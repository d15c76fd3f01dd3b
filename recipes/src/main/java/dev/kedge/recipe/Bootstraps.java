package dev.kedge.recipe;

import dev.kedge.recipe.run.Summary;
import dev.kedge.recipe.statistics.Bootstrap;
import dev.kedge.recipe.statistics.Estimate;
import java.util.Arrays;

/// Means with intervals, as a summary wants them.
final class Bootstraps {
    private Bootstraps() {}

    static double mean(double[] sample) {
        return Arrays.stream(sample).average().orElse(Double.NaN);
    }

    /// The mean of a sample with its BCa interval.
    static Summary.Estimate of(Bootstrap bootstrap, double[] sample) {
        return of(bootstrap.bca(sample));
    }

    static Summary.Estimate of(Estimate estimate) {
        return estimate.hasInterval()
                ? Summary.Estimate.of(estimate.value(), estimate.low(), estimate.high())
                : Summary.Estimate.of(estimate.value());
    }
}

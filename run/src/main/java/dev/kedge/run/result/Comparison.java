package dev.kedge.run.result;

import dev.kedge.statistics.Estimate;

/// One quantity before and after.
///
/// @param unit "%" for a share, whose values lie in [0, 1]; otherwise what follows the number, or empty
public record Comparison(String name, String unit, Estimate before, Estimate after) {
    /// What the mean of as many numbers as a run has may be off by.
    private static final double ROUNDING = 1e-9;

    /// A share is shown a hundredfold: one that is so already, or counts something else, would be shown as nonsense.
    ///
    /// @param least 0, or -1 for differences of shares
    static void requireShare(String name, String unit, Estimate estimate, double least) {
        if (unit.equals("%")
                && (isOutside(estimate.value(), least)
                        || isOutside(estimate.low(), least)
                        || isOutside(estimate.high(), least))) {
            throw new IllegalArgumentException(
                    name + ": a share in [" + (int) least + ", 1] expected before \"%\", was " + estimate);
        }
    }

    /// NaN is not: it is what is not known.
    private static boolean isOutside(double value, double least) {
        return value < least - ROUNDING || value > 1 + ROUNDING;
    }
}

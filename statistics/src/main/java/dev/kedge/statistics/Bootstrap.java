package dev.kedge.statistics;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.hipparchus.distribution.continuous.NormalDistribution;

/// Bootstrap intervals of a mean (Efron, 1979; bias-corrected and accelerated: Efron, 1987).
///
/// Resampling draws from a generator of the given seed, so that equal arguments give equal intervals.
///
/// @param resamples  how many bootstrap samples are drawn; 10,000 suffice for two digits of a 95 % interval
/// @param confidence in (0, 1)
public record Bootstrap(int resamples, double confidence, long seed) {
    public Bootstrap {
        if (resamples < 1) {
            throw new IllegalArgumentException("resamples must be positive, got " + resamples);
        }
        if (!(confidence > 0 && confidence < 1)) {
            throw new IllegalArgumentException("confidence must lie in (0, 1), got " + confidence);
        }
    }

    /// The mean of `sample` with its percentile interval.
    public Estimate percentile(double[] sample) {
        double tail = (1 - confidence) / 2;
        return estimate(sample, resampledMeans(sample), tail, 1 - tail);
    }

    /// The mean of `sample` with its BCa interval, which corrects the percentiles for median bias and for a spread that
    /// changes with the mean. Prefer it for skewed samples.
    public Estimate bca(double[] sample) {
        var means = resampledMeans(sample);
        double bias = medianBias(means, mean(sample));
        if (Double.isInfinite(bias)) {
            // With very few resamples all means may lie on one side; their whole range is all that can be said.
            return estimate(sample, means, 0, 1);
        }
        double acceleration = acceleration(sample);
        double tail = (1 - confidence) / 2;
        return estimate(sample, means, corrected(tail, bias, acceleration), corrected(1 - tail, bias, acceleration));
    }

    /// The mean of `after[i] - before[i]` with its percentile interval; index i is the same seed in both.
    public Estimate pairedPercentile(double[] before, double[] after) {
        return percentile(differences(before, after));
    }

    /// The mean of `after[i] - before[i]` with its BCa interval; index i is the same seed in both.
    public Estimate pairedBca(double[] before, double[] after) {
        return bca(differences(before, after));
    }

    private static double[] differences(double[] before, double[] after) {
        if (before.length != after.length) {
            throw new IllegalArgumentException(
                    "pairs need equal lengths, got " + before.length + " and " + after.length);
        }
        var differences = new double[before.length];
        Arrays.setAll(differences, i -> after[i] - before[i]);
        return differences;
    }

    private double[] resampledMeans(double[] sample) {
        if (sample.length < 2) {
            throw new IllegalArgumentException("at least 2 values are needed, got " + sample.length);
        }
        for (double x : sample) {
            if (!Double.isFinite(x)) {
                throw new IllegalArgumentException("the sample must be finite, got " + x);
            }
        }
        var random = new SplittableRandom(seed);
        var means = new double[resamples];
        for (int b = 0; b < resamples; b++) {
            double sum = 0;
            for (int i = 0; i < sample.length; i++) {
                sum += sample[random.nextInt(sample.length)];
            }
            means[b] = sum / sample.length;
        }
        Arrays.sort(means);
        return means;
    }

    /// z0: the normal quantile of the share of resampled means below the mean, ties counted half.
    private static double medianBias(double[] means, double mean) {
        double below = 0;
        double rounding = 1e-12 * Math.max(1, Math.abs(mean));
        for (double m : means) {
            below += m < mean - rounding ? 1 : m <= mean + rounding ? 0.5 : 0;
        }
        return normal().inverseCumulativeProbability(below / means.length);
    }

    /// Of the mean, whose jackknife influences are the deviations: sum d^3 / (6 (sum d^2)^1.5).
    private static double acceleration(double[] sample) {
        double mean = mean(sample);
        double squares = 0;
        double cubes = 0;
        for (double x : sample) {
            double d = x - mean;
            squares += d * d;
            cubes += d * d * d;
        }
        return squares == 0 ? 0 : cubes / (6 * Math.pow(squares, 1.5));
    }

    private static double corrected(double level, double bias, double acceleration) {
        double z = bias + normal().inverseCumulativeProbability(level);
        return normal().cumulativeProbability(bias + z / (1 - acceleration * z));
    }

    private static NormalDistribution normal() {
        return new NormalDistribution(0, 1);
    }

    private static Estimate estimate(double[] sample, double[] means, double low, double high) {
        return new Estimate(mean(sample), quantile(means, low), quantile(means, high));
    }

    /// Linear interpolation between order statistics.
    private static double quantile(double[] sorted, double level) {
        double position = level * (sorted.length - 1);
        int below = (int) Math.floor(position);
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
    }

    /// The mean; NaN of nothing.
    public static double mean(double[] sample) {
        return Arrays.stream(sample).sum() / sample.length;
    }
}

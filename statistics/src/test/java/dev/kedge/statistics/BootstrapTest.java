package dev.kedge.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class BootstrapTest {
    /// The resampled means of {0, 1} are 0, 1/2, 1 with probabilities 1/4, 1/2, 1/4, so every quantile is known; the
    /// levels used lie at least 0.05 (more than 10 standard errors at 20,000 resamples) from a jump.
    @Test
    void percentilesOfTwoValuesAreThoseOfTheEnumeration() {
        var sample = new double[] {0, 1};
        assertEquals(new Estimate(0.5, 0, 1), new Bootstrap(20_000, 0.8, 1).percentile(sample));
        assertEquals(new Estimate(0.5, 0.5, 0.5), new Bootstrap(20_000, 0.4, 1).percentile(sample));
    }

    /// Sample {0, 0, 3}: the resampled mean is the number of threes, Binomial(3, 1/3), with cumulative probabilities
    /// 8/27, 20/27, 26/27 = .963, 1. At 90 % the upper percentile level .95 gives 2. For BCa: z0 = quantile of
    /// (8 + 6)/27 = .0464; the deviations -1, -1, 2 give a = 6 / (6 * 6^1.5) = .0680; the upper level is
    /// Phi(.0464 + 1.691 / (1 - .0680 * 1.691)) = .975, beyond .963: the upper end is 3.
    @Test
    void bcaMovesTheUpperEndOfASkewedSample() {
        var sample = new double[] {0, 0, 3};
        var bootstrap = new Bootstrap(20_000, 0.9, 7);
        assertEquals(new Estimate(1, 0, 2), bootstrap.percentile(sample));
        assertEquals(new Estimate(1, 0, 3), bootstrap.bca(sample));
        var mirrored = new double[] {0, 0, -3};
        assertEquals(new Estimate(-1, -3, 0), bootstrap.bca(mirrored));
    }

    @Test
    void equalSeedsGiveEqualIntervals() {
        var sample = normal(30, 5);
        var first = new Bootstrap(500, 0.95, 3).bca(sample);
        assertEquals(first, new Bootstrap(500, 0.95, 3).bca(sample));
        assertNotEquals(first, new Bootstrap(500, 0.95, 4).bca(sample));
    }

    /// For a normal sample the interval nears mean +- 1.96 s / sqrt(n), s with divisor n; with 200 values and 20,000
    /// resamples the ends' Monte-Carlo error is about 2.7 % of the standard error, and 15 % bounds it generously.
    @Test
    void aLargeSampleGivesTheNormalInterval() {
        var sample = normal(200, 11);
        double mean = 0;
        for (double x : sample) {
            mean += x / 200;
        }
        double variance = 0;
        for (double x : sample) {
            variance += (x - mean) * (x - mean) / 200;
        }
        double error = Math.sqrt(variance / 200);
        for (var interval : new Estimate[] {
            new Bootstrap(20_000, 0.95, 1).percentile(sample), new Bootstrap(20_000, 0.95, 1).bca(sample)
        }) {
            assertEquals(mean - 1.96 * error, interval.low(), 0.15 * error);
            assertEquals(mean + 1.96 * error, interval.high(), 0.15 * error);
        }
    }

    @Test
    void pairsRemoveWhatTheSeedsShare() {
        var seedEffect = normal(20, 2);
        var before = new double[20];
        var after = new double[20];
        for (int i = 0; i < 20; i++) {
            before[i] = 10 * seedEffect[i];
            after[i] = 10 * seedEffect[i] + 0.5 + 0.01 * i;
        }
        var bootstrap = new Bootstrap(2_000, 0.95, 1);
        var paired = bootstrap.pairedBca(before, after);
        // The mean of 0.50, 0.51, ..., 0.69.
        assertEquals(0.595, paired.value(), 1e-9);
        assertTrue(paired.low() > 0.5 && paired.high() < 0.69, paired.toString());
        assertEquals(paired.value(), bootstrap.pairedPercentile(before, after).value());
    }

    @Test
    void aConstantSampleHasAPointForAnInterval() {
        assertEquals(new Estimate(0.25, 0.25, 0.25), new Bootstrap(100, 0.95, 1).bca(new double[] {0.25, 0.25}));
    }

    @Test
    void samplesThatSayNothingAreRefused() {
        var bootstrap = new Bootstrap(100, 0.95, 1);
        assertThrows(IllegalArgumentException.class, () -> bootstrap.bca(new double[] {1}));
        assertThrows(IllegalArgumentException.class, () -> bootstrap.bca(new double[] {1, Double.NaN}));
        assertThrows(IllegalArgumentException.class, () -> bootstrap.pairedBca(new double[3], new double[2]));
        assertThrows(IllegalArgumentException.class, () -> new Bootstrap(0, 0.95, 1));
    }

    private static double[] normal(int n, long seed) {
        var random = new SplittableRandom(seed);
        var sample = new double[n];
        for (int i = 0; i < n; i++) {
            sample[i] = random.nextGaussian();
        }
        return sample;
    }
}

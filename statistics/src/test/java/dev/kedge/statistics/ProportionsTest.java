package dev.kedge.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ProportionsTest {
    /// Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3, four decimals.
    @ParameterizedTest
    @CsvSource({"81, 263, 0.2553, 0.3662", "15, 148, 0.0624, 0.1605", "0, 20, 0, 0.1611", "1, 29, 0.0061, 0.1718"})
    void wilsonAgreesWithPublishedIntervals(int successes, int trials, double low, double high) {
        var interval = Proportions.wilson(successes, trials, 0.95);
        assertEquals(low, interval.low(), 5e-5);
        assertEquals(high, interval.high(), 5e-5);
        assertEquals((double) successes / trials, interval.value());
    }

    /// Both ends solve (p̂ - p)^2 = z^2 p (1 - p) / n, the equation that defines the interval.
    @ParameterizedTest
    @CsvSource({"3, 7, 0.9, 1.6448536269514722", "50, 60, 0.99, 2.5758293035489004"})
    void wilsonEndsSolveTheScoreEquation(int successes, int trials, double confidence, double z) {
        var interval = Proportions.wilson(successes, trials, confidence);
        for (double p : new double[] {interval.low(), interval.high()}) {
            double gap = interval.value() - p;
            assertEquals(z * z * p * (1 - p) / trials, gap * gap, 1e-10);
        }
    }

    @Test
    void wilsonAtTheBorderIsExact() {
        double z = 1.959963984540054;
        assertEquals(1, Proportions.wilson(10, 10, 0.95).high());
        // With p̂ = 1 the score equation reads 1 - p = z^2 p / n.
        assertEquals(10 / (10 + z * z), Proportions.wilson(10, 10, 0.95).low(), 1e-12);
    }

    @ParameterizedTest
    @CsvSource({
        // (45 + 10 + 1) / 1024 in each tail
        "8, 10, 0.5, 0.109375",
        "2, 10, 0.5, 0.109375",
        "5, 10, 0.5, 1",
        // Outcomes of three trials at 0.2: .512, .384, .096, .008
        "2, 3, 0.2, 0.104",
        // Of four trials at 1/4: 81, 108, 54, 12, 1 in 256
        "3, 4, 0.25, 0.05078125",
        "0, 4, 0.25, 0.578125",
        "0, 5, 0, 1",
        "1, 5, 0, 0"
    })
    void binomialTestAddsOutcomesAtMostAsLikely(int successes, int trials, double p0, double expected) {
        assertEquals(expected, Proportions.binomialTest(successes, trials, p0), 1e-12);
    }

    @Test
    void binomialTestIsSymmetricForAFairCoin() {
        for (int k = 0; k <= 101; k++) {
            assertEquals(Proportions.binomialTest(k, 101, 0.5), Proportions.binomialTest(101 - k, 101, 0.5), 1e-12);
        }
    }

    @Test
    void impossibleCountsAreRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> Proportions.wilson(5, 4, 0.95));
        assertEquals("0 <= successes <= trials and trials >= 1 are needed, got 5 of 4", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> Proportions.wilson(1, 4, 1));
        assertThrows(IllegalArgumentException.class, () -> Proportions.binomialTest(1, 4, 1.5));
    }
}

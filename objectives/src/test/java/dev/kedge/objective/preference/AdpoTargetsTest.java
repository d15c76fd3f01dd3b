package dev.kedge.objective.preference;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(InScope.class)
class AdpoTargetsTest {
    private static final double[] REWARDS = {0.3, -1.2, 2.5, 0.3};

    private static Tensor set(double... rewards) {
        return Tensor.of(new double[][] {rewards});
    }

    private static double[] softmax(double[] scores) {
        double sum = Arrays.stream(scores).map(Math::exp).sum();
        return Arrays.stream(scores).map(s -> Math.exp(s) / sum).toArray();
    }

    @Test
    void softmaxIsThatOfEachSet() {
        Tensor q = AdpoTargets.softmax(Tensor.of(new double[][] {REWARDS, {1, 1, 1, 1}}), 0.5);
        double[] first = softmax(Arrays.stream(REWARDS).map(r -> r / 0.5).toArray());
        assertArrayEquals(first, Arrays.copyOf(q.toDoubles(), 4), 1e-15);
        assertArrayEquals(new double[] {0.25, 0.25, 0.25, 0.25}, Arrays.copyOfRange(q.toDoubles(), 4, 8), 1e-15);
    }

    @Test
    void targetsAreConstants() {
        Tensor rewards = set(REWARDS).requiresGrad();
        assertFalse(AdpoTargets.softmax(rewards, 1).hasGradientGraph());
        assertFalse(AdpoTargets.groupAdvantages(rewards).hasGradientGraph());
        assertFalse(AdpoTargets.kernelRanked(rewards, 1, 1).hasGradientGraph());
        assertFalse(AdpoTargets.softPreferences(rewards, 1).hasGradientGraph());
        assertFalse(AdpoTargets.hardPreferences(rewards).hasGradientGraph());
    }

    @Test
    void advantagesAreZScoresWithTheUnbiasedStandardDeviation() {
        double mean = Arrays.stream(REWARDS).average().orElseThrow();
        double std = Math.sqrt(
                Arrays.stream(REWARDS).map(r -> (r - mean) * (r - mean)).sum() / 3);
        double[] advantages =
                Arrays.stream(REWARDS).map(r -> (r - mean) / (std + 1e-8)).toArray();
        assertArrayEquals(advantages, AdpoTargets.groupAdvantages(set(REWARDS)).toDoubles(), 1e-14);
        double[] q = softmax(Arrays.stream(advantages).map(a -> a / 0.5).toArray());
        assertArrayEquals(q, AdpoTargets.groupRelative(set(REWARDS), 0.5).toDoubles(), 1e-14);
    }

    /// The mean of seven numbers 0.1 is not 0.1 in floating point, and the tiny std would blow the rest up.
    @ParameterizedTest
    @CsvSource({"0.1, 7", "1000.1, 3", "-3e-30, 5", "0, 2"})
    void equalRewardsHaveNoAdvantage(double reward, int candidates) {
        for (DType dtype : new DType[] {DType.FLOAT64, DType.FLOAT32}) {
            Tensor rewards = set(IntStream.range(0, candidates)
                            .mapToDouble(_ -> reward)
                            .toArray())
                    .to(dtype);
            assertTrue(AdpoTargets.groupAdvantages(rewards).eq(0).allTrue());
            Tensor q = AdpoTargets.groupRelative(rewards, 0.5);
            assertEquals(dtype, q.dtype());
            assertTrue(q.minus(1.0 / candidates).abs().lt(1e-7).allTrue());
        }
    }

    @Test
    void groupRelativeTargetsIgnoreLocationAndScale() {
        double[] q = AdpoTargets.groupRelative(set(REWARDS), 0.5).toDoubles();
        double[] moved = Arrays.stream(REWARDS).map(r -> 40 * r - 300).toArray();
        assertArrayEquals(q, AdpoTargets.groupRelative(set(moved), 0.5).toDoubles(), 1e-7); // as std + 1e-8 does
    }

    /// By Simpson's rule in place of the error function.
    @Test
    void kernelRanksEqualTheDefinition() {
        double bandwidth = 0.8;
        double[] scores = new double[4];
        for (int i = 0; i < 4; i++) {
            double f = 0;
            for (double other : REWARDS) {
                f += normal((REWARDS[i] - other) / bandwidth) / 4;
            }
            scores[i] = Math.log(f / (1 - f)) / 0.6;
        }
        assertArrayEquals(
                softmax(scores),
                AdpoTargets.kernelRanked(set(REWARDS), bandwidth, 0.6).toDoubles(),
                1e-11);
    }

    private static double normal(double x) {
        int n = 2000;
        double h = x / n;
        double sum = 0;
        for (int k = 0; k <= n; k++) {
            int weight = k == 0 || k == n ? 1 : k % 2 == 1 ? 4 : 2;
            sum += weight * Math.exp(-0.5 * k * h * k * h);
        }
        return 0.5 + sum * h / 3 / Math.sqrt(2 * Math.PI);
    }

    /// F becomes (rewards below + half of the equal ones, itself among them)/P, and q its odds.
    @Test
    void aSmallBandwidthGivesMidRanks() {
        double[] f = {2.0 / 4, 0.5 / 4, 3.5 / 4, 2.0 / 4}; // the two of 0.3 share ranks
        double[] odds = Arrays.stream(f).map(x -> x / (1 - x)).toArray();
        double sum = Arrays.stream(odds).sum();
        assertArrayEquals(
                Arrays.stream(odds).map(o -> o / sum).toArray(),
                AdpoTargets.kernelRanked(set(REWARDS), 1e-6, 1).toDoubles(),
                1e-14);
    }

    @Test
    void aLargeBandwidthGivesTheUniformTarget() {
        double[] q = AdpoTargets.kernelRanked(set(REWARDS), 1e9, 0.1).toDoubles();
        assertArrayEquals(new double[] {0.25, 0.25, 0.25, 0.25}, q, 1e-7);
    }

    /// An outlier takes no more than the best rank; raw and z-scored rewards give it everything.
    @Test
    void noOutlierTakesAllOfAKernelRankedTarget() {
        double[] far =
                AdpoTargets.kernelRanked(set(0.1, 0.2, 0.3, 1e12), 0.1, 1).toDoubles();
        double[] near = AdpoTargets.kernelRanked(set(0.1, 0.2, 0.3, 2), 0.1, 1).toDoubles();
        assertArrayEquals(near, far, 1e-14);
        assertTrue(far[3] < 0.8 && far[0] > 0.01, Arrays.toString(far));
        assertEquals(1, AdpoTargets.softmax(set(0.1, 0.2, 0.3, 1e12), 1).toDoubles()[3]);
    }

    @Test
    void softPreferencesAreBradleyTerry() {
        double[] q = AdpoTargets.softPreferences(set(REWARDS), 0.7).toDoubles();
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 4; j++) {
                double expected = 1 / (1 + Math.exp((REWARDS[j] - REWARDS[i]) / 0.7));
                assertEquals(expected, q[4 * i + j], 1e-15);
            }
        }
        // For two candidates the row of the first is the listwise target.
        double[] two = AdpoTargets.softPreferences(set(1.3, 0.4), 1).toDoubles();
        assertArrayEquals(AdpoTargets.softmax(set(1.3, 0.4), 1).toDoubles(), new double[] {two[1], two[2]}, 1e-15);
    }

    @Test
    void hardPreferencesAreTheLimitAndTiesAreUndecided() {
        double[] expected = {0.5, 1, 0, 0.5, 0, 0.5, 0, 0, 1, 1, 0.5, 1, 0.5, 1, 0, 0.5};
        assertArrayEquals(expected, AdpoTargets.hardPreferences(set(REWARDS)).toDoubles());
        assertArrayEquals(
                expected, AdpoTargets.softPreferences(set(REWARDS), 1e-4).toDoubles(), 1e-300);
    }

    @Test
    void distributionsAreAcceptedAndNothingElse() {
        assertDoesNotThrow(() -> AdpoTargets.requireDistributions(Tensor.of(new double[][] {{0.2, 0.8}, {1, 0}})));
        assertDoesNotThrow(() -> AdpoTargets.requireDistributions(
                AdpoTargets.softmax(set(REWARDS).to(DType.FLOAT32), 0.01)));
        noDistribution(
                "targets must be >= 0, was -0.1 at candidate 0 of set 1", new double[][] {{0.2, 0.8}, {-0.1, 1.1}});
        noDistribution("targets must be >= 0, was NaN at candidate 1 of set 0", new double[][] {{0.2, Double.NaN}});
        noDistribution("targets must sum to 1 over a set, was 0.5 at set 1", new double[][] {{0.2, 0.8}, {0.25, 0.25}});
        noDistribution(
                "targets must sum to 1 over a set, was Infinity at set 0",
                new double[][] {{Double.POSITIVE_INFINITY, 0.25}});
    }

    private static void noDistribution(String message, double[][] targets) {
        refused(message, () -> AdpoTargets.requireDistributions(Tensor.of(targets)));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
    void temperaturesOutOfRangeAreRefused(double wrong) {
        Tensor r = set(REWARDS);
        refused("temperature", () -> AdpoTargets.softmax(r, wrong));
        refused("temperature", () -> AdpoTargets.groupRelative(r, wrong));
        refused("bandwidth", () -> AdpoTargets.kernelRanked(r, wrong, 1));
        refused("temperature", () -> AdpoTargets.kernelRanked(r, 1, wrong));
        refused("temperature", () -> AdpoTargets.softPreferences(r, wrong));
    }

    @Test
    void oneCandidateIsNoSet() {
        Tensor one = set(1);
        refused("scores", () -> AdpoTargets.softmax(one, 1));
        refused("rewards", () -> AdpoTargets.groupAdvantages(one));
        refused("rewards", () -> AdpoTargets.kernelRanked(one, 1, 1));
        refused("rewards", () -> AdpoTargets.softPreferences(one, 1));
        refused("rewards", () -> AdpoTargets.hardPreferences(one));
        refused("targets", () -> AdpoTargets.requireDistributions(one));
    }
}

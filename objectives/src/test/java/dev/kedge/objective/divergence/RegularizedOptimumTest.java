package dev.kedge.objective.divergence;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RegularizedOptimumTest {
    private static final int N = 50;

    static Stream<Divergence> invertible() {
        return DivergenceTest.invertible();
    }

    private static double[] randomReference(Random random) {
        double[] mass = random.doubles(N, 0.05, 1).toArray();
        double sum = Arrays.stream(mass).sum();
        return Arrays.stream(mass).map(m -> Math.log(m / sum)).toArray();
    }

    private static double[] randomReward(Random random) {
        return IntStream.range(0, N).mapToDouble(_ -> random.nextGaussian()).toArray();
    }

    private static double objective(Divergence d, double[] policy, double[] logRef, double[] reward, double beta) {
        double value = 0;
        for (int y = 0; y < policy.length; y++) {
            double ref = Math.exp(logRef[y]);
            value += policy[y] * reward[y] - beta * ref * d.f(policy[y] / ref);
        }
        return value;
    }

    /// `reward - beta f'(π/ref)` is one constant where π > 0, and not above it where π = 0.
    @ParameterizedTest
    @MethodSource("invertible")
    void fulfilsTheKktConditions(Divergence d) {
        Random random = new Random(11);
        for (double beta : new double[] {0.03, 0.1, 1, 10}) {
            double[] logRef = randomReference(random);
            double[] reward = randomReward(random);
            double[] policy = RegularizedOptimum.optimalPolicy(d, logRef, reward, beta);
            assertEquals(1, Arrays.stream(policy).sum(), 1e-12);
            double multiplier = multiplier(d, policy, logRef, reward, beta);
            for (int y = 0; y < N; y++) {
                double gap = reward[y] - beta * d.derivative(policy[y] / Math.exp(logRef[y])) - multiplier;
                assertTrue(policy[y] > 0 ? Math.abs(gap) < 1e-6 : gap < 1e-6, d + " beta " + beta + ": " + gap);
            }
        }
    }

    private static double multiplier(Divergence d, double[] policy, double[] logRef, double[] reward, double beta) {
        int mode = IntStream.range(0, N)
                .boxed()
                .max((a, b) -> Double.compare(policy[a], policy[b]))
                .orElseThrow();
        return reward[mode] - beta * d.derivative(policy[mode] / Math.exp(logRef[mode]));
    }

    /// No shift of mass between two outcomes, and no other policy, does better.
    @ParameterizedTest
    @MethodSource("invertible")
    void noOtherPolicyDoesBetter(Divergence d) {
        Random random = new Random(12);
        double[] logRef = randomReference(random);
        double[] reward = randomReward(random);
        double[] policy = RegularizedOptimum.optimalPolicy(d, logRef, reward, 0.5);
        double best = objective(d, policy, logRef, reward, 0.5);
        for (int trial = 0; trial < 200; trial++) {
            double[] other = randomReference(random);
            double[] mixed = new double[N];
            double share = Math.pow(10, -4 * random.nextDouble());
            Arrays.setAll(mixed, y -> (1 - share) * policy[y] + share * Math.exp(other[y]));
            assertTrue(objective(d, mixed, logRef, reward, 0.5) <= best + 1e-12);
        }
    }

    @Test
    void underTheReverseKlBisectionWouldFindTheClosedForm() {
        double[] logRef = {Math.log(0.2), Math.log(0.5), Math.log(0.3)};
        double[] reward = {1, -0.5, 0.2};
        double beta = 0.4;
        double[] weights = IntStream.range(0, 3)
                .mapToDouble(y -> Math.exp(logRef[y] + reward[y] / beta))
                .toArray();
        double z = Arrays.stream(weights).sum();
        assertArrayEquals(
                Arrays.stream(weights).map(w -> w / z).toArray(),
                RegularizedOptimum.optimalPolicy(new ReverseKl(), logRef, reward, beta),
                1e-15);
        assertArrayEquals( // the alpha divergence is solved by bisection, and tends to it
                RegularizedOptimum.optimalPolicy(new ReverseKl(), logRef, reward, beta),
                RegularizedOptimum.optimalPolicy(new AlphaDivergence(1e-6), logRef, reward, beta),
                1e-4);
    }

    /// Two outcomes, uniform reference, forward KL: `π(1-π)·2Δ = beta(2π - 1)` by hand.
    @Test
    void forwardKlOfTwoOutcomesByHand() {
        double beta = 0.8;
        double delta = 1.5;
        double[] half = {Math.log(0.5), Math.log(0.5)};
        double b = (beta - delta) / delta; // π² + bπ - beta/(2Δ) = 0
        double root = (-b + Math.sqrt(b * b + 2 * beta / delta)) / 2;
        double[] policy = RegularizedOptimum.optimalPolicy(new ForwardKl(), half, new double[] {delta, 0}, beta);
        assertEquals(root, policy[0], 1e-14);
    }

    @Test
    void chiSquaredGivesUpBadOutcomes() {
        double[] logRef = {Math.log(0.5), Math.log(0.5)};
        assertArrayEquals(
                new double[] {1, 0},
                RegularizedOptimum.optimalPolicy(new ChiSquared(), logRef, new double[] {10, 0}, 1),
                1e-15);
    }

    @ParameterizedTest
    @MethodSource("invertible")
    void equalRewardsLeaveTheReference(Divergence d) {
        double[] logRef = {Math.log(0.1), Math.log(0.6), Math.log(0.3)};
        assertArrayEquals(
                new double[] {0.1, 0.6, 0.3},
                RegularizedOptimum.optimalPolicy(d, logRef, new double[] {2, 2, 2}, 0.1),
                1e-12);
    }

    @ParameterizedTest
    @MethodSource("invertible")
    void whatTheReferenceExcludesStaysExcluded(Divergence d) {
        double[] logRef = {Double.NEGATIVE_INFINITY, Math.log(0.4), Math.log(0.6)};
        double[] policy = RegularizedOptimum.optimalPolicy(d, logRef, new double[] {100, 0, 0}, 0.5);
        assertArrayEquals(new double[] {0, 0.4, 0.6}, policy, 1e-12);
    }

    @ParameterizedTest
    @MethodSource("invertible")
    void smallAndLargeBetaStayFinite(Divergence d) {
        double[] logRef = {Math.log(0.2), Math.log(0.8)};
        double[] greedy = RegularizedOptimum.optimalPolicy(d, logRef, new double[] {1000, 0}, 1e-4);
        assertEquals(1, greedy[0], 1e-6);
        double[] held = RegularizedOptimum.optimalPolicy(d, logRef, new double[] {1, 0}, 1e8);
        assertArrayEquals(new double[] {0.2, 0.8}, held, 1e-6);
    }

    @Test
    void badArgumentsAreRefused() {
        double[] two = {Math.log(0.5), Math.log(0.5)};
        assertThrows(
                IllegalArgumentException.class,
                () -> RegularizedOptimum.optimalPolicy(new ReverseKl(), two, new double[3], 1));
        assertThrows(
                IllegalArgumentException.class,
                () -> RegularizedOptimum.optimalPolicy(new ReverseKl(), two, new double[2], 0));
        assertThrows(
                UnsupportedOperationException.class,
                () -> RegularizedOptimum.optimalPolicy(new TotalVariation(), two, new double[2], 1));
    }
}

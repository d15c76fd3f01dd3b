package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class DrpoTest {
    private static final double PUBLISHED = 5e-9; // eight decimals are given
    private static final double[] SCORES = {-0.4, -0.9, -0.5, -1.2};
    private static final int[] LENGTHS = {40, 80, 60, 100};
    private static final double NAN = Double.NaN;

    /// Log-probabilities of answers whose tokens are all alike, NaN after the last of them.
    private static Tensor answers(double[] scores, int[] lengths) {
        int width = Arrays.stream(lengths).max().orElseThrow();
        double[][] table = new double[scores.length][width];
        for (int i = 0; i < scores.length; i++) {
            Arrays.fill(table[i], NAN);
            Arrays.fill(table[i], 0, lengths[i], scores[i]);
        }
        return Tensor.of(table).requiresGrad();
    }

    private static Rollout onPolicy(Tensor logProbs) {
        return new Rollout(logProbs, logProbs, logProbs.detach().isFinite());
    }

    private static Tensor rewards(double... group) {
        return Tensor.of(group, 1, group.length);
    }

    private static double loss(double lambda, double tau) {
        return Drpo.drpo(onPolicy(answers(SCORES, LENGTHS)), rewards(1, 1, 0, 0), 100, lambda, tau, 1)
                .value()
                .item();
    }

    @Test
    void workedExample() {
        Tensor lengths = Tensor.of(new double[] {40, 80, 60, 100}, 1, 4);
        double[] weights =
                Drpo.positiveWeights(rewards(1, 1, 0, 0), lengths, 100, 0.1).toDoubles();
        assertArrayEquals(new double[] {0.98201379, 0.01798621, 0, 0}, weights, PUBLISHED);
        assertEquals(-0.43488315, loss(0.1, 10), PUBLISHED);
        Loss loss = Drpo.drpo(onPolicy(answers(SCORES, LENGTHS)), rewards(1, 1, 0, 0), 100, 0.1, 10, 1);
        assertEquals(
                40 * 0.98201379 + 80 * 0.01798621, loss.metric("length/right").item(), 1e-6);
        assertEquals(1, loss.metric("informative").item());
        assertEquals(-0.43488315, loss.metric("loss").item(), PUBLISHED);
    }

    @Test
    void atInfiniteLambdaRightAnswersWeighTheSame() {
        double wrong = 10 * Math.log((Math.exp(-0.05) + Math.exp(-0.12)) / 2);
        assertEquals(wrong + 0.65, loss(Double.POSITIVE_INFINITY, 10), 1e-14);
        assertEquals(wrong + 0.65, loss(1e12, 10), 1e-12);
    }

    @Test
    void tauGoesFromTheLikeliestWrongAnswerToTheirMean() {
        double right = -(-0.4 - 0.9) / 2;
        assertEquals(right - 0.5, loss(Double.POSITIVE_INFINITY, 1e-3), 1e-3 * Math.log(2) + 1e-12);
        assertEquals(right - 0.85, loss(Double.POSITIVE_INFINITY, 1e6), 1e-6);
    }

    @Test
    void gradientsAreTheWeightsByLength() {
        Tensor logProbs = answers(SCORES, LENGTHS);
        Drpo.drpo(onPolicy(logProbs), rewards(1, 1, 0, 0), 100, 0.1, 10, 3)
                .value()
                .backward();
        double[] gradient = logProbs.grad().toDoubles();
        double[] coefficients = {-0.98201379, -0.01798621, 0.51749286, 0.48250714};
        double sum = 0;
        for (int i = 0; i < 4; i++) {
            for (int t = 0; t < 100; t++) {
                double expected = t < LENGTHS[i] ? coefficients[i] / (3 * LENGTHS[i]) : 0;
                assertEquals(expected, gradient[100 * i + t], PUBLISHED);
                sum += gradient[100 * i + t];
            }
        }
        assertEquals(0, sum, 1e-12, "the coefficients of a question");
    }

    @Test
    void aQuestionOfOneKindAddsNothingAndCounts() {
        double[] six = {-0.4, -0.9, -0.5, -1.2, -0.3, -0.1};
        Tensor logProbs = answers(six, new int[] {3, 2, 1, 4, 2, 2});
        Tensor rewards = Tensor.of(new double[] {1, 1, 0, 0, 1, 0}, 3, 2);
        Loss loss = Drpo.drpo(onPolicy(logProbs), rewards, 4, 0.1, 10, 3);
        loss.value().backward();
        assertEquals((0.3 - 0.1) / 3, loss.value().item(), 1e-15);
        assertArrayEquals(new double[] {0, 0, 1}, loss.metric("informative").toDoubles());
        double[] gradient = logProbs.grad().toDoubles();
        for (int slot = 0; slot < 16; slot++) {
            assertEquals(0, gradient[slot]);
        }
    }

    /// Right is what has a reward above 0, wrong all else.
    @Test
    void wrongAnswersMayHaveNegativeRewards() {
        Rollout rollout = onPolicy(answers(SCORES, LENGTHS));
        assertEquals(
                loss(0.1, 10),
                Drpo.drpo(rollout, rewards(1, 0.5, -1, -2), 100, 0.1, 10, 1)
                        .value()
                        .item());
        assertEquals(
                0,
                Drpo.drpo(rollout, rewards(-1, -2, -1, -1), 100, 0.1, 10, 1)
                        .metric("informative")
                        .item());
    }

    @Test
    void weightsAreConstantsAndThoseOfAQuestionOfOneKindAreZero() {
        Tensor lengths = Tensor.of(new double[] {1, 0, 1, 1}, 2, 2).requiresGrad();
        Tensor weights = Drpo.positiveWeights(Tensor.of(new double[] {1, 1, 1, 0}, 2, 2), lengths, 1, 0.1);
        assertArrayEquals(new double[] {0, 0, 1, 0}, weights.toDoubles());
        assertFalse(weights.hasGradientGraph());
    }

    @Test
    void noQuestionOfBothKindsGivesZero() {
        Tensor logProbs = answers(SCORES, LENGTHS);
        Loss loss = Drpo.drpo(onPolicy(logProbs), Tensor.of(new double[] {1, 1, 0, 0}, 2, 2), 100, 0.1, 10, 2);
        loss.value().backward();
        assertEquals(0, loss.value().item());
        assertArrayEquals(new double[400], logProbs.grad().toDoubles());
    }

    @Test
    void neverIsARightAnswerLoweredThoughGrpoWithAPenaltyDoesIt() {
        double[] lengths = {0.9, 0.2, 0.2, 0.25, 0.5, 0.2};
        double[] right = {1, 1, 1, 1, 0, 1};
        double[] penalised = new double[6];
        for (int i = 0; i < 6; i++) {
            penalised[i] = right[i] * (1 - 0.9 * lengths[i]);
        }
        assertArrayEquals(
                new double[] {-1.01867825, .66648752, .66648752, .54611854, -1.52690285, .66648752},
                GroupRelative.normalized(rewards(penalised), 1e-15).toDoubles(),
                PUBLISHED);
        double[] weights = Drpo.positiveWeights(
                        rewards(right), Tensor.of(lengths, 1, 6).times(100), 100, 0.1)
                .toDoubles();
        assertTrue(weights[0] > 0 && weights[0] < weights[3] && weights[3] < weights[1]);
        assertEquals(0, weights[4]);
        assertEquals(1, Arrays.stream(weights).sum(), 1e-15);
    }

    @Test
    void aTinyLambdaDoesNotOverflow() { // exp(0.6/1e-4) would
        double[] weights = Drpo.positiveWeights(rewards(1, 1, 0), Tensor.of(new double[] {40, 80, 60}, 1, 3), 100, 1e-4)
                .toDoubles();
        assertArrayEquals(new double[] {1, 0, 0}, weights, 1e-15);
    }

    @Test
    void anAnswerWithoutTokensHasTheScoreZero() {
        Tensor logProbs = answers(new double[] {0, -1}, new int[] {0, 2});
        Loss loss = Drpo.drpo(onPolicy(logProbs), rewards(1, 0), 10, 0.1, 1, 1);
        loss.value().backward();
        assertEquals(-1, loss.value().item(), 1e-15);
        assertArrayEquals(new double[] {0, 0, 0.5, 0.5}, logProbs.grad().toDoubles(), 1e-15);
    }

    @Test
    void questionsApartAddUp() {
        double[] six = {-0.4, -0.9, -0.5, -1.2, -0.3, -0.1};
        int[] lengths = {3, 2, 1, 4, 2, 2};
        double[] rewards = {1, 0, 0, 1, 1, 0};
        double together = Drpo.drpo(onPolicy(answers(six, lengths)), Tensor.of(rewards, 3, 2), 4, 0.1, 10, 3)
                .value()
                .item();
        double apart = 0;
        for (int q = 0; q < 3; q++) {
            Rollout part = onPolicy(
                    answers(Arrays.copyOfRange(six, 2 * q, 2 * q + 2), Arrays.copyOfRange(lengths, 2 * q, 2 * q + 2)));
            apart += Drpo.drpo(part, rewards(rewards[2 * q], rewards[2 * q + 1]), 4, 0.1, 10, 3)
                    .value()
                    .item();
        }
        assertEquals(together, apart, 1e-15);
    }

    @Test
    void theTrustRegionIsOffUpToDelta() {
        assertEquals(0, Drpo.strength(1e-4, 1e3, 1e-4));
        assertEquals(0, Drpo.strength(-0.3, 1e3, 1e-4));
        assertEquals(0.9, Drpo.strength(1e-3, 1e3, 1e-4), 1e-12);
        assertEquals(3, Drpo.strength(3, 2, 1.5));
        Tensor logProbs = answers(SCORES, LENGTHS);
        Loss off = Drpo.trustRegion(onPolicy(logProbs), SampledKl::k1, 0, 280);
        off.value().backward();
        assertArrayEquals(
                new double[400],
                Arrays.stream(logProbs.grad().toDoubles()).map(Math::abs).toArray());
    }

    /// `(beta/2)·max(KL - delta, 0)²`, of which the loss has the gradient though not the value.
    @Test
    void theTrustRegionHasTheGradientOfTheSquaredHinge() {
        double[] at = {-0.5, -1, -0.2, -2};
        Tensor old = Tensor.of(new double[] {-0.1, -0.7, -0.3, -1}, 2, 2);
        double beta = 100;
        double delta = 1e-3;
        Tensor mask = Tensor.mask(new boolean[] {true, true, true, false}, 2, 2);
        Tensor logProbs = Tensor.of(at, 2, 2).requiresGrad();
        Rollout rollout = new Rollout(logProbs, old.requiresGrad(), mask);
        Loss metrics = Drpo.trustRegion(rollout, SampledKl::k1, 1, 3);
        assertArrayEquals(new double[] {0.7, -0.1}, metrics.metric("kl/old").toDoubles(), 1e-15);
        assertArrayEquals(new double[] {2, 1}, metrics.metric("tokens").toDoubles());
        double kl = Drpo.trustRegion(rollout, SampledKl::k1, 1, 3).value().item();
        assertEquals((0.4 + 0.3 - 0.1) / 3, kl, 1e-15);
        Drpo.trustRegion(rollout, SampledKl::k1, Drpo.strength(kl, beta, delta), 3)
                .value()
                .backward();
        double slope = -beta * (kl - delta) / 3;
        assertArrayEquals(new double[] {slope, slope, slope, 0}, logProbs.grad().toDoubles(), 1e-12);
        assertNull(old.grad(), "the old policy is a constant");
        CentralDifferences.assertGradient(
                at,
                x -> Drpo.trustRegion(new Rollout(x, old, mask), SampledKl::k3, 0.7, 3)
                        .value(),
                1e-9,
                2,
                2);
    }

    @Test
    void badInputIsRefused() {
        Rollout rollout = onPolicy(answers(SCORES, LENGTHS));
        Tensor rewards = rewards(1, 1, 0, 0);
        for (double bad : new double[] {0, -1, NAN}) {
            refused("lambda", () -> Drpo.drpo(rollout, rewards, 100, bad, 10, 1));
            refused("tau", () -> Drpo.drpo(rollout, rewards, 100, 0.1, bad, 1));
            refused("beta", () -> Drpo.strength(0.1, bad, 0));
        }
        refused("delta", () -> Drpo.strength(0.1, 1, -1));
        refused("longest", () -> Drpo.drpo(rollout, rewards, 0, 0.1, 10, 1));
        refused("questionsInStep", () -> Drpo.drpo(rollout, rewards, 100, 0.1, 10, 0));
        refused("rewards of completions", () -> Drpo.drpo(rollout, rewards(1, 0), 100, 0.1, 10, 1));
        refused("strength", () -> Drpo.trustRegion(rollout, SampledKl::k1, -1, 280));
        refused("lengths", () -> Drpo.positiveWeights(rewards, Tensor.of(1, 2), 100, 0.1));
        refused("rewards", () -> Drpo.positiveWeights(Tensor.of(1, 2), Tensor.of(1, 2), 100, 0.1));
        refused("rewards", () -> Drpo.drpo(rollout, Tensor.of(1, 1, 0, 0), 100, 0.1, 10, 4));
        refused("rewards", () -> Drpo.drpo(rollout, Tensor.scalarOf(1), 100, 0.1, 10, 4));
    }
}

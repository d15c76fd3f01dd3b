package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.TokenRewardModel.Weights;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(InScope.class)
class TokenRewardModelTest {
    private static final int T = 9;
    private static final int[] FIRST = {0, 2, 1, 4};
    private static final int[] LAST = {9, 8, 2, 4};
    private static final double NAN = Double.NaN;

    private static double[][] scores() {
        var random = new Random(5);
        return IntStream.range(0, 4)
                .mapToObj(_ -> random.doubles(T, -2, 2).toArray())
                .toArray(double[][]::new);
    }

    private static boolean[][] mask() {
        boolean[][] mask = new boolean[4][T];
        for (int i = 0; i < 4; i++) {
            Arrays.fill(mask[i], FIRST[i], LAST[i], true);
        }
        return mask;
    }

    /// p of the tokens that count, in plain doubles.
    private static double[] promise(double[] row, int i) {
        return IntStream.range(FIRST[i], LAST[i])
                .mapToDouble(t -> Arrays.stream(row, FIRST[i], t + 1).average().orElseThrow())
                .map(c -> 1 / (1 + Math.exp(-c)))
                .toArray();
    }

    private static double[] counted(Tensor weights, int i) {
        return Arrays.copyOfRange(weights.select(0, i).toDoubles(), FIRST[i], LAST[i]);
    }

    @Test
    void workedExample() {
        Tensor scores = Tensor.of(new double[] {0.8, -0.4, 1.2}, 1, 3);
        Tensor mask = Tensor.mask(new boolean[] {true, true, true}, 1, 3);
        Weights weights = TokenRewardModel.aboveThreshold(scores, mask, 0.5, 0.5);
        assertArrayEquals(
                new double[] {0.37994896, 0.09966799, 0.26052045},
                weights.correct().toDoubles(),
                5e-9);
        assertArrayEquals(new double[3], weights.wrong().toDoubles());
        Loss right = TokenRewardModel.loss(scores, mask, Tensor.mask(new boolean[] {true}, 1), 1);
        Loss wrong = TokenRewardModel.loss(scores, mask, Tensor.mask(new boolean[] {false}, 1), 1);
        assertEquals(1.6 / 3, right.metric("score").item(), 1e-15);
        assertEquals(0.46162249, right.metric("loss").item(), 5e-9);
        assertFalse(TokenRewardModel.aboveThreshold(scores.requiresGrad(), mask, 0.5, 0.5)
                .correct()
                .hasGradientGraph());
        assertEquals(0.46162249, right.value().item(), 5e-9);
        assertEquals(0.99495583, wrong.value().item(), 5e-9);
    }

    @Test
    void weightsAboveAThresholdEqualTheEquation() {
        double[][] scores = scores();
        Weights weights = TokenRewardModel.aboveThreshold(Tensor.of(scores), Tensor.mask(mask()), 0.4, 0.3);
        for (int i = 0; i < 4; i++) {
            double[] p = promise(scores[i], i);
            double[] correct = counted(weights.correct(), i);
            double[] wrong = counted(weights.wrong(), i);
            for (int t = 0; t < p.length; t++) {
                assertEquals(Math.clamp((p[t] - 0.4) / 0.6, 0, 1), correct[t], 1e-14);
                assertEquals(Math.clamp((1 - p[t] - 0.3) / 0.7, 0, 1), wrong[t], 1e-14);
            }
        }
    }

    @Test
    void atOneHalfNoTokenHasBothWeightsAndScoresOfZeroHaveNone() {
        Tensor mask = Tensor.mask(mask());
        Weights weights = TokenRewardModel.aboveThreshold(Tensor.of(scores()), mask, 0.5, 0.5);
        assertFalse(weights.correct().gt(0).and(weights.wrong().gt(0)).anyTrue());
        Weights none = TokenRewardModel.aboveThreshold(Tensor.of(scores()).zerosLike(), mask, 0.5, 0.5);
        assertFalse(none.correct().ne(0).or(none.wrong().ne(0)).anyTrue());
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.01, 0.25, 0.29, 0.5, 0.99, 1})
    void weightsOfTheLargestEqualTheEquation(double ratio) {
        double[][] scores = scores();
        Weights weights = TokenRewardModel.largest(Tensor.of(scores), Tensor.mask(mask()), ratio, ratio);
        for (int i = 0; i < 4; i++) {
            double[] p = promise(scores[i], i);
            assertArrayEquals(largest(p, ratio), counted(weights.correct(), i), 1e-13);
            double[] q = Arrays.stream(p).map(v -> 1 - v).toArray();
            assertArrayEquals(largest(q, ratio), counted(weights.wrong(), i), 1e-13);
        }
    }

    /// In the type of the scores, where 0.57·100 is a little less than 57.
    @Test
    void sharesAreRoundedDown() {
        Tensor scores = Tensor.of(new Random(8).doubles(100, -1, 1).toArray(), 1, 100);
        Weights weights = TokenRewardModel.largest(scores, scores.isFinite(), 0.57, 0.29);
        // The least of those kept has weight 0.
        assertEquals(56 - 1, weights.correct().gt(0).sum().item());
        assertEquals(28 - 1, weights.wrong().gt(0).sum().item());
    }

    private static double[] largest(double[] p, double ratio) {
        int k = Math.max(1, (int) (ratio * p.length));
        double[] sorted = p.clone();
        Arrays.sort(sorted);
        double low = p.length == 0 ? 0 : sorted[p.length - k];
        double high = p.length == 0 ? 0 : sorted[p.length - 1];
        return Arrays.stream(p)
                .map(v -> v < low ? 0 : high > low ? (v - low) / (high - low) : 1)
                .toArray();
    }

    @Test
    void equalOnesThatAreKeptHaveAllTheWeight() {
        Tensor scores = Tensor.of(new double[8], 2, 4);
        Tensor mask = Tensor.mask(new boolean[] {true, true, true, true, false, false, true, true}, 2, 4);
        Weights weights = TokenRewardModel.largest(scores, mask, 0.5, 1);
        assertArrayEquals(
                new double[] {1, 1, 0, 0, 0, 0, 1, 0}, weights.correct().toDoubles());
        assertArrayEquals(new double[] {1, 1, 1, 1, 0, 0, 1, 1}, weights.wrong().toDoubles());
    }

    @Test
    void noTokenThatIsMaskedIsAmongTheLargest() {
        Tensor mask = Tensor.mask(mask());
        Weights weights = TokenRewardModel.largest(Tensor.of(scores()), mask, 1, 0.01);
        assertFalse(weights.correct()
                .ne(0)
                .or(weights.wrong().ne(0))
                .and(mask.not())
                .anyTrue());
    }

    @Test
    void whatIsMaskedReachesNothing() {
        double[][] filled = scores();
        boolean[][] mask = mask();
        for (int i = 0; i < 4; i++) {
            for (int t = 0; t < T; t++) {
                filled[i][t] = mask[i][t] ? filled[i][t] : NAN;
            }
        }
        Tensor m = Tensor.mask(mask);
        Tensor outcome = Tensor.mask(new boolean[] {true, false, true, false}, 4);
        for (int i = 0; i < 4; i++) {
            assertArrayEquals(
                    counted(
                            TokenRewardModel.aboveThreshold(Tensor.of(scores()), m, 0.5, 0.5)
                                    .correct(),
                            i),
                    counted(
                            TokenRewardModel.aboveThreshold(Tensor.of(filled), m, 0.5, 0.5)
                                    .correct(),
                            i));
            assertArrayEquals(
                    counted(
                            TokenRewardModel.largest(Tensor.of(scores()), m, 0.5, 0.5)
                                    .wrong(),
                            i),
                    counted(
                            TokenRewardModel.largest(Tensor.of(filled), m, 0.5, 0.5)
                                    .wrong(),
                            i));
        }
        Tensor leaf = Tensor.of(filled).requiresGrad();
        Tensor value = TokenRewardModel.loss(leaf, m, outcome, 4).value();
        value.backward();
        assertEquals(
                TokenRewardModel.loss(Tensor.of(scores()), m, outcome, 4)
                        .value()
                        .item(),
                value.item());
        assertFalse(leaf.grad().ne(0).and(m.not()).anyTrue());
    }

    /// The derivative of the cross-entropy, shared alike by the tokens of an answer.
    @Test
    void theLossIsTheCrossEntropyOfTheMeanScore() {
        double[][] scores = scores();
        Tensor leaf = Tensor.of(scores).requiresGrad();
        boolean[] outcome = {true, false, true, false};
        Loss loss = TokenRewardModel.loss(leaf, Tensor.mask(mask()), Tensor.mask(outcome, 4), 6);
        loss.value().backward();
        double sum = 0;
        for (int i = 0; i < 4; i++) {
            double[] p = promise(scores[i], i);
            double end = p.length == 0 ? 0.5 : p[p.length - 1];
            sum -= Math.log(outcome[i] ? end : 1 - end) / 6;
            double[] expected = new double[p.length];
            Arrays.fill(expected, (end - (outcome[i] ? 1 : 0)) / p.length / 6);
            assertArrayEquals(expected, counted(leaf.grad(), i), 1e-15);
        }
        assertEquals(sum, loss.value().item(), 1e-14);
    }

    @Test
    void gradientEqualsCentralDifferences() {
        Tensor mask = Tensor.mask(new boolean[] {true, true, false, true, true, true}, 2, 3);
        Tensor outcome = Tensor.mask(new boolean[] {true, false}, 2);
        CentralDifferences.assertGradient(
                new double[] {0.5, -1, 3, 0.2, 0.7, -0.4},
                x -> TokenRewardModel.loss(x, mask, outcome, 2).value(),
                1e-9,
                2,
                3);
    }

    @ParameterizedTest
    @ValueSource(doubles = {-1e4, 1e4})
    void extremeScoresStayFinite(double score) {
        Tensor scores = Tensor.of(new double[] {score}, 1, 1);
        Tensor mask = Tensor.mask(new boolean[] {true}, 1, 1);
        Tensor outcome = Tensor.mask(new boolean[] {true}, 1);
        assertEquals(
                Math.max(0, -score),
                TokenRewardModel.loss(scores, mask, outcome, 1).value().item());
        Weights weights = TokenRewardModel.aboveThreshold(scores, mask, 0.5, 0.5);
        assertEquals(score > 0 ? 1 : 0, weights.correct().item());
        assertEquals(score > 0 ? 0 : 1, weights.wrong().item());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor scores = Tensor.of(scores());
        Tensor mask = Tensor.mask(mask());
        Tensor outcome = Tensor.mask(new boolean[4], 4);
        var e = assertThrows(
                IllegalArgumentException.class, () -> TokenRewardModel.aboveThreshold(scores, mask, 1, 0.5));
        assertEquals("correctThreshold must be in [0.0, 1.0), was 1.0", e.getMessage());
        refused("wrongThreshold", () -> TokenRewardModel.aboveThreshold(scores, mask, 0.5, -0.1));
        refused("wrongThreshold", () -> TokenRewardModel.aboveThreshold(scores, mask, 0.5, 1));
        refused("mask", () -> TokenRewardModel.aboveThreshold(scores, scores, 0.5, 0.5));
        e = assertThrows(IllegalArgumentException.class, () -> TokenRewardModel.largest(scores, mask, 0, 1));
        assertEquals("correctRatio must be in (0, 1], was 0.0", e.getMessage());
        refused("wrongRatio", () -> TokenRewardModel.largest(scores, mask, 1, 1.1));
        refused("wrongRatio", () -> TokenRewardModel.largest(scores, mask, 1, NAN));
        refused("answersInStep", () -> TokenRewardModel.loss(scores, mask, outcome, 3));
        refused("correct", () -> TokenRewardModel.loss(scores, mask, mask, 4));
        refused("mask", () -> TokenRewardModel.loss(scores.t(), mask, outcome, 9));
        refused("wrong", () -> new Weights(scores, scores.t()));
        refused("correct", () -> new Weights(outcome, outcome));
        Tensor row = scores.select(0, 0);
        refused("scores", () -> TokenRewardModel.loss(row, mask.select(0, 0), outcome, 9));
    }
}

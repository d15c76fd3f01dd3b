package dev.kedge.objective.preference;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(InScope.class)
class HypoTest {
    private static final double BETA = 0.3;
    private static final double LAMBDA = 0.2;

    /// Two prompts of three answers, beside three pairs.
    private static final double[][] ONLINE = {{-5, -6, -7}, {-1, -2.5, -0.5}};
    private static final double[][] REF_ONLINE = {{-5.5, -5.8, -8}, {-2, -2, -1}};

    /// HyPO with one baseline or the other.
    enum Form {
        PLAIN,
        LEAVE_ONE_OUT;

        Loss loss(PreferenceLogProbs lp, OnlineLogProbs online, double beta, double lambda, long pairs, long samples) {
            return switch (this) {
                case PLAIN -> Hypo.hypo(lp, online, beta, lambda, pairs, samples);
                case LEAVE_ONE_OUT -> Hypo.leaveOneOut(lp, online, beta, lambda, pairs, samples);
            };
        }

        /// In plain doubles, sharing no code.
        double[] advantages(double[] kl) {
            double sum = Arrays.stream(kl).sum();
            return Arrays.stream(kl)
                    .map(v -> this == PLAIN ? v : v - (sum - v) / (kl.length - 1))
                    .toArray();
        }
    }

    private static OnlineLogProbs online() {
        return new OnlineLogProbs(Tensor.of(ONLINE), Tensor.of(REF_ONLINE));
    }

    @ParameterizedTest
    @MethodSource("forms")
    void equalsTheEquation(Form form) {
        double surrogate = 0;
        for (int p = 0; p < 2; p++) {
            double[] kl = new double[3];
            for (int j = 0; j < 3; j++) {
                kl[j] = ONLINE[p][j] - REF_ONLINE[p][j];
            }
            double[] advantages = form.advantages(kl);
            for (int j = 0; j < 3; j++) {
                surrogate += advantages[j] * ONLINE[p][j] / 6;
            }
        }
        double dpo = Pairs.meanOver(i -> Math.log1p(Math.exp(-BETA * Pairs.logRatioMargin(i))));
        Loss loss = form.loss(Pairs.all(), online(), BETA, LAMBDA, 3, 6);
        assertEquals(dpo + LAMBDA * surrogate, loss.value().item(), 1e-14);
    }

    static Stream<Form> forms() {
        return Stream.of(Form.values());
    }

    @Test
    void workedExample() {
        Tensor chosen = Tensor.of(-10.0).requiresGrad();
        var lp = new PreferenceLogProbs(chosen, Tensor.of(-12.0), Tensor.of(-11.0), Tensor.of(-11.5));
        Tensor sampled = Tensor.of(new double[] {-5, -6, -7}, 1, 3).requiresGrad();
        var drawn = new OnlineLogProbs(sampled, Tensor.of(new double[] {-5.5, -5.8, -8}, 1, 3));
        Loss loss = Hypo.leaveOneOut(lp, drawn, 0.1, 0.01, 1, 3);
        loss.value().backward();
        assertEquals(0.62095705, loss.metric("loss").item(), 5e-9);
        assertEquals(-0.04625702, chosen.grad().item(), 5e-9);
        assertEquals(0.43333333, loss.metric("online/kl").mean().item(), 5e-9);
        assertArrayEquals(
                new double[] {0.1, -0.95, 0.85}, loss.metric("online/advantage").toDoubles(), 1e-14);
        assertArrayEquals(
                new double[] {0.00033333, -0.00316667, 0.00283333},
                sampled.grad().toDoubles(),
                5e-9);

        Tensor again = Tensor.of(new double[] {-5, -6, -7}, 1, 3).requiresGrad();
        Hypo.hypo(lp, new OnlineLogProbs(again, drawn.ref()), 0.1, 0.01, 1, 3)
                .value()
                .backward();
        assertArrayEquals(
                new double[] {0.00166667, -0.00066667, 0.00333333}, again.grad().toDoubles(), 5e-9);
    }

    @ParameterizedTest
    @MethodSource("forms")
    void lambdaZeroIsDpoToTheLastBit(Form form) {
        Tensor chosen = Tensor.of(Pairs.CHOSEN).requiresGrad();
        Tensor sampled = Tensor.of(ONLINE).requiresGrad();
        var lp = Pairs.all();
        Loss loss = form.loss(
                new PreferenceLogProbs(chosen, lp.rejected(), lp.refChosen(), lp.refRejected()),
                new OnlineLogProbs(sampled, Tensor.of(REF_ONLINE)),
                BETA,
                0,
                3,
                6);
        loss.value().backward();
        Tensor bare = Tensor.of(Pairs.CHOSEN).requiresGrad();
        Tensor dpo = Dpo.dpo(new PreferenceLogProbs(bare, lp.rejected(), lp.refChosen(), lp.refRejected()), BETA, 3)
                .value();
        dpo.backward();
        assertEquals(dpo.item(), loss.value().item());
        assertArrayEquals(bare.grad().toDoubles(), chosen.grad().toDoubles());
        assertArrayEquals(new double[6], sampled.grad().plus(0.0).toDoubles());
    }

    @ParameterizedTest
    @MethodSource("forms")
    void atTheReferenceTheOnlineGradientIsExactlyZero(Form form) {
        Tensor sampled = Tensor.of(ONLINE).requiresGrad();
        form.loss(Pairs.all(), new OnlineLogProbs(sampled, Tensor.of(ONLINE)), BETA, LAMBDA, 3, 6)
                .value()
                .backward();
        assertArrayEquals(new double[6], sampled.grad().toDoubles());
    }

    @Test
    void answersOfOneLogRatioMoveNothingWhenMeasuredAgainstEachOther() {
        Tensor sampled = Tensor.of(ONLINE).requiresGrad();
        Tensor ref = sampled.detach().minus(0.75); // exact, as ONLINE is
        Loss loss = Hypo.leaveOneOut(Pairs.all(), new OnlineLogProbs(sampled, ref), BETA, LAMBDA, 3, 6);
        loss.value().backward();
        assertArrayEquals(new double[6], sampled.grad().toDoubles());
        assertEquals(0.75, loss.metric("online/kl").mean().item());
    }

    @Test
    void theReferenceIsAConstant() {
        Tensor ref = Tensor.of(REF_ONLINE).requiresGrad();
        Tensor sampled = Tensor.of(ONLINE).requiresGrad();
        Hypo.hypo(Pairs.all(), new OnlineLogProbs(sampled, ref), BETA, LAMBDA, 3, 6)
                .value()
                .backward();
        assertEquals(null, ref.grad());
        new OnlineLogProbs(sampled, ref).logRatio().sum().backward();
        assertEquals(null, ref.grad());
    }

    @Test
    void eachTermHasItsOwnDenominator() {
        Tensor chosen = Tensor.of(Pairs.CHOSEN).requiresGrad();
        Tensor sampled = Tensor.of(ONLINE).requiresGrad();
        var all = Pairs.all();
        var lp = new PreferenceLogProbs(chosen, all.rejected(), all.refChosen(), all.refRejected());
        Hypo.hypo(lp, new OnlineLogProbs(sampled, Tensor.of(REF_ONLINE)), BETA, LAMBDA, 30, 12)
                .value()
                .backward();
        assertEquals(LAMBDA * 0.5 / 12, sampled.grad().toDoubles()[0], 1e-16);
        double slope = -BETA / (1 + Math.exp(BETA * Pairs.logRatioMargin(0))) / 30;
        assertEquals(slope, chosen.grad().toDoubles()[0], 1e-15);
    }

    @Test
    void metricsOfPairsAndOfAnswersEachHaveTheirShape() {
        Loss loss = Hypo.hypo(Pairs.all(), online(), BETA, LAMBDA, 3, 6);
        assertArrayEquals(new long[] {3}, loss.metric("loss").shape());
        assertArrayEquals(new long[] {3}, loss.metric("reward/chosen").shape());
        assertArrayEquals(new long[] {2, 3}, loss.metric("online/kl").shape());
        assertArrayEquals(
                loss.metric("online/kl").toDoubles(),
                loss.metric("online/advantage").toDoubles());
    }

    @ParameterizedTest
    @ValueSource(doubles = {-1e6, -800, 800, 1e6})
    void extremeLogRatiosStayFinite(double logRatio) {
        Tensor chosen = Tensor.of(logRatio).requiresGrad();
        Tensor sampled = Tensor.of(new double[] {logRatio, -logRatio}, 1, 2).requiresGrad();
        Tensor zero = Tensor.of(0.0);
        Loss loss = Hypo.leaveOneOut(
                new PreferenceLogProbs(chosen, zero, zero, zero),
                new OnlineLogProbs(sampled, sampled.detach().zerosLike()),
                1,
                1,
                1,
                2);
        loss.value().backward();
        assertTrue(loss.value().isFinite().allTrue());
        assertTrue(chosen.grad().isFinite().allTrue());
        assertArrayEquals(new double[] {logRatio, -logRatio}, sampled.grad().toDoubles());
    }

    @Test
    void float32StaysFloat32() {
        Tensor pair = Tensor.of(new float[] {-1, -2}, 2);
        Tensor drawn = Tensor.of(new float[] {-1, -2}, 1, 2);
        Loss loss = Hypo.leaveOneOut(
                new PreferenceLogProbs(pair, pair, pair, pair), new OnlineLogProbs(drawn, drawn), BETA, LAMBDA, 2, 2);
        assertEquals(pair.dtype(), loss.value().dtype());
        assertEquals(pair.dtype(), loss.metric("online/advantage").dtype());
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, Double.NaN, Double.POSITIVE_INFINITY})
    void aLambdaOutOfRangeIsRefused(double lambda) {
        for (Form form : Form.values()) {
            var e = assertThrows(
                    IllegalArgumentException.class, () -> form.loss(Pairs.all(), online(), BETA, lambda, 3, 6));
            assertEquals("lambda must be in [0.0, Infinity), was " + lambda, e.getMessage());
        }
    }

    @ParameterizedTest
    @MethodSource("forms")
    void badArgumentsAreRefused(Form form) {
        var lp = Pairs.all();
        refused("beta", () -> form.loss(lp, online(), 0, LAMBDA, 3, 6));
        refused("beta", () -> form.loss(lp, online(), Double.NaN, LAMBDA, 3, 6));
        refused("pairsInStep", () -> form.loss(lp, online(), BETA, LAMBDA, 2, 6));
        var e = assertThrows(IllegalArgumentException.class, () -> form.loss(lp, online(), BETA, LAMBDA, 3, 5));
        assertEquals(
                "samplesInStep counts the whole step and must be >= 6, what this part holds; was 5", e.getMessage());
    }

    @Test
    void aSingleAnswerHasNoOthers() {
        Tensor single = Tensor.of(new double[] {-1, -2}, 2, 1);
        var alone = new OnlineLogProbs(single, single);
        Hypo.hypo(Pairs.all(), alone, BETA, LAMBDA, 3, 2);
        var e = assertThrows(
                IllegalArgumentException.class, () -> Hypo.leaveOneOut(Pairs.all(), alone, BETA, LAMBDA, 3, 2));
        assertEquals("leave-one-out needs 2 or more answers a prompt, was 1", e.getMessage());
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        Tensor matrix = Tensor.of(ONLINE);
        Tensor vector = Tensor.of(-1, -2);
        refused("policy", () -> new OnlineLogProbs(vector, vector));
        var e = assertThrows(IllegalArgumentException.class, () -> new OnlineLogProbs(matrix, matrix.t()));
        assertEquals("ref must have the shape of policy, [2, 3], was [3, 2]", e.getMessage());
    }
}

package dev.kedge.objective.preference;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(InScope.class)
class RrpoTest {
    private static final int ROWS = 4;
    private static final int T = 5;
    private static final int V = 3;
    private static final double BETA = 0.4;
    private static final double ALPHA = 0.05;
    private static final double[] LOGITS = random(1);
    private static final double[] REF = random(2);

    /// Two pairs: rows 0 and 2, 1 and 3. The first target never counts.
    private static final long[] TARGETS = {
        1, 2, 0, 1, -100,
        -100, -100, 1, 1, 2,
        -100, 0, 0, 2, 1,
        -100, -100, 2, 1, -100
    };

    private static final long[] PHRASES = {
        1, 0, 1, 1, 0,
        0, 0, 0, 2, 3,
        2, 0, 1, 0, 0,
        0, 0, 2, 0, 0
    };

    private static double[] random(long seed) {
        return new Random(seed).doubles(ROWS * T * V, -2, 2).toArray();
    }

    private static Tensor logits(double[] values) {
        return Tensor.of(values, ROWS, T, V);
    }

    private static Tensor targets(long[] targets) {
        return Tensor.of(targets, ROWS, T);
    }

    private static Tensor phrases(long[] phrases) {
        return Tensor.of(phrases, ROWS, T).narrow(1, 1, T - 1);
    }

    private static Loss loss(Tensor logits, double alpha) {
        return loss(logits, logits(REF), TARGETS, PHRASES, alpha);
    }

    private static Loss loss(Tensor logits, Tensor ref, long[] targets, long[] phrases, double alpha) {
        return Rrpo.rrpo(
                Rrpo.Tokens.ofLogits(logits, ref, targets(targets), -100), phrases(phrases), BETA, alpha, ROWS / 2);
    }

    /// `log softmax` of one position, in plain doubles.
    private static double[] logSoftmax(double[] logits, int row, int t) {
        double[] z = Arrays.copyOfRange(logits, (row * T + t) * V, (row * T + t + 1) * V);
        double normalizer = Math.log(Arrays.stream(z).map(Math::exp).sum());
        return Arrays.stream(z).map(x -> x - normalizer).toArray();
    }

    /// Sum of log-ratios over phrases, and of the KL over the answer: the equations, token by token.
    private static double[] terms(int row) {
        double logRatio = 0;
        double kl = 0;
        for (int t = 1; t < T; t++) {
            int target = (int) TARGETS[row * T + t];
            if (target >= 0) {
                double[] p = logSoftmax(LOGITS, row, t - 1);
                double[] ref = logSoftmax(REF, row, t - 1);
                logRatio += PHRASES[row * T + t] > 0 ? p[target] - ref[target] : 0;
                for (int v = 0; v < V; v++) {
                    kl += Math.exp(ref[v]) * (ref[v] - p[v]);
                }
            }
        }
        return new double[] {logRatio, kl};
    }

    @Test
    void equalsTheEquation() {
        Loss loss = loss(logits(LOGITS), ALPHA);
        double sum = 0;
        for (int pair = 0; pair < 2; pair++) {
            double[] w = terms(pair);
            double[] l = terms(pair + 2);
            double expected = Math.log1p(Math.exp(-BETA * (w[0] - l[0]))) + ALPHA * w[1];
            sum += expected / 2;
            assertEquals(expected, loss.metric("loss").toDoubles()[pair], 1e-14);
            assertEquals(BETA * w[0], loss.metric("reward/chosen").toDoubles()[pair], 1e-14);
            assertEquals(BETA * l[0], loss.metric("reward/rejected").toDoubles()[pair], 1e-14);
            assertEquals(w[0] > l[0] ? 1 : 0, loss.metric("reward/accuracy").toDoubles()[pair]);
            assertEquals(w[1], loss.metric("kl/chosen").toDoubles()[pair], 1e-14);
            assertEquals(l[1], loss.metric("kl/rejected").toDoubles()[pair], 1e-14);
        }
        assertEquals(sum, loss.value().item(), 1e-14);
    }

    @Test
    void gradientEqualsCentralDifferences() {
        CentralDifferences.assertGradient(LOGITS, z -> loss(z, ALPHA).value(), 1e-9, ROWS, T, V);
    }

    @Test
    void workedExample() {
        double[] zeros = {0};
        var phrases =
                new PreferenceLogProbs(Tensor.of(0.2 + 0.3), Tensor.of(-0.1 - 0.4), Tensor.of(zeros), Tensor.of(zeros));
        double[] policy = {0.6, 0.3, 0.1, 0.5, 0.25, 0.25, 1, 1, 1};
        double[] ref = {0.7, 0.2, 0.1, 0.5, 0.3, 0.2, 1, 1, 1};
        Tensor kl = Rrpo.Tokens.ofLogits(
                        Tensor.of(policy, 1, 3, 3).log(),
                        Tensor.of(ref, 1, 3, 3).log(),
                        Tensor.of(new long[] {0, 1, 2}, 1, 3),
                        -100)
                .kl()
                .sum(1);
        assertEquals(0.03688021, kl.item(), 5e-9);
        assertEquals(0.51301525, Rrpo.rrpo(phrases, kl, BETA, 0, 1).value().item(), 5e-9);
        assertEquals(0.51485926, Rrpo.rrpo(phrases, kl, BETA, ALPHA, 1).value().item(), 5e-9);
        assertEquals(
                0.51301525 + 2 * 0.03688021,
                Rrpo.rrpo(phrases, kl, BETA, 2, 1).value().item(),
                2e-8);
    }

    @Test
    void onePhraseOfTheWholeAnswerWithoutKlIsDpo() {
        long[] everywhere = new long[ROWS * T];
        Arrays.fill(everywhere, 1);
        Tensor z = logits(LOGITS).requiresGrad();
        Tensor value = loss(z, logits(REF), TARGETS, everywhere, 0).value();
        value.backward();
        Tensor plain = logits(LOGITS).requiresGrad();
        Tensor lp = SequenceLogProbs.ofLogits(plain, targets(TARGETS), -100);
        Tensor ref = SequenceLogProbs.ofLogits(logits(REF), targets(TARGETS), -100);
        Tensor dpo = Dpo.dpo(
                        new PreferenceLogProbs(
                                lp.narrow(0, 0, 2), lp.narrow(0, 2, 2), ref.narrow(0, 0, 2), ref.narrow(0, 2, 2)),
                        BETA,
                        2)
                .value();
        dpo.backward();
        assertEquals(dpo.item(), value.item(), 1e-15);
        assertArrayEquals(plain.grad().toDoubles(), z.grad().toDoubles(), 1e-15);
    }

    /// Loss log 2 and no KL; the only gradient is that of the rewards, at phrases: `∓(beta/2)/B·(onehot - π)`.
    @Test
    void atTheReferenceOnlyPhrasesHaveAGradient() {
        Tensor z = logits(LOGITS).requiresGrad();
        Loss loss = loss(z, z, TARGETS, PHRASES, ALPHA); // the reference is a constant, or all would cancel
        loss.value().backward();
        assertEquals(Math.log(2), loss.value().item(), 1e-15);
        assertArrayEquals(new double[] {0, 0}, loss.metric("kl/chosen").toDoubles());
        double[] expected = new double[LOGITS.length];
        for (int row = 0; row < ROWS; row++) {
            for (int t = 1; t < T; t++) {
                if (PHRASES[row * T + t] > 0) {
                    double[] p = logSoftmax(LOGITS, row, t - 1);
                    for (int v = 0; v < V; v++) {
                        double onehot = v == TARGETS[row * T + t] ? 1 : 0;
                        expected[(row * T + t - 1) * V + v] =
                                (row < 2 ? -1 : 1) * BETA / 2 / 2 * (onehot - Math.exp(p[v]));
                    }
                }
            }
        }
        assertArrayEquals(expected, z.grad().toDoubles(), 1e-15);
    }

    @Test
    void withoutPhrasesOnlyTheKlOfTheChosenIsLearnt() {
        Tensor z = logits(LOGITS).requiresGrad();
        Loss loss = loss(z, logits(REF), TARGETS, new long[ROWS * T], ALPHA);
        loss.value().backward();
        double[] expected = new double[LOGITS.length];
        for (int pair = 0; pair < 2; pair++) {
            assertEquals(
                    Math.log(2) + ALPHA * terms(pair)[1], loss.metric("loss").toDoubles()[pair], 1e-14);
            for (int t = 1; t < T; t++) {
                if (TARGETS[pair * T + t] >= 0) {
                    for (int v = 0; v < V; v++) {
                        expected[(pair * T + t - 1) * V + v] = ALPHA
                                / 2
                                * (Math.exp(logSoftmax(LOGITS, pair, t - 1)[v])
                                        - Math.exp(logSoftmax(REF, pair, t - 1)[v]));
                    }
                }
            }
        }
        assertArrayEquals(expected, z.grad().toDoubles(), 1e-15);
        assertArrayEquals(
                new double[] {0.5, 0.5}, loss.metric("reward/accuracy").toDoubles());
    }

    @Test
    void numbersOfPhrasesDoNotMatter() {
        long[] permuted = Arrays.stream(PHRASES).map(k -> k == 0 ? 0 : 4 - k).toArray();
        long[] merged = Arrays.stream(PHRASES).map(k -> k == 0 ? 0 : 7).toArray();
        long[] belowZero = Arrays.stream(PHRASES).map(k -> k == 0 ? -100 : k).toArray();
        double[][] gradients = new double[4][];
        double[] values = new double[4];
        int i = 0;
        for (long[] phrases : new long[][] {PHRASES, permuted, merged, belowZero}) {
            Tensor z = logits(LOGITS).requiresGrad();
            Tensor value = loss(z, logits(REF), TARGETS, phrases, ALPHA).value();
            value.backward();
            values[i] = value.item();
            gradients[i++] = z.grad().toDoubles();
        }
        for (int other = 1; other < 4; other++) {
            assertEquals(values[0], values[other]);
            assertArrayEquals(gradients[0], gradients[other]);
        }
    }

    @Test
    void phraseLogRatiosAddUpToTheRewards() {
        Rrpo.Tokens tokens = Rrpo.Tokens.ofLogits(logits(LOGITS), logits(REF), targets(TARGETS), -100);
        Tensor all = tokens.phraseLogRatios(phrases(PHRASES), 1, 2, 3);
        assertArrayEquals(new long[] {4, 3}, all.shape());
        for (int row = 0; row < ROWS; row++) {
            assertEquals(terms(row)[0], all.select(0, row).sum().item(), 1e-14);
        }
        assertEquals(0, all.toDoubles()[2], "row 0 has no phrase 3");
        double third = logSoftmax(LOGITS, 1, 3)[2] - logSoftmax(REF, 1, 3)[2];
        assertEquals(third, tokens.phraseLogRatios(phrases(PHRASES), 3).toDoubles()[1], 1e-15);
        assertArrayEquals(
                new long[] {4, 0}, tokens.phraseLogRatios(phrases(PHRASES)).shape());
    }

    /// A sign on a target that is ignored counts nothing, where it could silently count token 0.
    @Test
    void aPhraseOnAnIgnoredTargetCountsNothing() {
        long[] astray = PHRASES.clone();
        astray[4] = 1; // row 0, last
        astray[6] = 5; // row 1, in its prompt
        Tensor z = logits(LOGITS).requiresGrad();
        Loss loss = loss(z, logits(REF), TARGETS, astray, ALPHA);
        loss.value().backward();
        Tensor plain = logits(LOGITS).requiresGrad();
        Loss expected = loss(plain, ALPHA);
        expected.value().backward();
        assertEquals(expected.value().item(), loss.value().item());
        assertArrayEquals(plain.grad().toDoubles(), z.grad().toDoubles());
    }

    /// Equal answers have no phrases, and an answer without tokens no KL either.
    @Test
    void equalAndEmptyAnswersPreferNothing() {
        long[] targets = TARGETS.clone();
        Arrays.fill(targets, T, 2 * T, -100); // row 1 is empty
        long[] phrases = PHRASES.clone();
        Arrays.fill(phrases, 0, T, 0); // rows 0 and 2 are equal
        Arrays.fill(phrases, T, 2 * T, 0);
        Arrays.fill(phrases, 2 * T, 4 * T, 0);
        Loss loss = loss(logits(LOGITS), logits(REF), targets, phrases, ALPHA);
        assertArrayEquals(
                new double[] {Math.log(2) + ALPHA * terms(0)[1], Math.log(2)},
                loss.metric("loss").toDoubles(),
                1e-15);
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e300})
    void whatStandsWhereNothingCountsReachesNothing(double filler) {
        double[] policy = LOGITS.clone();
        double[] ref = REF.clone();
        for (int row = 0; row < ROWS; row++) {
            for (int t = 0; t < T; t++) {
                if (t == T - 1 || TARGETS[row * T + t + 1] < 0) {
                    Arrays.fill(policy, (row * T + t) * V, (row * T + t + 1) * V, filler);
                    Arrays.fill(ref, (row * T + t) * V, (row * T + t + 1) * V, filler);
                }
            }
        }
        Tensor z = logits(policy).requiresGrad();
        Loss loss = loss(z, logits(ref), TARGETS, PHRASES, ALPHA);
        loss.value().backward();
        Tensor plain = logits(LOGITS).requiresGrad();
        Loss expected = loss(plain, ALPHA);
        expected.value().backward();
        assertEquals(expected.value().item(), loss.value().item());
        assertArrayEquals(plain.grad().toDoubles(), z.grad().toDoubles());
        expected.metrics()
                .forEach((name, metric) ->
                        assertArrayEquals(metric.toDoubles(), loss.metric(name).toDoubles(), name));
    }

    @Test
    void paddingAndSplittingChangeNothing() {
        Tensor wide = Tensor.cat(List.of(logits(LOGITS), logits(LOGITS)), 1);
        Tensor wideRef = Tensor.cat(List.of(logits(REF), logits(LOGITS)), 1);
        Tensor ignored =
                Tensor.of(LongStream.generate(() -> -100).limit(ROWS * T).toArray(), ROWS, T);
        Tensor padded = Tensor.cat(List.of(targets(TARGETS), ignored), 1);
        Tensor numbers = Tensor.cat(List.of(phrases(PHRASES), ignored), 1);
        double whole = loss(logits(LOGITS), ALPHA).value().item();
        Rrpo.Tokens tokens = Rrpo.Tokens.ofLogits(wide, wideRef, padded, -100);
        assertEquals(whole, Rrpo.rrpo(tokens, numbers, BETA, ALPHA, 2).value().item(), 1e-15);
        double parts = 0;
        for (long pair = 0; pair < 2; pair++) {
            Tensor rows = Tensor.of(new long[] {pair, pair + 2}, 2);
            var part = new Rrpo.Tokens(
                    tokens.logRatios().indexSelect(0, rows), tokens.kl().indexSelect(0, rows));
            parts += Rrpo.rrpo(part, numbers.indexSelect(0, rows), BETA, ALPHA, 2)
                    .value()
                    .item();
        }
        assertEquals(whole, parts, 1e-15);
    }

    /// Where the reference's probability underflows, log(softmax) would be -∞ and its term NaN.
    @Test
    void largeLogitsStayFinite() {
        for (DType dtype : new DType[] {DType.FLOAT64, DType.FLOAT32}) {
            Tensor z = logits(LOGITS).times(1500).to(dtype).detach().requiresGrad();
            Loss loss = loss(z, logits(REF).times(-2500).to(dtype), TARGETS, PHRASES, ALPHA);
            loss.value().backward();
            assertEquals(dtype, loss.value().dtype());
            assertTrue(loss.value().item() > 100 && Double.isFinite(loss.value().item()));
            assertTrue(z.grad().isFinite().allTrue());
            assertTrue(
                    loss.metrics().values().stream().allMatch(m -> m.isFinite().allTrue()));
        }
    }

    @Test
    void theReferenceIsAConstant() {
        Tensor ref = logits(REF).requiresGrad();
        loss(logits(LOGITS).requiresGrad(), ref, TARGETS, PHRASES, ALPHA)
                .value()
                .backward();
        assertNull(ref.grad());
    }

    @Test
    void whatIsOutOfRangeIsRefused() {
        Tensor two = Tensor.of(-1, -2);
        var lp = new PreferenceLogProbs(two, two, two, two);
        for (double beta : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            var e = assertThrows(IllegalArgumentException.class, () -> Rrpo.rrpo(lp, two, beta, 0.1, 2));
            assertEquals("beta must be finite and > 0, was " + beta, e.getMessage());
            Rrpo.Tokens tokens = new Rrpo.Tokens(two.unsqueeze(1), two.unsqueeze(1));
            refused("beta", () -> Rrpo.rrpo(tokens, tokens.kl().gt(0), beta, 0.1, 2));
        }
        for (double alpha : new double[] {-0.01, Double.NaN, Double.POSITIVE_INFINITY}) {
            refused("alpha", () -> Rrpo.rrpo(lp, two, 0.1, alpha, 2));
        }
        refused("pairsInStep", () -> Rrpo.rrpo(lp, two, 0.1, 0.1, 1));
        refused("chosenKl", () -> Rrpo.rrpo(lp, Tensor.of(1, 2, 3), 0.1, 0.1, 2));
    }

    @Test
    void whatDoesNotFitIsRefused() {
        Tensor z = logits(LOGITS);
        Tensor ids = targets(TARGETS);
        refused("refLogits", () -> Rrpo.Tokens.ofLogits(z.select(0, 0), z, ids, -100));
        refused("refLogits", () -> Rrpo.Tokens.ofLogits(z, z.narrow(2, 0, 2), ids, -100));
        refused("labels", () -> Rrpo.Tokens.ofLogits(z, z, ids.t(), -100));
        Rrpo.Tokens tokens = Rrpo.Tokens.ofLogits(z, z, ids, -100);
        refused("phrases", () -> Rrpo.rrpo(tokens, ids, BETA, ALPHA, 2)); // not shifted
        assertThrows(IllegalArgumentException.class, () -> tokens.phraseLogRatios(ids, 1));
        Tensor three = tokens.kl().narrow(0, 0, 3);
        var odd = new Rrpo.Tokens(three, three);
        var e = assertThrows(
                IllegalArgumentException.class,
                () -> Rrpo.rrpo(odd, phrases(PHRASES).narrow(0, 0, 3), BETA, ALPHA, 2));
        assertEquals("rows must be preferred answers, then as many others, an even number; was 3", e.getMessage());
        refused("kl", () -> new Rrpo.Tokens(three, three.select(1, 0)));
        refused("logRatios", () -> new Rrpo.Tokens(three.select(1, 0), three.select(1, 0)));
    }
}

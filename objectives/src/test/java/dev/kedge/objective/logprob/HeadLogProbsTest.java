package dev.kedge.objective.logprob;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(InScope.class)
class HeadLogProbsTest {
    /// A loss of all log-probs that is neither linear nor even.
    private static final UnaryOperator<Tensor> LOSS =
            lp -> Elementwise.sin(lp.times(0.3)).sum().plus(lp.sum().square().times(1e-4));

    /// Hidden states, themselves a function of a leaf, and a head.
    private record Case(Tensor leaf, Tensor hidden, Tensor head, Tensor targets) {
        static Case of(DType dtype, int n, int width, int vocabulary, boolean trainHidden, boolean trainHead) {
            Random random = new Random(31L * n + vocabulary);
            Tensor leaf = normal(random, n, width).to(dtype).detach();
            Tensor head = normal(random, vocabulary, width).to(dtype).detach();
            if (trainHidden) {
                leaf.requiresGrad();
            }
            if (trainHead) {
                head.requiresGrad();
            }
            long[] targets = random.longs(n, 0, vocabulary).toArray();
            return new Case(leaf, Elementwise.tanh(leaf), head, Tensor.of(targets, n));
        }

        /// All logits at once, and autograd.
        Tensor plain(double temperature) {
            Tensor logits = hidden.matmul(head.t()).div(temperature);
            return logits.logSoftmax(-1).gather(1, targets.unsqueeze(1)).squeeze(1);
        }

        double[] gradient(Tensor tensor) {
            Tensor gradient = tensor.grad();
            return gradient == null ? null : gradient.toDoubles();
        }
    }

    private static Tensor normal(Random random, int rows, int columns) {
        double[] values = new double[rows * columns];
        Arrays.setAll(values, _ -> (float) random.nextGaussian());
        return Tensor.of(values, rows, columns);
    }

    /// Within `tolerance` of the largest entry.
    private static void assertNear(double[] expected, double[] actual, double tolerance, String what) {
        double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
        assertArrayEquals(expected, actual, tolerance * Math.max(1, largest), what);
    }

    /// One chunk, several with an uneven last, and a vocabulary so large that a chunk is 16 rows. Both precisions
    /// start from float32's numbers and are held against float64, so only the arithmetic differs.
    @ParameterizedTest
    @CsvSource({
        "5, 3, 7, 1",
        "1, 1, 2, 0.7",
        "2500, 6, 50, 1",
        "2048, 6, 50, 1.6",
        "20, 3, 262144, 0.5",
        "33, 3, 262144, 1"
    })
    void valuesAndGradientsAreThoseOfTheFullLogits(int n, int width, int vocabulary, double temperature) {
        Case exact = Case.of(DType.FLOAT64, n, width, vocabulary, true, true);
        Tensor plain = exact.plain(temperature);
        LOSS.apply(plain).backward();
        for (DType dtype : new DType[] {DType.FLOAT64, DType.FLOAT32}) {
            // A logit's rounding is divided by the temperature as the logit is.
            double tolerance = (dtype == DType.FLOAT64 ? 1e-12 : 1e-6) / Math.min(1, temperature);
            Case own = Case.of(dtype, n, width, vocabulary, true, true);
            HeadLogProbs lp = HeadLogProbs.of(own.hidden(), own.head(), own.targets(), temperature);
            assertNear(plain.toDoubles(), lp.values().toDoubles(), tolerance, "values");
            LOSS.apply(lp.values()).backward();
            assertNull(own.leaf().grad());
            lp.backward();
            assertNear(exact.gradient(exact.leaf()), own.gradient(own.leaf()), tolerance, dtype + " hidden");
            assertNear(exact.gradient(exact.head()), own.gradient(own.head()), tolerance, dtype + " head");
        }
    }

    /// In plain loops: log p = z_y / τ - log Σ exp(z / τ).
    @Test
    void valuesAreTheClosedForm() {
        Case c = Case.of(DType.FLOAT64, 9, 3, 5, false, false);
        double[] h = c.hidden().toDoubles();
        double[] w = c.head().toDoubles();
        long[] targets = c.targets().toLongs();
        double[] expected = new double[9];
        for (int n = 0; n < 9; n++) {
            double sum = 0;
            for (int v = 0; v < 5; v++) {
                double z = 0;
                for (int i = 0; i < 3; i++) {
                    z += h[3 * n + i] * w[3 * v + i];
                }
                sum += Math.exp(z / 0.8);
                expected[n] += v == targets[n] ? z / 0.8 : 0;
            }
            expected[n] -= Math.log(sum);
        }
        Tensor values = HeadLogProbs.of(c.hidden(), c.head(), c.targets(), 0.8).values();
        assertArrayEquals(expected, values.toDoubles(), 1e-14);
        assertFalse(values.hasGradientGraph());
    }

    @ParameterizedTest
    @CsvSource({"true, false", "false, true"})
    void whatIsFrozenGetsNoGradientAndTheOtherItsOwn(boolean trainHidden, boolean trainHead) {
        Case expected = Case.of(DType.FLOAT64, 2100, 4, 30, trainHidden, trainHead);
        LOSS.apply(expected.plain(1)).backward();
        Case actual = Case.of(DType.FLOAT64, 2100, 4, 30, trainHidden, trainHead);
        HeadLogProbs lp = HeadLogProbs.of(actual.hidden(), actual.head(), actual.targets(), 1);
        LOSS.apply(lp.values()).backward();
        lp.backward();
        Tensor moved = trainHead ? actual.head() : actual.leaf();
        Tensor still = trainHead ? actual.leaf() : actual.head();
        assertNear(expected.gradient(trainHead ? expected.head() : expected.leaf()), actual.gradient(moved), 1e-12, "");
        assertNull(still.grad());
        Case again = Case.of(DType.FLOAT64, 2100, 4, 30, trainHidden, trainHead);
        HeadLogProbs.crossEntropyBackward(again.hidden(), again.head(), again.targets(), 2100);
        assertTrue((trainHead ? again.head() : again.leaf()).grad().ne(0).anyTrue());
        assertNull((trainHead ? again.leaf() : again.head()).grad());
    }

    /// The head is the embedding: its gradient gathers from both ends, beside what was there before.
    @Test
    void aTiedHeadGathersFromBothEnds() {
        Random random = new Random(4);
        long[] tokens = random.longs(1500, 0, 40).toArray();
        long[] next = random.longs(1500, 0, 40).toArray();
        double[][] gradients = new double[2][];
        for (int way = 0; way < 2; way++) {
            Tensor table = normal(new Random(5), 40, 6).requiresGrad();
            table.square().sum().backward();
            Tensor hidden = Elementwise.tanh(Functional.embedding(table, Tensor.of(tokens, 1500)));
            Tensor targets = Tensor.of(next, 1500);
            if (way == 0) {
                LOSS.apply(new Case(table, hidden, table, targets).plain(0.9)).backward();
            } else {
                HeadLogProbs lp = HeadLogProbs.of(hidden, table, targets, 0.9);
                LOSS.apply(lp.values()).backward();
                lp.backward();
            }
            gradients[way] = table.grad().toDoubles();
        }
        assertNear(gradients[0], gradients[1], 1e-12, "table");
    }

    /// The gradient gathers in place, where somebody else looks for it.
    @Test
    void theHeadsGradientStaysInTheMemoryItWasGiven() {
        Case c = Case.of(DType.FLOAT32, 20, 4, 30, true, true);
        Tensor buffer = c.head().detach().zerosLike();
        c.head().setGrad(buffer);
        HeadLogProbs lp = HeadLogProbs.of(c.hidden(), c.head(), c.targets(), 1);
        lp.values().sum().backward();
        lp.backward();
        assertTrue(buffer.ne(0).anyTrue());
        assertArrayEquals(buffer.toDoubles(), c.head().grad().toDoubles());
    }

    @ParameterizedTest
    @CsvSource({"5, 3, 7, 5", "2500, 6, 50, 9000", "20, 3, 262144, 20"})
    void crossEntropyIsTheSumOfLogProbs(int n, int width, int vocabulary, double denominator) {
        for (DType dtype : new DType[] {DType.FLOAT64, DType.FLOAT32}) {
            double tolerance = dtype == DType.FLOAT64 ? 1e-12 : 1e-6;
            Case expected = Case.of(DType.FLOAT64, n, width, vocabulary, true, true);
            Tensor plain = expected.plain(1).sum().times(-1 / denominator);
            plain.backward();
            Case two = Case.of(dtype, n, width, vocabulary, true, true);
            HeadLogProbs lp = HeadLogProbs.of(two.hidden(), two.head(), two.targets(), 1);
            lp.values().sum().times(-1 / denominator).backward();
            lp.backward();
            Case one = Case.of(dtype, n, width, vocabulary, true, true);
            Tensor loss = HeadLogProbs.crossEntropyBackward(one.hidden(), one.head(), one.targets(), denominator);
            assertFalse(loss.hasGradientGraph());
            assertEquals(plain.item(), loss.item(), tolerance * plain.item());
            for (Case c : new Case[] {one, two}) {
                assertNear(expected.gradient(expected.leaf()), c.gradient(c.leaf()), tolerance, dtype + " hidden");
                assertNear(expected.gradient(expected.head()), c.gradient(c.head()), tolerance, dtype + " head");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64"})
    void noTargetsAreNoLossAndNoGradient(DType dtype) {
        Case c = Case.of(dtype, 0, 4, 7, true, true);
        HeadLogProbs lp = HeadLogProbs.of(c.hidden(), c.head(), c.targets(), 1);
        assertArrayEquals(new long[] {0}, lp.values().shape());
        assertEquals(dtype, lp.values().dtype());
        lp.values().sum().backward();
        lp.backward();
        assertEquals(
                0,
                HeadLogProbs.crossEntropyBackward(
                                Case.of(dtype, 0, 4, 7, true, true).hidden(), c.head(), c.targets(), 1)
                        .item());
        assertTrue(c.head().grad() == null || c.head().grad().eq(0).allTrue());
    }

    /// Logits of ±3000 overflow any exponential that is not shifted.
    @Test
    void extremeLogitsStayFinite() {
        Tensor hidden =
                Tensor.of(new double[] {3000}, 1, 1).to(DType.FLOAT32).detach().requiresGrad();
        Tensor head = Tensor.of(new double[] {1, -1}, 2, 1).to(DType.FLOAT32).detach();
        HeadLogProbs lp = HeadLogProbs.of(hidden, head, Tensor.of(new long[] {1}, 1), 1);
        assertEquals(-6000, lp.values().item());
        lp.values().sum().backward();
        lp.backward();
        assertEquals(-2, hidden.grad().item());
    }

    @Test
    void backwardBeforeTheLossIsRefused() {
        Case c = Case.of(DType.FLOAT32, 3, 2, 4, true, true);
        HeadLogProbs lp = HeadLogProbs.of(c.hidden(), c.head(), c.targets(), 1);
        var e = assertThrows(IllegalStateException.class, lp::backward);
        assertEquals("backward of the loss comes first: the log-probs have no gradient yet", e.getMessage());
        lp.values();
        assertThrows(IllegalStateException.class, lp::backward);
        assertNull(c.head().grad());
    }

    @Test
    void whatDoesNotFitIsRefused() {
        Tensor hidden = Creation.zeros(DType.FLOAT32, Device.CPU, 3, 2);
        Tensor head = Creation.zeros(DType.FLOAT32, Device.CPU, 5, 2);
        Tensor targets = Tensor.of(new long[3], 3);
        refused(hidden.view(6), head, targets, 1);
        refused(hidden, head.view(10), targets, 1);
        refused(hidden, head.t(), targets, 1);
        var e = assertThrows(
                IllegalArgumentException.class, () -> HeadLogProbs.crossEntropyBackward(hidden, head.t(), targets, 1));
        assertTrue(e.getMessage().contains("expected, were"), e.getMessage());
        refused(hidden, head, Tensor.of(new long[2], 2), 1);
        refused(hidden, head, Tensor.of(new long[3], 3, 1), 1);
        refused(hidden, head, targets.to(DType.FLOAT32), 1);
        for (double temperature : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            refused(hidden, head, targets, temperature);
        }
        for (double denominator : new double[] {0, -1, Double.NaN}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> HeadLogProbs.crossEntropyBackward(hidden, head, targets, denominator));
        }
        for (long target : new long[] {-1, 5}) {
            Tensor outside = Tensor.of(new long[] {0, 1, target}, 3);
            assertThrows(IllegalArgumentException.class, () -> HeadLogProbs.of(hidden, head, outside, 1));
        }
    }

    private static void refused(Tensor hidden, Tensor head, Tensor targets, double temperature) {
        var e = assertThrows(IllegalArgumentException.class, () -> HeadLogProbs.of(hidden, head, targets, temperature));
        assertTrue(e.getMessage().contains("expected, were") || e.getMessage().contains("temperature"), e.getMessage());
    }

    /// Whatever the number of chunks, only the values and their normalisers stay.
    @Test
    void whatStaysDoesNotGrowWithTheChunks() {
        for (int n : new int[] {0, 10, 5000, 20000}) {
            Case c = Case.of(DType.FLOAT32, n, 4, 30, true, true);
            long before = Scope.liveTensors();
            HeadLogProbs lp = HeadLogProbs.of(c.hidden(), c.head(), c.targets(), 1.1);
            assertEquals(2, Scope.liveTensors() - before);
            try (Tensor sum = lp.values().sum()) {
                sum.backward();
            }
            lp.backward();
            HeadLogProbs.crossEntropyBackward(c.leaf(), c.head(), c.targets(), 1)
                    .close();
            assertEquals(2, Scope.liveTensors() - before);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.1, 1, 2})
    void termsAreTheLargerOfTheTwoThatALogProbIsMadeOf(double temperature) {
        Case c = Case.of(DType.FLOAT64, 40, 5, 7, true, true);
        Tensor logits = c.hidden().detach().matmul(c.head().detach().t()).div(temperature);
        double[] normalizers = logits.logSumExp(-1).toDoubles();
        double[] targets =
                logits.gather(1, c.targets().unsqueeze(1)).reshape(-1).toDoubles();
        double[] expected = new double[40];
        Arrays.setAll(expected, i -> Math.max(Math.abs(normalizers[i]), Math.abs(targets[i])));
        HeadLogProbs logProbs = HeadLogProbs.of(c.hidden(), c.head(), c.targets(), temperature);
        assertArrayEquals(expected, logProbs.terms().toDoubles(), 1e-12);
        assertFalse(logProbs.terms().hasGradientGraph());
        Case none = Case.of(DType.FLOAT64, 0, 5, 7, false, false);
        assertEquals(
                0,
                HeadLogProbs.of(none.hidden(), none.head(), none.targets(), temperature)
                        .terms()
                        .numel());
    }
}

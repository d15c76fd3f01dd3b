package dev.kedge.objective.logprob;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.distillation.GeneralizedJsd;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.Rrpo;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(InScope.class)
class HeadDivergenceTest {
    /// A loss of all divergences that is neither linear nor even.
    private static final UnaryOperator<Tensor> LOSS =
            kl -> Elementwise.sin(kl.times(0.3)).sum().plus(kl.sum().square().times(1e-4));

    /// Hidden states, themselves a function of a leaf, and a head; a reference of another width.
    private record Case(Tensor leaf, Tensor hidden, Tensor head, Tensor refHidden, Tensor refHead) {
        static Case of(DType dtype, int n, int width, int vocabulary, boolean trainHidden, boolean trainHead) {
            Random random = new Random(31L * n + vocabulary);
            Tensor leaf = normal(random, n, width).to(dtype).detach();
            Tensor head = normal(random, vocabulary, width).to(dtype).detach();
            Tensor refHidden = normal(random, n, width + 1).to(dtype).detach();
            Tensor refHead = normal(random, vocabulary, width + 1).to(dtype).detach();
            if (trainHidden) {
                leaf.requiresGrad();
            }
            if (trainHead) {
                head.requiresGrad();
            }
            return new Case(leaf, Elementwise.tanh(leaf), head, refHidden, refHead);
        }

        HeadDivergence chunked() {
            return HeadDivergence.forwardKl(hidden, head, refHidden, refHead);
        }

        /// All logits at once, and autograd.
        Tensor plain() {
            return new ForwardKl()
                    .categorical(
                            hidden.matmul(head.t()).logSoftmax(1),
                            refHidden.matmul(refHead.t()).logSoftmax(1));
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
    @CsvSource({"5, 3, 7", "1, 1, 2", "2500, 6, 50", "2048, 6, 50", "20, 3, 262144", "33, 3, 262144"})
    void valuesAndGradientsAreThoseOfTheFullLogits(int n, int width, int vocabulary) {
        Case exact = Case.of(DType.FLOAT64, n, width, vocabulary, true, true);
        Tensor plain = exact.plain();
        LOSS.apply(plain).backward();
        for (DType dtype : new DType[] {DType.FLOAT64, DType.FLOAT32}) {
            double tolerance = dtype == DType.FLOAT64 ? 1e-12 : 2e-6;
            Case own = Case.of(dtype, n, width, vocabulary, true, true);
            HeadDivergence kl = own.chunked();
            assertNear(plain.toDoubles(), kl.values().toDoubles(), tolerance, "values");
            LOSS.apply(kl.values()).backward();
            assertNull(own.leaf().grad());
            kl.backward();
            assertNear(exact.gradient(exact.leaf()), own.gradient(own.leaf()), tolerance, dtype + " hidden");
            assertNear(exact.gradient(exact.head()), own.gradient(own.head()), tolerance, dtype + " head");
        }
    }

    /// Temperature included, forward KL among them: differentiated chunk by chunk against all logits at once.
    @ParameterizedTest
    @CsvSource({"2500, 6, 50, 0.3", "33, 3, 262144, 0.5", "20, 3, 9, 0", "20, 3, 9, 1", "1, 1, 2, 0.9"})
    void anyDivergenceIsThatOfTheFullLogits(int n, int width, int vocabulary, double beta) {
        Case exact = Case.of(DType.FLOAT64, n, width, vocabulary, true, true);
        Tensor logP = exact.hidden().matmul(exact.head().t()).div(0.7).logSoftmax(1);
        Tensor logRef = exact.refHidden().matmul(exact.refHead().t()).div(0.7).logSoftmax(1);
        Tensor plain = GeneralizedJsd.divergence(logP, logRef, beta);
        LOSS.apply(plain).backward();
        for (DType dtype : new DType[] {DType.FLOAT64, DType.FLOAT32}) {
            double tolerance = dtype == DType.FLOAT64 ? 1e-12 : 4e-6;
            Case own = Case.of(dtype, n, width, vocabulary, true, true);
            HeadDivergence jsd = HeadDivergence.of(
                    own.hidden(),
                    own.head(),
                    own.refHidden(),
                    own.refHead(),
                    0.7,
                    (p, ref) -> GeneralizedJsd.divergence(p, ref, beta));
            assertNear(plain.toDoubles(), jsd.values().toDoubles(), tolerance, "values");
            LOSS.apply(jsd.values()).backward();
            jsd.backward();
            assertNear(exact.gradient(exact.leaf()), own.gradient(own.leaf()), tolerance, dtype + " hidden");
            assertNear(exact.gradient(exact.head()), own.gradient(own.head()), tolerance, dtype + " head");
        }
    }

    /// In plain loops: Σ ref (log ref - log p).
    @Test
    void valuesAreTheClosedForm() {
        Case c = Case.of(DType.FLOAT64, 9, 3, 5, false, false);
        double[] expected = new double[9];
        for (int n = 0; n < 9; n++) {
            double[] p = distribution(c.hidden(), c.head(), n, 3);
            double[] ref = distribution(c.refHidden(), c.refHead(), n, 4);
            for (int v = 0; v < 5; v++) {
                expected[n] += ref[v] * Math.log(ref[v] / p[v]);
            }
        }
        Tensor values = c.chunked().values();
        assertArrayEquals(expected, values.toDoubles(), 1e-14);
        assertFalse(values.hasGradientGraph());
    }

    private static double[] distribution(Tensor hidden, Tensor head, int n, int width) {
        double[] h = hidden.toDoubles();
        double[] w = head.toDoubles();
        double[] mass = new double[5];
        for (int v = 0; v < 5; v++) {
            double z = 0;
            for (int i = 0; i < width; i++) {
                z += h[width * n + i] * w[width * v + i];
            }
            mass[v] = Math.exp(z);
        }
        double sum = Arrays.stream(mass).sum();
        return Arrays.stream(mass).map(m -> m / sum).toArray();
    }

    /// Value and gradient exactly 0, in float32 as well.
    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64"})
    void atTheReferenceThereIsNothingToLearn(DType dtype) {
        Case c = Case.of(dtype, 40, 4, 300, true, true);
        HeadDivergence kl = HeadDivergence.forwardKl(c.hidden(), c.head(), c.hidden(), c.head());
        assertTrue(kl.values().eq(0).allTrue());
        kl.values().sum().backward();
        kl.backward();
        assertTrue(c.leaf().grad().eq(0).allTrue());
        assertTrue(c.head().grad().eq(0).allTrue());
    }

    @ParameterizedTest
    @CsvSource({"true, false", "false, true"})
    void whatIsFrozenGetsNoGradientAndTheOtherItsOwn(boolean trainHidden, boolean trainHead) {
        Case expected = Case.of(DType.FLOAT64, 2100, 4, 30, trainHidden, trainHead);
        LOSS.apply(expected.plain()).backward();
        Case actual = Case.of(DType.FLOAT64, 2100, 4, 30, trainHidden, trainHead);
        HeadDivergence kl = actual.chunked();
        LOSS.apply(kl.values()).backward();
        kl.backward();
        Tensor moved = trainHead ? actual.head() : actual.leaf();
        Tensor still = trainHead ? actual.leaf() : actual.head();
        assertNear(expected.gradient(trainHead ? expected.head() : expected.leaf()), actual.gradient(moved), 1e-12, "");
        assertNull(still.grad());
    }

    @Test
    void theReferenceIsAConstant() {
        Case c = Case.of(DType.FLOAT64, 7, 4, 30, true, true);
        Tensor refLeaf = c.refHidden().requiresGrad();
        Tensor refHead = c.refHead().requiresGrad();
        HeadDivergence kl = HeadDivergence.forwardKl(c.hidden(), c.head(), Elementwise.tanh(refLeaf), refHead);
        kl.values().sum().backward();
        kl.backward();
        assertTrue(c.leaf().grad().ne(0).anyTrue());
        assertNull(refLeaf.grad());
        assertNull(refHead.grad());
    }

    /// RRPO through heads, in chunks, with its two ways back through one leaf, against the loss of all logits.
    @Test
    void rrpoThroughHeadsIsThatOfTheLogits() {
        int pairs = 3;
        int length = 500; // with 6 rows several chunks
        Random random = new Random(9);
        long[] targets = random.longs(2L * pairs * length, 0, 40).toArray();
        Tensor numbers = Tensor.of(random.longs(targets.length, -3, 2).toArray(), 2L * pairs, length);
        Case plain = Case.of(DType.FLOAT64, targets.length, 6, 40, true, true);
        Loss ofLogits = rrpoOfLogits(plain, targets, numbers, pairs, length);
        ofLogits.value().backward();

        Case c = Case.of(DType.FLOAT64, targets.length, 6, 40, true, true);
        Tensor leaf = c.hidden().detach().requiresGrad();
        Tensor index = Tensor.of(targets, targets.length);
        HeadLogProbs lp = HeadLogProbs.of(leaf, c.head(), index, 1);
        Tensor ref = HeadLogProbs.of(c.refHidden(), c.refHead(), index, 1).values();
        long chosen = (long) pairs * length;
        HeadDivergence kl = HeadDivergence.forwardKl(
                leaf.narrow(0, 0, chosen), c.head(), c.refHidden().narrow(0, 0, chosen), c.refHead());
        Tensor mask = numbers.gt(0);
        Tensor sums = lp.values().reshape(2L * pairs, length).whereElse(mask, 0).sum(1);
        Tensor refSums = ref.reshape(2L * pairs, length).whereElse(mask, 0).sum(1);
        var phrases = new PreferenceLogProbs(
                sums.narrow(0, 0, pairs),
                sums.narrow(0, pairs, pairs),
                refSums.narrow(0, 0, pairs),
                refSums.narrow(0, pairs, pairs));
        Loss loss = Rrpo.rrpo(phrases, kl.values().reshape(pairs, length).sum(1), 0.02, 0.03, pairs);
        loss.value().backward();
        lp.backward();
        kl.backward();
        c.hidden().backward(leaf.grad());

        assertEquals(
                ofLogits.value().item(),
                loss.value().item(),
                1e-12 * ofLogits.value().item());
        assertNear(plain.gradient(plain.leaf()), c.gradient(c.leaf()), 1e-12, "hidden");
        assertNear(plain.gradient(plain.head()), c.gradient(c.head()), 1e-12, "head");
    }

    /// Position t of the logits predicts target t + 1, so that a column is put before the targets.
    private static Loss rrpoOfLogits(Case c, long[] targets, Tensor numbers, long pairs, long length) {
        Tensor first = Creation.zeros(DType.INT64, Device.CPU, 2 * pairs, 1);
        Tensor ids = Tensor.cat(List.of(first, Tensor.of(targets, 2 * pairs, length)), 1);
        Tensor last = Creation.zeros(DType.FLOAT64, Device.CPU, 2 * pairs, 1, 40);
        Tensor logits = c.hidden().matmul(c.head().t()).reshape(2 * pairs, length, 40);
        Tensor ref = c.refHidden().matmul(c.refHead().t()).reshape(2 * pairs, length, 40);
        Rrpo.Tokens tokens = Rrpo.Tokens.ofLogits(
                Tensor.cat(List.of(logits, last), 1), Tensor.cat(List.of(ref, last), 1), ids, -100);
        return Rrpo.rrpo(tokens, numbers, 0.02, 0.03, pairs);
    }

    /// Logits of ±3000: the reference's probability of token 1 underflows, and so does the policy's of token 0.
    @Test
    void extremeLogitsStayFinite() {
        Tensor hidden =
                Tensor.of(new double[] {-3000}, 1, 1).to(DType.FLOAT32).detach().requiresGrad();
        Tensor head = Tensor.of(new double[] {1, -1}, 2, 1).to(DType.FLOAT32).detach();
        Tensor refHidden =
                Tensor.of(new double[] {3000}, 1, 1).to(DType.FLOAT32).detach();
        HeadDivergence kl = HeadDivergence.forwardKl(hidden, head, refHidden, head);
        assertEquals(6000, kl.values().item());
        kl.values().sum().backward();
        kl.backward();
        assertEquals(-2, hidden.grad().item()); // (p - ref) · head = (-1, 1) · (1, -1)
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64"})
    void noPositionsAreNoLossAndNoGradient(DType dtype) {
        Case c = Case.of(dtype, 0, 4, 7, true, true);
        HeadDivergence kl = c.chunked();
        assertArrayEquals(new long[] {0}, kl.values().shape());
        assertEquals(dtype, kl.values().dtype());
        kl.values().sum().backward();
        kl.backward();
        assertTrue(c.head().grad() == null || c.head().grad().eq(0).allTrue());
    }

    @Test
    void backwardBeforeTheLossIsRefused() {
        Case c = Case.of(DType.FLOAT32, 3, 2, 4, true, true);
        HeadDivergence kl = c.chunked();
        var e = assertThrows(IllegalStateException.class, kl::backward);
        assertEquals("backward of the loss comes first: the divergences have no gradient yet", e.getMessage());
        kl.values();
        assertThrows(IllegalStateException.class, kl::backward);
        assertNull(c.head().grad());
    }

    @Test
    void whatDoesNotFitIsRefused() {
        Tensor hidden = Creation.zeros(DType.FLOAT32, Device.CPU, 3, 2);
        Tensor head = Creation.zeros(DType.FLOAT32, Device.CPU, 5, 2);
        Tensor wider = Creation.zeros(DType.FLOAT32, Device.CPU, 5, 3);
        Tensor[][] wrong = {
            {hidden.view(6), head, hidden, head},
            {hidden, head.view(10), hidden, head},
            {hidden, head, hidden.view(6), head},
            {hidden, head, hidden, head.view(10)},
            {hidden, head.t(), hidden, head.t()},
            {hidden, head, hidden, head.t()},
            {hidden, wider, hidden, head},
            {hidden, head, hidden, wider},
            {hidden, head, hidden.narrow(0, 0, 2), head},
            {hidden, head, hidden, head.narrow(0, 0, 4)},
        };
        for (Tensor[] w : wrong) {
            var e = assertThrows(
                    IllegalArgumentException.class, () -> HeadDivergence.forwardKl(w[0], w[1], w[2], w[3]));
            assertTrue(e.getMessage().contains("expected, were"), e.getMessage());
        }
    }

    /// Whatever the number of chunks, only the values and both normalisers stay.
    @Test
    void whatStaysDoesNotGrowWithTheChunks() {
        for (int n : new int[] {0, 10, 5000}) {
            Case c = Case.of(DType.FLOAT32, n, 4, 30, true, true);
            long before = Scope.liveTensors();
            HeadDivergence kl = c.chunked();
            assertEquals(3, Scope.liveTensors() - before);
            try (Tensor sum = kl.values().sum()) {
                sum.backward();
            }
            kl.backward();
            assertEquals(3, Scope.liveTensors() - before);
        }
    }
}

package dev.kedge.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RngTest {
    private Scope scope;

    @BeforeEach
    void open() {
        scope = new Scope();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    /// Draws of every kind, with odd counts: normal draws come in pairs, and a spare one waits in the state.
    private static double[] draws(Rng rng) {
        Tensor weights = Tensor.of(new double[][] {{1, 2, 3}, {0, 1, 0}, {5, 1, 1}});
        Tensor all = Tensor.cat(
                java.util.List.of(
                        rng.normal(1).to(DType.FLOAT64),
                        rng.uniform(3).to(DType.FLOAT64),
                        rng.normal(3).to(DType.FLOAT64),
                        rng.permutation(7).to(DType.FLOAT64),
                        rng.categorical(weights).to(DType.FLOAT64),
                        rng.normal(17).to(DType.FLOAT64),
                        rng.uniform(1).to(DType.FLOAT64),
                        rng.normal(1).to(DType.FLOAT64)),
                0);
        return all.toDoubles();
    }

    @Test
    void theSameSeedGivesTheSameNumbers() {
        try (Rng a = Rng.seeded(42);
                Rng b = Rng.seeded(42);
                Rng c = Rng.seeded(43)) {
            double[] first = draws(a);
            assertArrayEquals(first, draws(b));
            assertFalse(Arrays.equals(first, draws(c)));
            assertFalse(Arrays.equals(first, draws(a)));
        }
    }

    /// The engine alone keeps the low 32 bits: 9 and 9 + 2^32 would draw the same.
    @Test
    void everyBitOfTheSeedCounts() {
        for (int bit = 0; bit < 64; bit++) {
            try (Rng a = Rng.seeded(9);
                    Rng b = Rng.seeded(9 ^ (1L << bit))) {
                Tensor weights = Tensor.of(new double[][] {{1, 2, 3}}).expand(40, 3);
                String message = "bit " + bit;
                assertFalse(Arrays.equals(a.normal(3).toDoubles(), b.normal(3).toDoubles()), message);
                assertFalse(Arrays.equals(a.normal(40).toDoubles(), b.normal(40).toDoubles()), message);
                assertFalse(Arrays.equals(a.uniform(3).toDoubles(), b.uniform(3).toDoubles()), message);
                assertFalse(
                        Arrays.equals(
                                a.permutation(40).toLongs(), b.permutation(40).toLongs()),
                        message);
                assertFalse(
                        Arrays.equals(
                                a.categorical(weights).toLongs(),
                                b.categorical(weights).toLongs()),
                        message);
            }
        }
    }

    /// MT19937 again (Matsumoto and Nishimura 1998), on the words that a seed fills: what is drawn follows from these
    /// alone, so that none of them stands where the engine does not look.
    @Test
    void theWordsOfTheStateDetermineWhatIsDrawn() {
        long seed = 5;
        int[] word = new int[624];
        for (int i = 0; i < 624; i++) {
            word[i] = (int) Streams.absorbed(Streams.of(seed, "Mersenne Twister"), i);
        }
        double[] expected = new double[1500]; // two full turns of the words, and more
        for (int turn = 0, n = 0; n < expected.length; turn++) {
            for (int i = 0; i < 624; i++) {
                int y = (word[i] & 0x80000000) | (word[(i + 1) % 624] & 0x7fffffff);
                word[i] = word[(i + 397) % 624] ^ (y >>> 1) ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
            }
            for (int i = 0; i < 624 && n < expected.length; i++) {
                int y = word[i];
                y ^= y >>> 11;
                y ^= (y << 7) & 0x9d2c5680;
                y ^= (y << 15) & 0xefc60000;
                y ^= y >>> 18;
                expected[n++] = (y & ((1 << 24) - 1)) / (double) (1 << 24); // as the engine makes a float32 of it
            }
        }
        try (Rng rng = Rng.seeded(seed)) {
            assertArrayEquals(expected, rng.uniform(expected.length).toDoubles());
        }
    }

    @Test
    void neighbouringSeedsDrawIndependently() {
        int n = 2_000;
        int seeds = 30;
        double[][] normal = new double[seeds][];
        for (int s = 0; s < seeds; s++) {
            try (Rng rng = Rng.seeded(s)) {
                normal[s] = rng.normal(n).toDoubles();
            }
        }
        for (int a = 0; a < seeds; a++) {
            double mean = Arrays.stream(normal[a]).average().orElseThrow();
            assertEquals(0, mean, 5 / Math.sqrt(n), "mean of seed " + a);
            for (int b = 0; b < a; b++) {
                double[] of = normal[b];
                double[] and = normal[a];
                double correlation =
                        IntStream.range(0, n).mapToDouble(i -> of[i] * and[i]).sum() / n;
                assertEquals(0, correlation, 5 / Math.sqrt(n), "seeds " + a + " and " + b); // standard error 1/√n
                assertTrue(Arrays.stream(of).noneMatch(v -> v == and[0]), "seeds " + a + " and " + b + " share draws");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 15, 16, 17})
    void aRestoredSourceGoesOnExactly(int normals) {
        try (Rng rng = Rng.seeded(7);
                Rng other = Rng.seeded(-1)) {
            rng.normal(normals);
            byte[] state = rng.state();
            double[] goesOn = draws(rng);
            rng.restore(state);
            assertArrayEquals(state, rng.state());
            assertArrayEquals(goesOn, draws(rng));
            other.normal(1);
            other.restore(state);
            assertArrayEquals(goesOn, draws(other));
        }
    }

    @Test
    void garbageIsRefusedAndChangesNothing() {
        try (Rng rng = Rng.seeded(7)) {
            byte[] state = rng.state();
            byte[] noise = new byte[state.length];
            Arrays.fill(noise, (byte) 0x5a);
            for (byte[] garbage : new byte[][] {{}, {1, 2, 3}, Arrays.copyOf(state, state.length - 1), noise}) {
                String message = assertThrows(IllegalArgumentException.class, () -> rng.restore(garbage))
                        .getMessage();
                assertEquals("not a generator state of this engine: " + garbage.length + " bytes", message);
                assertArrayEquals(state, rng.state());
            }
        }
    }

    @Test
    void aClosedSourceIsRefused() {
        Rng rng = Rng.seeded(1);
        byte[] state = rng.state();
        Tensor weights = Tensor.of(new double[][] {{1, 2}});
        rng.close();
        rng.close();
        for (Runnable call : new Runnable[] {
            () -> rng.normal(1),
            () -> rng.uniform(1),
            () -> rng.permutation(1),
            () -> rng.categorical(weights),
            rng::state,
            () -> rng.restore(state)
        }) {
            assertTrue(assertThrows(IllegalStateException.class, call::run)
                    .getMessage()
                    .contains("closed"));
        }
    }

    @Test
    void momentsOfTheDrawsAreThoseOfTheirLaws() {
        int n = 100_000;
        try (Rng rng = Rng.seeded(3)) {
            double[] normal = rng.normal(n).toDoubles();
            double mean = Arrays.stream(normal).average().orElseThrow();
            double variance = Arrays.stream(normal).map(v -> v * v).average().orElseThrow();
            assertEquals(0, mean, 4 / Math.sqrt(n)); // standard error 1/√n
            assertEquals(1, variance, 4 * Math.sqrt(2.0 / n)); // of x²: √(2/n)
            double[] uniform = rng.uniform(n).toDoubles();
            assertTrue(Arrays.stream(uniform).allMatch(v -> v >= 0 && v < 1));
            assertEquals(0.5, Arrays.stream(uniform).average().orElseThrow(), 4 * Math.sqrt(1.0 / 12 / n));
            long[] order = rng.permutation(1000).toLongs();
            assertFalse(Arrays.equals(LongStream.range(0, 1000).toArray(), order));
            Arrays.sort(order);
            assertArrayEquals(LongStream.range(0, 1000).toArray(), order);
        }
    }

    @Test
    void categoricalDrawsFollowTheProbabilities() {
        double[] weights = {1, 0, 2, 3, 4}; // unnormalised
        int n = 50_000;
        try (Rng rng = Rng.seeded(11)) {
            Tensor rows = Tensor.of(weights, 1, 5).expand(n, 5);
            Tensor drawn = rng.categorical(rows);
            assertArrayEquals(new long[] {n}, drawn.shape());
            assertEquals(DType.INT64, drawn.dtype());
            long[] counts = new long[5];
            for (long v : drawn.toLongs()) {
                counts[(int) v]++;
            }
            assertEquals(0, counts[1]);
            double chiSquared = 0;
            for (int i = 0; i < 5; i++) {
                double expected = n * weights[i] / 10;
                chiSquared += expected == 0 ? 0 : (counts[i] - expected) * (counts[i] - expected) / expected;
            }
            assertTrue(chiSquared < 16.27, "chi-squared " + chiSquared); // 3 degrees of freedom, 0.1 %
        }
    }

    @Test
    void categoricalRefusesWhatIsNoDistribution() {
        try (Rng rng = Rng.seeded(1)) {
            for (double[] row :
                    new double[][] {{0, 0}, {1, -1e-9}, {1, Double.NaN}, {1, Double.POSITIVE_INFINITY}, {-1, -1}}) {
                Tensor good = Tensor.of(1, 1);
                Tensor rows = Tensor.stack(java.util.List.of(good, Tensor.of(row)), 0);
                String message = assertThrows(IllegalArgumentException.class, () -> rng.categorical(rows))
                        .getMessage();
                assertTrue(message.startsWith("categorical of float64[2, 2]"), message);
            }
            Tensor integers = Tensor.of(new long[] {1, 2}, 1, 2);
            assertThrows(IllegalArgumentException.class, () -> rng.categorical(integers));
            assertThrows(IllegalArgumentException.class, () -> rng.permutation(-1));
            assertThrows(IllegalArgumentException.class, () -> rng.normal(-1));
        }
    }

    @Test
    void emptyDrawsAreEmpty() {
        try (Rng rng = Rng.seeded(1)) {
            assertArrayEquals(new long[] {0, 3}, rng.normal(0, 3).shape());
            assertEquals(0, rng.permutation(0).numel());
        }
    }
}

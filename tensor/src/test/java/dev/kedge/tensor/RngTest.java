package dev.kedge.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
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

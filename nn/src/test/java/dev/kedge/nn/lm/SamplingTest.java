package dev.kedge.nn.lm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.InScope;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class SamplingTest {
    private static final double NONE = Double.NEGATIVE_INFINITY;

    private static double[] logProbs(Sampling sampling, double... logits) {
        return sampling.logProbs(Tensor.of(logits, 1, logits.length)).toDoubles();
    }

    private static double[] probabilities(Sampling sampling, double... given) {
        double[] lp = logProbs(sampling, Arrays.stream(given).map(Math::log).toArray());
        return Arrays.stream(lp).map(Math::exp).toArray();
    }

    /// Probability after probability, by loops.
    private static double[] oracle(Sampling s, double[] logits) {
        double[] p =
                Arrays.stream(logits).map(v -> Math.exp(v / s.temperature())).toArray();
        normalise(p);
        Integer[] order = IntStream.range(0, p.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparing(i -> -p[i]));
        if (s.topK() > 0 && s.topK() < p.length) {
            for (int rank = s.topK(); rank < p.length; rank++) {
                p[order[rank]] = 0;
            }
            normalise(p);
        }
        double sum = 0;
        for (int i : order) {
            if (sum >= s.topP()) {
                p[i] = 0;
            }
            sum += p[i];
        }
        normalise(p);
        double largest = p[order[0]];
        for (int i = 0; i < p.length; i++) {
            p[i] = p[i] < s.minP() * largest ? 0 : p[i];
        }
        normalise(p);
        return p;
    }

    private static void normalise(double[] p) {
        double sum = Arrays.stream(p).sum();
        Arrays.setAll(p, i -> p[i] / sum);
    }

    @Test
    void everyCombinationOfRulesIsThatOfTheLoops() {
        Random random = new Random(1);
        for (double temperature : new double[] {0.3, 1, 2.5}) {
            for (int topK : new int[] {0, 1, 4, 9, 50}) {
                for (double topP : new double[] {1, 0.95, 0.6, 0.05}) {
                    for (double minP : new double[] {0, 0.02, 0.3, 0.999}) {
                        Sampling sampling = new Sampling(temperature, topK, topP, minP);
                        double[] logits = random.doubles(27, -3, 3).toArray();
                        Tensor batch = Tensor.of(new double[][] {new double[27], logits});
                        double[] actual =
                                sampling.logProbs(batch).select(0, 1).exp().toDoubles();
                        assertArrayEquals(oracle(sampling, logits), actual, 1e-12, sampling.toString());
                    }
                }
            }
        }
    }

    /// No smaller set of tokens reaches the mass, and this one does: over all 2^8 sets.
    @Test
    void topPKeepsASmallestSufficientSet() {
        Random random = new Random(2);
        for (int trial = 0; trial < 50; trial++) {
            double[] p = random.doubles(8).map(v -> v * v + 1e-3).toArray();
            normalise(p);
            double topP = 0.05 + 0.9 * random.nextDouble();
            int smallest = 8;
            for (int set = 1; set < 256; set++) {
                double mass = 0;
                for (int i = 0; i < 8; i++) {
                    mass += (set >> i & 1) * p[i];
                }
                smallest = mass >= topP ? Math.min(smallest, Integer.bitCount(set)) : smallest;
            }
            double[] kept = probabilities(new Sampling(1, 0, topP, 0), p);
            double mass = IntStream.range(0, 8)
                    .filter(i -> kept[i] > 0)
                    .mapToDouble(i -> p[i])
                    .sum();
            assertEquals(smallest, Arrays.stream(kept).filter(v -> v > 0).count(), "trial " + trial);
            assertTrue(mass >= topP);
            for (int i = 0; i < 8; i++) {
                assertEquals(kept[i] > 0 ? p[i] / mass : 0, kept[i], 1e-12);
            }
        }
    }

    @Test
    void topPKeepsTheLikeliestHoweverSmallItIs() {
        assertArrayEquals(new double[] {0, 1, 0}, probabilities(new Sampling(1, 0, 1e-9, 0), 0.2, 0.5, 0.3), 1e-12);
    }

    /// Quarters are exact: two of them reach a half.
    @Test
    void topPStopsAtExactlyTheMass() {
        double[] kept = logProbs(new Sampling(1, 0, 0.5, 0), 0, 0, 0, 0);
        assertEquals(2, Arrays.stream(kept).filter(v -> v > NONE).count());
    }

    @Test
    void tokensThatTieWithTheKthAreAllKept() {
        double[] lp = logProbs(new Sampling(1, 2, 1, 0), 1, 3, 2, 0, 2);
        double total = Math.log(Math.exp(3) + 2 * Math.exp(2));
        assertArrayEquals(new double[] {NONE, 3 - total, 2 - total, NONE, 2 - total}, lp, 1e-12);
        assertArrayEquals(
                new double[] {0.25, 0.25, 0.25, 0.25}, probabilities(new Sampling(1, 1, 1, 0), 1, 1, 1, 1), 1e-12);
    }

    @Test
    void minPIsAShareOfTheLikeliest() {
        double[] p = probabilities(new Sampling(1, 0, 1, 0.26), 0.4, 0.3, 0.11, 0.1, 0.09);
        assertArrayEquals(new double[] {0.4 / 0.81, 0.3 / 0.81, 0.11 / 0.81, 0, 0}, p, 1e-12);
    }

    /// Of the two likeliest, .4 and .3, the first has 4/7 of the mass: enough for .55; of all it has not.
    @Test
    void topPLooksAtWhatTopKLeft() {
        assertArrayEquals(
                new double[] {1, 0, 0, 0}, probabilities(new Sampling(1, 2, 0.55, 0), 0.4, 0.3, 0.2, 0.1), 1e-12);
        assertArrayEquals(
                new double[] {4 / 7.0, 3 / 7.0, 0, 0},
                probabilities(new Sampling(1, 0, 0.55, 0), 0.4, 0.3, 0.2, 0.1),
                1e-12);
    }

    /// At temperature 1/2 probabilities .5, .3, .2 become 25, 9 and 4 of 38: the first alone has .65.
    @Test
    void truncationFollowsTemperature() {
        assertArrayEquals(new double[] {1, 0, 0}, probabilities(new Sampling(0.5, 0, 0.6, 0), 0.5, 0.3, 0.2), 1e-12);
        assertArrayEquals(
                new double[] {0.625, 0.375, 0}, probabilities(new Sampling(1, 0, 0.6, 0), 0.5, 0.3, 0.2), 1e-12);
    }

    @Test
    void greedyReportsTheModelsOwn() {
        double total = Math.log(Math.exp(1) + Math.exp(2) + Math.exp(-1));
        double[] expected = {1 - total, 2 - total, -1 - total};
        assertArrayEquals(expected, logProbs(Sampling.GREEDY, 1, 2, -1), 1e-12);
        assertArrayEquals(expected, logProbs(Sampling.at(1), 1, 2, -1), 1e-12);
        assertTrue(Sampling.GREEDY.isGreedy() && !Sampling.at(1e-9).isGreedy());
    }

    @Test
    void extremeLogitsStayFinite() {
        assertArrayEquals(new double[] {0, -2e5, -4e5}, logProbs(Sampling.at(0.01), 1000, -1000, -3000), 1e-9);
    }

    @Test
    void valuesOutOfRangeAreRefused() {
        for (double wrong : new double[] {-0.1, Double.NaN, Double.POSITIVE_INFINITY}) {
            var e = assertThrows(IllegalArgumentException.class, () -> new Sampling(wrong, 0, 1, 0));
            assertEquals("temperature must be finite and >= 0, was " + wrong, e.getMessage());
        }
        for (double wrong : new double[] {-0.1, 0, 1.1, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> new Sampling(1, 0, wrong, 0));
        }
        for (double wrong : new double[] {-0.1, 1, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> new Sampling(1, 0, 1, wrong));
        }
        assertThrows(IllegalArgumentException.class, () -> new Sampling(1, -1, 1, 0));
    }

    /// The quantiles of (1/8, 0, 1/2, 3/8, 0) at and around its steps.
    @Test
    void theInverseTransformStepsWhereTheCumulatedMassDoes() {
        double[] p = {0.125, 0, 0.5, 0.375, 0};
        double[] u = {Math.ulp(0.0), 0x1p-53, 0.125, 0.1251, 0.6249, 0.6251, 0.9999, 1};
        long[] expected = {0, 0, 0, 2, 2, 3, 3, 3};
        Tensor row = Tensor.of(Arrays.stream(p).map(Math::log).toArray(), 1, 5);
        Tensor rows = row.expand(u.length, 5);
        assertArrayEquals(expected, Sampling.inverseTransform(rows, u).toLongs());
    }

    /// In float32 cumulated mass misses 1 by roundings, above and below: the ends must still fall on tokens that can be
    /// drawn.
    @Test
    void theEndsOfTheUnitIntervalNeverPickAnExcludedToken() {
        Random random = new Random(3);
        for (int trial = 0; trial < 300; trial++) {
            int vocabulary = 1000;
            double[] logits = random.doubles(vocabulary, -8, 8).toArray();
            Tensor lp = new Sampling(0.7, 40, 0.97, 0)
                    .logProbs(Tensor.of(logits, 1, vocabulary).to(DType.FLOAT32));
            double[] values = lp.toDoubles();
            double[] u = {0x1p-53, 1 - 0x1p-53, 1, random.nextDouble()};
            for (long chosen : Sampling.inverseTransform(lp.expand(u.length, vocabulary), u)
                    .toLongs()) {
                assertTrue(chosen < vocabulary && values[(int) chosen] > NONE, "trial " + trial + ": " + chosen);
            }
        }
    }
}

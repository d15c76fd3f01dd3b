package dev.kedge.env;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class CategoricalTest {
    private static final double ZERO = Double.NEGATIVE_INFINITY;

    @Test
    void logSoftmaxIsNormalisedAndIgnoresConstants() {
        double[] logProbs = Categorical.logSoftmax(new double[] {1, -2, 0.5});
        double sum = Math.exp(1) + Math.exp(-2) + Math.exp(0.5);
        assertArrayEquals(new double[] {1 - Math.log(sum), -2 - Math.log(sum), 0.5 - Math.log(sum)}, logProbs, 1e-15);
        assertArrayEquals(logProbs, Categorical.logSoftmax(new double[] {1e4 + 1, 1e4 - 2, 1e4 + 0.5}), 1e-11);
        assertArrayEquals(new double[] {0, -2000}, Categorical.logSoftmax(new double[] {1000, -1000}));
    }

    @Test
    void klIsTheSumOverOutcomes() {
        var random = new Random(3);
        for (int trial = 0; trial < 100; trial++) {
            double[] p = Categorical.logSoftmax(random.doubles(7, -4, 4).toArray());
            double[] q = Categorical.logSoftmax(random.doubles(7, -4, 4).toArray());
            double sum = 0;
            for (int y = 0; y < p.length; y++) {
                sum += Math.exp(p[y]) * (p[y] - q[y]);
            }
            assertEquals(sum, Categorical.kl(p, q), 1e-13);
        }
    }

    @Test
    void klOfCloseDistributionsKeepsItsDigits() {
        double e = 1e-7; // p = (1/2 + e, 1/2 - e) against halves: 2e² + 4e⁴/3 + ...
        double[] p = {Math.log1p(2 * e) - Math.log(2), Math.log1p(-2 * e) - Math.log(2)};
        double[] halves = {-Math.log(2), -Math.log(2)};
        assertEquals(2 * e * e, Categorical.kl(p, halves), 1e-6 * e * e);
        assertEquals(0, Categorical.kl(p, p));
    }

    @Test
    void klWithOutcomesThatNeverHappen() {
        double[] one = {0, ZERO};
        double[] halves = {-Math.log(2), -Math.log(2)};
        assertEquals(Math.log(2), Categorical.kl(one, halves), 1e-15);
        assertEquals(0, Categorical.kl(one, one));
        assertEquals(Double.POSITIVE_INFINITY, Categorical.kl(halves, one));
    }

    @Test
    void klOfFarDistributionsIsFinite() {
        double[] p = Categorical.logSoftmax(new double[] {0, -1000});
        double[] q = Categorical.logSoftmax(new double[] {-1000, 0});
        assertEquals(1000, Categorical.kl(p, q), 1e-12);
        assertTrue(Double.isFinite(Categorical.kl(q, p)));
    }

    @Test
    void totalVariationIsHalfTheDistance() {
        assertEquals(0.3, Categorical.totalVariation(new double[] {0.5, 0.5}, new double[] {0.2, 0.8}), 1e-15);
        assertEquals(1, Categorical.totalVariation(new double[] {1, 0}, new double[] {0, 1}));
    }

    @Test
    void differentLengthsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> Categorical.kl(new double[1], new double[2]));
        assertThrows(IllegalArgumentException.class, () -> Categorical.totalVariation(new double[1], new double[2]));
    }
}

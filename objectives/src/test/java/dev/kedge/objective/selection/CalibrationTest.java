package dev.kedge.objective.selection;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class CalibrationTest {
    private static final double[] BASE = {0.2, 0.5, 0.3};

    private static double[] exact(double... reward) {
        return Calibration.exact(Tensor.of(BASE), Tensor.of(reward)).toDoubles();
    }

    @Test
    void workedByHand() {
        assertArrayEquals(new double[] {0.1, 0.45, 0.85}, exact(1, 2, 3), 1e-15);
        assertArrayEquals(new double[] {0.35, 0.35, 0.85}, exact(1, 1, 3), 1e-15);
    }

    /// Probabilities may be of another type, and are constants.
    @Test
    void theTypeIsThatOfTheRewards() {
        Tensor single = Tensor.of(BASE).to(DType.FLOAT32);
        Tensor calibrated = Calibration.exact(single, Tensor.of(1, 2, 3));
        assertEquals(DType.FLOAT64, calibrated.dtype());
        assertArrayEquals(new double[] {0.1, 0.45, 0.85}, calibrated.toDoubles(), 1e-7);
        Tensor attached = Calibration.exact(
                Tensor.of(BASE).requiresGrad(), Tensor.of(1, 2, 3).requiresGrad());
        assertFalse(attached.hasGradientGraph());
    }

    @Test
    void increasingMapsOfTheRewardChangeNothing() {
        assertArrayEquals(exact(-2, 0.5, 0.1), exact(Math.exp(-2), Math.exp(0.5), Math.exp(0.1)));
        assertArrayEquals(exact(-2, 0.5, 0.1), exact(-8e6, 0.125, 1e-3));
    }

    @Test
    void averagesOneHalfOverTheBaseWithOrWithoutTies() {
        var random = new Random(4);
        for (int i = 0; i < 10; i++) {
            Tensor base = Tensor.of(random.doubles(7, -2, 2).toArray()).softmax(0);
            Tensor reward = Tensor.of(random.ints(7, 0, 4).asDoubleStream().toArray());
            assertEquals(0.5, base.times(Calibration.exact(base, reward)).sum().item(), 1e-15, "draw " + i);
        }
    }

    @Test
    void drawsCountAsADistributionThatGivesEachTheSame() {
        double[] base = {1, 4, 4, 0, 2};
        double[] c = Calibration.empirical(Tensor.of(base), Tensor.of(-1, 4, 3, 9, 0))
                .toDoubles();
        assertArrayEquals(new double[] {0, 0.8, 0.6, 1, 0.1}, c, 1e-15);
        assertArrayEquals(
                Calibration.exact(Tensor.of(0.2, 0.2, 0.2, 0.2, 0.2), Tensor.of(base))
                        .toDoubles(),
                Calibration.empirical(Tensor.of(base), Tensor.of(base)).toDoubles(),
                1e-15);
    }

    @Test
    void promptsDoNotMix() {
        Tensor base = Tensor.of(new double[][] {{1, 2}, {10, 20}});
        Tensor rewards = Tensor.of(new double[][] {{2, 5, 0}, {2, 15, 20}});
        assertArrayEquals(
                new double[] {0.75, 1, 0, 0, 0.5, 0.75},
                Calibration.empirical(base, rewards).toDoubles());
        Tensor weights = Tensor.of(new double[][] {{0.2, 0.5, 0.3}, {0.2, 0.5, 0.3}});
        Tensor exact = Calibration.exact(weights, Tensor.of(new double[][] {{1, 2, 3}, {1, 1, 3}}));
        assertArrayEquals(new double[] {0.1, 0.45, 0.85, 0.35, 0.35, 0.85}, exact.toDoubles(), 1e-15);
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor two = Tensor.of(1, 2);
        Tensor rows = Tensor.of(new double[][] {{1, 2}});
        refused("reward", () -> Calibration.exact(Tensor.of(BASE), two));
        refused("baseRewards", () -> Calibration.empirical(rows, two));
        refused("baseRewards must be [..., n], was missing", () -> Calibration.empirical(null, two));
        refused("rewards must be [..., n], was a scalar", () -> Calibration.empirical(two, Tensor.scalarOf(1)));
        refused("baseRewards must be [..., K] with K >= 1", () -> Calibration.empirical(rows.narrow(1, 0, 0), rows));
        refused("baseRewards", () -> Calibration.empirical(Tensor.scalarOf(1), two));
        refused("baseRewards", () -> Calibration.empirical(Tensor.of(new double[0], 0), two));
    }
}

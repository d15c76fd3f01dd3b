package dev.kedge.objective.preference;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(InScope.class)
class AdpoTemperatureTest {
    @Test
    void versionAFallsWithTheEntropyOfTheTarget() {
        double[][] q = {{0.25, 0.25, 0.25, 0.25}, {1, 0, 0, 0}, {0.7, 0.1, 0.1, 0.1}};
        Tensor tau = AdpoTemperature.fromTargetEntropy(Tensor.of(q).requiresGrad(), 0.8, 0.5, 0.05);
        double entropy = -0.7 * Math.log(0.7) - 0.3 * Math.log(0.1);
        double[] expected = {0.8 * 0.5, 0.8, 0.8 * (1 - 0.5 * entropy / Math.log(4))};
        assertArrayEquals(expected, tau.toDoubles(), 5e-8); // the 1e-8 in the logarithm
        assertEquals(
                0.8 * (1 - 0.5 * (-0.7 * Math.log(0.7 + 1e-8) - 0.3 * Math.log(0.1 + 1e-8)) / Math.log(4)),
                tau.toDoubles()[2],
                1e-15);
        assertFalse(tau.hasGradientGraph());
    }

    @Test
    void versionAKeepsAboveItsLeast() {
        Tensor uniform = Tensor.of(new double[][] {{0.5, 0.5}, {0.99, 0.01}});
        Tensor tau = AdpoTemperature.fromTargetEntropy(uniform, 0.8, 1, 0.1);
        assertEquals(0.1, tau.toDoubles()[0]);
        assertTrue(tau.toDoubles()[1] > 0.7);
    }

    @Test
    void versionBRisesWithUncertaintyAndWithMissingReward() {
        double tau0 = 0.8;
        double alpha = 0.5;
        double b = 1.5;
        double[] h = {0, 1, 0, 0.4, 1};
        double[] r = {1, 1, 0, 0.25, 0};
        Tensor tau = AdpoTemperature.fromPolicyEntropy(
                Tensor.of(h).requiresGrad(), Tensor.of(r).requiresGrad(), tau0, alpha, b, 0.1, 5);
        double[] expected = {0.8, 1.2, 2, 0.8 * (1 + 0.5 * 0.4 + 1.5 * 0.6 * 0.75), 1.2};
        assertArrayEquals(expected, tau.toDoubles(), 1e-15);
        assertFalse(tau.hasGradientGraph());
    }

    @Test
    void versionBIsHeldBetweenItsBounds() {
        Tensor h = Tensor.of(0, 0.5, 1);
        Tensor r = Tensor.of(1, 1, 1);
        assertArrayEquals(
                new double[] {1.1, 1.5, 1.6},
                AdpoTemperature.fromPolicyEntropy(h, r, 1, 1, 0, 1.1, 1.6).toDoubles());
    }

    @Test
    void rewardsOfTheStepAreScaledToTheUnitInterval() {
        Tensor means = Tensor.of(-1, 3, 1);
        assertArrayEquals(
                new double[] {0, 1, 0.5},
                AdpoTemperature.onUnitScale(means, -1, 3).toDoubles());
        assertArrayEquals(
                new double[] {0.25, 0.75, 0.5},
                AdpoTemperature.onUnitScale(means, -3, 5).toDoubles());
        assertArrayEquals(
                new double[] {0.5, 0.5},
                AdpoTemperature.onUnitScale(Tensor.of(2, 2), 2, 2).toDoubles());
        assertFalse(AdpoTemperature.onUnitScale(means.requiresGrad(), -1, 3).hasGradientGraph());
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
    void temperaturesOutOfRangeAreRefused(double wrong) {
        Tensor q = Tensor.of(new double[][] {{0.5, 0.5}});
        Tensor h = Tensor.of(0.5);
        refused("tau", () -> AdpoTemperature.fromTargetEntropy(q, wrong, 0.5, 0.1));
        refused("lowest", () -> AdpoTemperature.fromTargetEntropy(q, 1, 0.5, wrong));
        refused("tau", () -> AdpoTemperature.fromPolicyEntropy(h, h, wrong, 0.5, 0.5, 0.1, 2));
        refused("lowest", () -> AdpoTemperature.fromPolicyEntropy(h, h, 1, 0.5, 0.5, wrong, 2));
        refused("highest", () -> AdpoTemperature.fromPolicyEntropy(h, h, 1, 0.5, 0.5, 0.1, wrong));
    }

    @Test
    void whatDoesNotFitIsRefused() {
        Tensor q = Tensor.of(new double[][] {{0.5, 0.5}});
        Tensor h = Tensor.of(0.5);
        for (double wrong : new double[] {-0.1, Double.NaN, Double.POSITIVE_INFINITY}) {
            refused("alpha", () -> AdpoTemperature.fromTargetEntropy(q, 1, wrong, 0.1));
            refused("alpha", () -> AdpoTemperature.fromPolicyEntropy(h, h, 1, wrong, 0, 0.1, 2));
            refused("b", () -> AdpoTemperature.fromPolicyEntropy(h, h, 1, 0, wrong, 0.1, 2));
        }
        refused("targets", () -> AdpoTemperature.fromTargetEntropy(h, 1, 1, 0.1));
        refused("targets", () -> AdpoTemperature.fromTargetEntropy(Tensor.of(new double[][] {{1}}), 1, 1, 0.1));
        refused("reward", () -> AdpoTemperature.fromPolicyEntropy(h, Tensor.of(1, 2), 1, 0, 0, 0.1, 2));
        var e = assertThrows(IllegalArgumentException.class, () -> AdpoTemperature.onUnitScale(h, 2, 1));
        assertEquals("least and most must be finite and in order, were 2.0 and 1.0", e.getMessage());
        refused("least and most", () -> AdpoTemperature.onUnitScale(h, Double.NaN, 1));
        refused("least and most", () -> AdpoTemperature.onUnitScale(h, 0, Double.POSITIVE_INFINITY));
        refused("least and most", () -> AdpoTemperature.onUnitScale(h, Double.NEGATIVE_INFINITY, 1));
        refused("means", () -> AdpoTemperature.onUnitScale(q, 0, 1));
        refused("entropy", () -> AdpoTemperature.fromPolicyEntropy(q, q, 1, 0, 0, 0.1, 2));
    }
}

package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class GroupRelativeTest {
    private static final double[][] REWARDS = {{0.5, -0.2, -7, 1e3}, {1, 0, 0, 0}, {2, 2.5, -1, 0.3}};

    @Test
    void equalTheEquations() {
        double[] centred = GroupRelative.centred(Tensor.of(REWARDS)).toDoubles();
        double[] normalized = GroupRelative.normalized(Tensor.of(REWARDS), 1e-4).toDoubles();
        double[] population =
                GroupRelative.populationNormalized(Tensor.of(REWARDS), 1e-4).toDoubles();
        for (int p = 0; p < REWARDS.length; p++) {
            double mean = Arrays.stream(REWARDS[p]).average().orElseThrow();
            double squares =
                    Arrays.stream(REWARDS[p]).map(r -> (r - mean) * (r - mean)).sum();
            for (int i = 0; i < 4; i++) {
                double a = REWARDS[p][i] - mean;
                assertEquals(a, centred[4 * p + i], 1e-12);
                assertEquals(a / (Math.sqrt(squares / 3) + 1e-4), normalized[4 * p + i], 1e-12);
                assertEquals(a / (Math.sqrt(squares / 4) + 1e-4), population[4 * p + i], 1e-12);
            }
        }
    }

    @Test
    void publishedExample() {
        Tensor rewards = Tensor.of(new double[] {1, 0, 0, 0}, 1, 4);
        double third = 1.0 / 3;
        assertArrayEquals(
                new double[] {1.49999700, -0.49999900, -0.49999900, -0.49999900},
                Grpo.advantages(rewards).toDoubles(),
                5e-9);
        for (Tensor of : new Tensor[] {Grpo.advantages(rewards), Dapo.advantages(rewards), Gspo.advantages(rewards)}) {
            assertArrayEquals(Grpo.advantages(rewards).toDoubles(), of.toDoubles());
            assertArrayEquals(new long[] {4}, of.shape());
        }
        assertArrayEquals(new long[] {4}, Rloo.advantages(rewards).shape());
        assertArrayEquals(
                new double[] {0.75, -0.25, -0.25, -0.25},
                DrGrpo.advantages(rewards).toDoubles(),
                1e-15);
        assertArrayEquals(
                new double[] {1, -third, -third, -third},
                Rloo.advantages(rewards).toDoubles(),
                1e-15);
    }

    @Test
    void leaveOneOutIsTheCentredOneTimesGByGLessOne() {
        double[] centred = DrGrpo.advantages(Tensor.of(REWARDS)).times(4.0 / 3).toDoubles();
        assertArrayEquals(centred, Rloo.advantages(Tensor.of(REWARDS)).toDoubles(), 1e-12);
    }

    @Test
    void equalRewardsGiveExactlyZero() { // (0.1 + 0.1 + 0.1)/3 is not 0.1, and 1e-17/1e-9 is something
        Tensor equal = Tensor.of(new double[] {0.1, 0.1, 0.1, -7.3, -7.3, -7.3}, 2, 3);
        assertArrayEquals(new double[6], GroupRelative.centred(equal).toDoubles());
        assertArrayEquals(new double[6], GroupRelative.normalized(equal, 1e-9).toDoubles());
        assertArrayEquals(
                new double[6], GroupRelative.populationNormalized(equal, 1e-9).toDoubles());
        assertFalse(GroupRelative.differ(equal).anyTrue());
    }

    @Test
    void groupsThatDifferAreNamed() {
        Tensor rewards = Tensor.of(new double[] {0, 0, 0, 1, 2, 2, 3, 2.5}, 4, 2);
        assertArrayEquals(
                new boolean[] {false, true, false, true},
                Dapo.informative(rewards).toBooleans());
    }

    @Test
    void blindToLocationAndNearlyToScale() {
        double[] at = GroupRelative.normalized(Tensor.of(REWARDS), 1e-12).toDoubles();
        Tensor moved = Tensor.of(REWARDS).times(3).plus(11);
        assertArrayEquals(at, GroupRelative.normalized(moved, 1e-12).toDoubles(), 1e-10);
    }

    @Test
    void whiteningTakesAllForOneGroup() {
        double[] white = GroupRelative.whitened(Tensor.of(REWARDS), 1e-12).toDoubles();
        assertEquals(0, Arrays.stream(white).sum(), 1e-12);
        assertEquals(11, Arrays.stream(white).map(a -> a * a).sum(), 1e-9);
        assertArrayEquals(
                new long[] {3, 4},
                GroupRelative.whitened(Tensor.of(REWARDS), 1e-8).shape());
    }

    @Test
    void advantagesCarryNoGradient() {
        Tensor rewards = Tensor.of(REWARDS).requiresGrad();
        assertFalse(Grpo.advantages(rewards).hasGradientGraph());
        assertFalse(DrGrpo.advantages(rewards).hasGradientGraph());
        assertFalse(Rloo.advantages(rewards).hasGradientGraph());
    }

    @Test
    void badInputIsRefused() {
        Tensor alone = Tensor.of(new double[] {1, 2}, 2, 1);
        var e = assertThrows(IllegalArgumentException.class, () -> Grpo.advantages(alone));
        assertEquals("a group needs 2 or more completions to compare, was 1", e.getMessage());
        refused("a group needs", () -> DrGrpo.advantages(alone));
        refused("leave-one-out needs", () -> Rloo.advantages(alone));
        refused("rewards", () -> GroupRelative.centred(Tensor.of(1, 2)));
        refused("rewards", () -> GroupRelative.differ(Tensor.of(1, 2)));
        for (double epsilon : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            refused("epsilon", () -> GroupRelative.normalized(Tensor.of(REWARDS), epsilon));
        }
    }
}

package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class LeaveOneOutTest {
    private static final double[][] VALUES = {{0.5, -0.2, -7, 1e3}, {1, 0, 0, 0}, {2, 2.5, -1, 0.3}};

    @Test
    void equalsTheEquation() {
        double[] got = LeaveOneOut.advantages(Tensor.of(VALUES)).toDoubles();
        for (int p = 0; p < VALUES.length; p++) {
            for (int j = 0; j < 4; j++) {
                double others = Arrays.stream(VALUES[p]).sum() - VALUES[p][j];
                assertEquals(VALUES[p][j] - others / 3, got[4 * p + j], 1e-12);
            }
        }
    }

    @Test
    void workedExamples() {
        assertArrayEquals(
                new double[] {1, -1.0 / 3, -1.0 / 3, -1.0 / 3},
                LeaveOneOut.advantages(Tensor.of(new double[] {1, 0, 0, 0}, 1, 4))
                        .toDoubles(),
                1e-15);
        assertArrayEquals(
                new double[] {0.8, -0.8},
                LeaveOneOut.advantages(Tensor.of(new double[] {0.5, -0.3}, 1, 2))
                        .toDoubles(),
                1e-15);
    }

    @Test
    void advantagesOfAPromptAddUpToZero() {
        double[] sums = LeaveOneOut.advantages(Tensor.of(VALUES)).sum(1).toDoubles();
        assertArrayEquals(new double[3], sums, 1e-12);
    }

    @Test
    void equalValuesGiveExactlyZero() { // (0.1 + 0.1 + 0.1) / 3 is not 0.1
        double[] equal = {0.1, 0.1, 0.1, -7.3, -7.3, -7.3};
        double[] got = LeaveOneOut.advantages(Tensor.of(equal, 2, 3)).toDoubles();
        assertArrayEquals(new double[6], got);
    }

    @Test
    void promptsDoNotMix() {
        double[] together = LeaveOneOut.advantages(Tensor.of(VALUES)).toDoubles();
        double[] alone = LeaveOneOut.advantages(Tensor.of(VALUES[2], 1, 4)).toDoubles();
        assertArrayEquals(Arrays.copyOfRange(together, 8, 12), alone);
    }

    @Test
    void gradientEqualsCentralDifferences() {
        Tensor weights = Tensor.of(new double[] {0.3, -1, 2, 0.7, 0.1, 5}, 2, 3);
        CentralDifferences.assertGradient(
                new double[] {0.5, -0.2, 1, 2, 2.5, -1},
                v -> LeaveOneOut.advantages(v).times(weights).sum(),
                1e-9,
                2,
                3);
    }

    @Test
    void anAnswerAloneIsRefused() {
        Tensor alone = Tensor.of(new double[] {1, 2}, 2, 1);
        var e = assertThrows(IllegalArgumentException.class, () -> LeaveOneOut.advantages(alone));
        assertEquals("leave-one-out needs 2 or more answers a prompt, was 1", e.getMessage());
        refused("values", () -> LeaveOneOut.advantages(Tensor.of(1, 2, 3)));
    }
}

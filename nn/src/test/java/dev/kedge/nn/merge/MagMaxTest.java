package dev.kedge.nn.merge;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.nn.InScope;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class MagMaxTest {
    private static final double[][] TASKS = {{1, -2, 0.5, -1}, {-3, 1, 0.2, -4}, {2, 1.5, -0.1, -2}};

    @Test
    void theLargestMagnitudeWinsWithItsSign() {
        assertArrayEquals(
                new double[] {-3, -2, 0.5, -4}, MagMax.merge(Tensor.of(TASKS)).toDoubles());
    }

    @Test
    void theLargestValueIsAnotherRule() {
        assertArrayEquals(
                new double[] {2, 1.5, 0.5, -1},
                MagMax.largestValues(Tensor.of(TASKS)).toDoubles());
    }

    @Test
    void equalTasksAreThatTaskAndShapesAreKept() {
        Tensor same = Tensor.of(new double[] {1, -2, 3, -4, 1, -2, 3, -4}, 2, 2, 2);
        for (Tensor merged : new Tensor[] {MagMax.merge(same), MagMax.largestValues(same)}) {
            assertArrayEquals(new long[] {2, 2}, merged.shape());
            assertArrayEquals(new double[] {1, -2, 3, -4}, merged.toDoubles());
        }
    }

    @Test
    void noTaskIsRefused() {
        Tensor none = Tensor.of(TASKS).narrow(0, 0, 0);
        var e = assertThrows(IllegalArgumentException.class, () -> MagMax.merge(none));
        assertEquals("task vectors must be [K, ...] with K >= 1, were " + none, e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> MagMax.largestValues(Tensor.scalarOf(1)));
    }
}

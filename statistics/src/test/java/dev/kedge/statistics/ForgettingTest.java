package dev.kedge.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ForgettingTest {
    @Test
    void workedExample() {
        var forgetting = Forgetting.of(new double[][] {{60}, {50, 70}, {40, 65, 80}});
        assertEquals(185 / 3.0, forgetting.averagePerformance(), 1e-13);
        assertEquals(List.of(-20.0, -5.0), forgetting.perTask());
        assertEquals(-12.5, forgetting.backwardTransfer());
    }

    @Test
    void whatIsAboveTheDiagonalDoesNotCount() {
        double nan = Double.NaN;
        assertEquals(
                Forgetting.of(new double[][] {{60}, {50, 70}}),
                Forgetting.of(new double[][] {{60, nan, nan}, {50, 70, nan}}));
    }

    @Test
    void oneTaskHasNoBackwardTransfer() {
        var forgetting = Forgetting.of(new double[][] {{60}});
        assertEquals(60, forgetting.averagePerformance());
        assertEquals(List.of(), forgetting.perTask());
        assertTrue(Double.isNaN(forgetting.backwardTransfer()));
    }

    @Test
    void missingScoresAreRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> Forgetting.of(new double[][] {{60}, {50}}));
        assertEquals("row 1 of scores must have 2 or more entries, has 1", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> Forgetting.of(new double[0][]));
    }
}

package dev.kedge.nn.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.optim.Schedule.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ScheduleTest {
    private static final double PEAK = 3e-4;

    @ParameterizedTest
    @EnumSource
    void warmUpRisesEvenlyToThePeakAndNoStepIsWasted(Shape shape) {
        Schedule schedule = new Schedule(shape, PEAK, 9, 109, 0.1);
        for (int step = 0; step < 9; step++) {
            assertEquals(PEAK * (step + 1) / 10, schedule.at(step), 1e-18);
        }
        assertEquals(PEAK, schedule.at(9), 1e-18);
        for (int step = 0; step < 109; step++) {
            assertTrue(schedule.at(step) > 0 && schedule.at(step) <= PEAK);
        }
    }

    @ParameterizedTest
    @EnumSource
    void withoutWarmUpItBeginsAtThePeak(Shape shape) {
        assertEquals(PEAK, new Schedule(shape, PEAK, 0, 100, 0).at(0), 1e-18);
        assertEquals(PEAK, new Schedule(shape, PEAK, 0, 1, 0).at(0), 1e-18);
    }

    @Test
    void constantStays() {
        Schedule schedule = new Schedule(Shape.CONSTANT, PEAK, 0, 100, 0.5);
        for (int step = 0; step <= 120; step++) {
            assertEquals(PEAK, schedule.at(step));
        }
    }

    @Test
    void linearFallsEvenly() {
        Schedule schedule = new Schedule(Shape.LINEAR, PEAK, 10, 110, 0.2);
        assertEquals(PEAK * 0.6, schedule.at(60), 1e-18);
        assertEquals(PEAK * (1 - 0.8 * 0.99), schedule.at(109), 1e-18);
        for (int step = 10; step < 110; step++) {
            assertEquals(PEAK * 0.8 / 100, schedule.at(step) - schedule.at(step + 1), 1e-18);
        }
    }

    @Test
    void cosineFallsSlowlyAtBothEnds() {
        Schedule schedule = new Schedule(Shape.COSINE, PEAK, 10, 110, 0.2);
        assertEquals(PEAK * 0.6, schedule.at(60), 1e-18);
        assertEquals(PEAK * (0.2 + 0.8 * (0.5 + Math.sqrt(2) / 4)), schedule.at(35), 1e-18);
        assertEquals(PEAK * (0.2 + 0.8 * (0.5 - Math.sqrt(2) / 4)), schedule.at(85), 1e-18);
        double largest = 0;
        for (int step = 10; step < 110; step++) {
            double fall = schedule.at(step) - schedule.at(step + 1);
            assertTrue(fall > 0, "step " + step);
            largest = Math.max(largest, fall);
        }
        assertEquals(PEAK * 0.8 * Math.PI / 200, largest, 1e-8);
        assertTrue(schedule.at(10) - schedule.at(11) < largest / 30);
        assertTrue(schedule.at(109) - schedule.at(110) < largest / 30);
    }

    @ParameterizedTest
    @EnumSource(names = {"LINEAR", "COSINE"})
    void theFloorIsReachedWithTheEndOfTheLastStepAndHolds(Shape shape) {
        Schedule schedule = new Schedule(shape, PEAK, 10, 110, 0.2);
        assertTrue(schedule.at(109) > PEAK * 0.2);
        for (int step = 110; step < 130; step++) {
            assertEquals(PEAK * 0.2, schedule.at(step), 1e-18);
        }
        assertEquals(0, new Schedule(shape, PEAK, 10, 110, 0).at(110), 1e-18);
    }

    @Test
    void valuesOutOfRangeAreRefused() {
        for (double peak : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThrows(IllegalArgumentException.class, () -> new Schedule(Shape.COSINE, peak, 0, 1, 0));
        }
        assertThrows(IllegalArgumentException.class, () -> new Schedule(Shape.COSINE, 1, -1, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> new Schedule(Shape.COSINE, 1, 0, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new Schedule(Shape.COSINE, 1, 0, 1, 1.1));
        assertThrows(IllegalArgumentException.class, () -> new Schedule(Shape.COSINE, 1, 0, 1, Double.NaN));
    }
}

package dev.kedge.objective.continual;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class EwcTest {
    @Test
    void workedExample() {
        Tensor theta = Tensor.of(1, 2).requiresGrad();
        Tensor value = Ewc.penalty(theta, Tensor.of(2, 0.5), Tensor.of(0.5, 2.5), Ewc.strength(10, 2))
                .value();
        value.backward();
        assertEquals(2.20970869, value.item(), 5e-9);
        assertArrayEquals(new double[] {7.07106781, -1.76776695}, theta.grad().toDoubles(), 5e-9);
    }

    /// What the benchmark's own function fails.
    @Test
    void theGradientIsThatOfTheValue() {
        CentralDifferences.assertGradient(
                new double[] {1, -2, 0.3},
                x -> Ewc.penalty(x, Tensor.of(2, 0.5, 0), Tensor.of(0.5, 2.5, -1), 7)
                        .value(),
                1e-9);
    }

    @Test
    void aWeakPullIsAPullAndImportancesAreConstants() {
        Tensor value = Ewc.penalty(Tensor.of(1, 2), Tensor.of(2, 0.5), Tensor.of(0.5, 2.5), 0.4)
                .value();
        assertEquals(0.2 * (2 * 0.25 + 0.5 * 0.25), value.item(), 1e-15);
        assertFalse(Ewc.importance(Tensor.of(1, 2).requiresGrad(), 1, 0.5, 1e-8).hasGradientGraph());
    }

    @Test
    void atTheAnchorThereIsNoPull() {
        Tensor theta = Tensor.of(1, 2).requiresGrad();
        Tensor importance = Tensor.of(3, 4).requiresGrad();
        Tensor anchor = Tensor.of(1, 2).requiresGrad();
        Tensor value = Ewc.penalty(theta, importance, anchor, 5).value();
        value.backward();
        assertEquals(0, value.item());
        assertArrayEquals(new double[2], theta.grad().toDoubles());
        assertNull(importance.grad());
        assertNull(anchor.grad());
    }

    @Test
    void theLargestAreKeptRelativeToTheMean() {
        double[] sums = {4, 1, 3, 2, 8, 6, 7, 5, 9, 15};
        double[] q = Ewc.importance(Tensor.of(sums, 2, 5), 2, 0.7, 1e-8).toDoubles();
        double[] expected = Arrays.stream(sums) // k = 3, so the 7-th smallest, which is 7, and above
                .map(s -> s >= 7 ? s / 2 / (3 + 1e-8) : 0)
                .toArray();
        assertArrayEquals(expected, q, 1e-15);
    }

    @Test
    void tiesAreKeptTogetherAndNothingIsDroppedAtSparsityZero() {
        assertArrayEquals(
                new double[] {0, 1.5, 1.5, 0, 1.5, 1.5},
                Ewc.importance(Tensor.of(0, 3, 3, 0, 3, 3), 1, 0.9, 1e-300).toDoubles());
        assertArrayEquals(
                new double[] {0.5, 1.5},
                Ewc.importance(Tensor.of(1, 3), 1, 0, 1e-300).toDoubles());
        assertArrayEquals(
                new double[2], Ewc.importance(Tensor.of(0, 0), 1, 0.5, 1e-8).toDoubles());
    }

    @Test
    void importancesAreMeansOverTasks() {
        double[][] tasks = {{1, 0}, {4, 2}, {1, 7}};
        Tensor mean = Tensor.of(99, 99);
        for (int t = 1; t <= 3; t++) {
            mean = Ewc.meanOverTasks(mean, Tensor.of(tasks[t - 1]), t);
        }
        assertArrayEquals(new double[] {2, 3}, mean.toDoubles(), 1e-15);
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor two = Tensor.of(1, 2);
        Tensor three = Tensor.of(1, 2, 3);
        var e = assertThrows(IllegalArgumentException.class, () -> Ewc.penalty(two, three, two, 1));
        assertEquals("importance must have the shape of parameter, [2], was [3]", e.getMessage());
        refused("anchor", () -> Ewc.penalty(two, two, three, 1));
        refused("strength", () -> Ewc.penalty(two, two, two, -1));
        e = assertThrows(IllegalArgumentException.class, () -> Ewc.strength(1, 0));
        assertEquals("task counts from 1, was 0", e.getMessage());
        refused("lambda", () -> Ewc.strength(0, 1));
        refused("steps", () -> Ewc.importance(two, 0, 0.5, 1e-8));
        refused("sparsity", () -> Ewc.importance(two, 1, 1, 1e-8));
        refused("guard", () -> Ewc.importance(two, 1, 0.5, 0));
        refused("importances of no weights", () -> Ewc.importance(two.narrow(0, 0, 0), 1, 0.5, 1e-8));
        refused("latest", () -> Ewc.meanOverTasks(two, three, 1));
        refused("task counts from", () -> Ewc.meanOverTasks(two, two, 0));
    }
}

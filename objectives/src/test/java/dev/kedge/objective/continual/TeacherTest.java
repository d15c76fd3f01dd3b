package dev.kedge.objective.continual;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Terms in which the model before the task teaches: [Lwf] and [Der].
@ExtendWith(InScope.class)
class TeacherTest {
    private static final double[] STUDENT = {1, 0, -1};
    private static final double[] TEACHER = {0, 0.5, 0};

    private static Tensor one() {
        return Tensor.mask(new boolean[] {true}, 1, 1);
    }

    private static Loss lwf(Tensor logits, double[] teacher, double weight) {
        Tensor logRef = Tensor.of(teacher, 1, 1, 3).logSoftmax(2);
        Tensor kl = new ForwardKl().categorical(logits.logSoftmax(2), logRef);
        return Lwf.lwf(kl, one(), weight, 1);
    }

    @Test
    void workedExamples() {
        Tensor forLwf = Tensor.of(STUDENT, 1, 1, 3).requiresGrad();
        Tensor forDer = Tensor.of(STUDENT, 1, 1, 3).requiresGrad();
        Loss lwf = lwf(forLwf, TEACHER, 1);
        Loss der = Der.der(forDer, Tensor.of(TEACHER, 1, 1, 3), one(), 1, 1);
        lwf.value().backward();
        der.value().backward();
        assertEquals(0.33916058, lwf.value().item(), 5e-9);
        assertArrayEquals(
                new double[] {0.39117234, -0.20713429, -0.18403805},
                forLwf.grad().toDoubles(),
                5e-9);
        assertEquals(0.75, der.value().item(), 1e-15);
        assertArrayEquals(
                new double[] {2 / 3.0, -1 / 3.0, -2 / 3.0}, forDer.grad().toDoubles(), 1e-15);
    }

    @Test
    void whoEqualsTheTeacherIsNotPulled() {
        Tensor forLwf = Tensor.of(STUDENT, 1, 1, 3).requiresGrad();
        Tensor forDer = Tensor.of(STUDENT, 1, 1, 3).requiresGrad();
        Tensor teacher = Tensor.of(STUDENT, 1, 1, 3).requiresGrad();
        Loss lwf = lwf(forLwf, STUDENT, 2);
        Loss der = Der.der(forDer, teacher, one(), 2, 1);
        lwf.value().backward();
        der.value().backward();
        assertEquals(0, lwf.value().item());
        assertEquals(0, der.value().item());
        assertArrayEquals(new double[3], forLwf.grad().toDoubles(), 1e-15);
        assertArrayEquals(new double[3], forDer.grad().toDoubles());
        assertNull(teacher.grad());
    }

    @Test
    void derEqualsTheEquationAndWhatIsMaskedReachesNothing() {
        double nan = Double.NaN;
        double[] z = {1, 2, nan, 4, -1, 0, 0.5, -3};
        double[] teacher = {0, 2.5, 7, nan, -1, 1, 0, 0};
        Tensor leaf = Tensor.of(z, 2, 2, 2).requiresGrad();
        Tensor mask = Tensor.mask(new boolean[] {true, false, true, true}, 2, 2);
        Loss loss = Der.der(leaf, Tensor.of(teacher, 2, 2, 2), mask, 0.5, 5);
        loss.value().backward();
        double first = (1 + 0.25) / 2;
        double second = 1 / 2.0 + (0.25 + 9) / 2;
        assertEquals(0.5 / 5 * (first + second), loss.value().item(), 1e-15);
        assertArrayEquals(
                new double[] {first, second}, loss.metric("logit-distance").toDoubles(), 1e-15);
        double[] expected = new double[8];
        for (int i : new int[] {0, 1, 4, 5, 6, 7}) {
            expected[i] = 0.5 / 5 * (z[i] - teacher[i]);
        }
        assertArrayEquals(expected, leaf.grad().toDoubles(), 1e-15);
    }

    @Test
    void lwfIsTheMaskedMean() {
        Tensor kl = Tensor.of(new double[] {0.3, Double.NaN, 0.1, 0.2}, 2, 2).requiresGrad();
        Tensor mask = Tensor.mask(new boolean[] {true, false, true, true}, 2, 2);
        Loss loss = Lwf.lwf(kl, mask, 2, 4);
        loss.value().backward();
        assertEquals(0.3, loss.value().item(), 1e-15);
        assertArrayEquals(new double[] {0.5, 0, 0.5, 0.5}, kl.grad().toDoubles());
        assertArrayEquals(new double[] {0.3, 0.3}, loss.metric("kl").toDoubles(), 1e-15);
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor logits = Tensor.of(STUDENT, 1, 1, 3);
        Tensor kl = Tensor.of(new double[] {0.3}, 1, 1);
        var e = assertThrows(IllegalArgumentException.class, () -> Der.der(logits, logits, one(), -1, 1));
        assertEquals("weight must be in [0.0, Infinity), was -1.0", e.getMessage());
        refused("tokensInStep", () -> Der.der(logits, logits, one(), 1, 0));
        refused("teacherLogits", () -> Der.der(logits, kl, one(), 1, 1));
        refused("mask", () -> Der.der(logits, logits, kl, 1, 1));
        refused("logits", () -> Der.der(kl, kl, one(), 1, 1));
        e = assertThrows(IllegalArgumentException.class, () -> Lwf.lwf(kl, one(), Double.NaN, 1));
        assertEquals("klWeight must be in [0.0, Infinity), was NaN", e.getMessage());
        refused("tokensInStep", () -> Lwf.lwf(kl, one(), 1, 0));
        refused("mask", () -> Lwf.lwf(kl, kl, 1, 1));
        refused("kl", () -> Lwf.lwf(logits, one(), 1, 1));
    }
}

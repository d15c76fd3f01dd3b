package dev.kedge.objective.distillation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(InScope.class)
class GeneralizedJsdTest {
    private static final double[] STUDENT = {0.3, -1.2, 2.0, 0.5, 0.5, -3.0}; // logits [2, 3]
    private static final double[] TEACHER = {1.1, 0.4, -0.7, -2.0, 1.5, 0.0};

    private static Tensor logProbs(double... logits) {
        return Tensor.of(logits, logits.length / 3, 3).logSoftmax(1);
    }

    private static double[] softmax(double[] logits, int row) {
        double[] mass =
                Arrays.stream(logits, 3 * row, 3 * row + 3).map(Math::exp).toArray();
        double sum = Arrays.stream(mass).sum();
        return Arrays.stream(mass).map(m -> m / sum).toArray();
    }

    private static double kl(double[] p, double[] q) {
        double sum = 0;
        for (int v = 0; v < p.length; v++) {
            sum += p[v] * Math.log(p[v] / q[v]);
        }
        return sum;
    }

    private static double jsd(int row, double beta) {
        double[] s = softmax(STUDENT, row);
        double[] t = softmax(TEACHER, row);
        double[] m = new double[3];
        Arrays.setAll(m, v -> beta * t[v] + (1 - beta) * s[v]);
        return beta == 0 ? kl(t, s) : beta == 1 ? kl(s, t) : beta * kl(t, m) + (1 - beta) * kl(s, m);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.1, 0.5, 0.8, 1})
    void valueAndGradientAreTheEquations(double beta) {
        Tensor values = GeneralizedJsd.divergence(logProbs(STUDENT), logProbs(TEACHER), beta);
        assertArrayEquals(new double[] {jsd(0, beta), jsd(1, beta)}, values.toDoubles(), 1e-14);
        CentralDifferences.assertGradient(
                STUDENT,
                s -> GeneralizedJsd.divergence(s.logSoftmax(1), logProbs(TEACHER), beta)
                        .sum(),
                1e-9,
                2,
                3);
    }

    @Test
    void theEndsAreTheLimitsPerWeight() {
        double tiny = 1e-7;
        Tensor s = logProbs(STUDENT);
        Tensor t = logProbs(TEACHER);
        double[] low = GeneralizedJsd.divergence(s, t, tiny).div(tiny).toDoubles();
        double[] high = GeneralizedJsd.divergence(s, t, 1 - tiny).div(tiny).toDoubles();
        assertArrayEquals(new ForwardKl().categorical(s, t).toDoubles(), low, 1e-5); // next term: tiny times χ²
        assertArrayEquals(new ReverseKl().categorical(s, t).toDoubles(), high, 1e-5);
        double[] half = GeneralizedJsd.divergence(s, t, 0.5).times(2).toDoubles();
        assertArrayEquals(new JensenShannon().categorical(s, t).toDoubles(), half, 1e-14);
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64"})
    void distributionsThatAgreeOrHaveNothingInCommonStayExact(DType dtype) {
        Tensor near = Tensor.of(new double[] {0, -700, -900}, 1, 3).to(dtype).detach();
        Tensor student = near.requiresGrad();
        assertEquals(0, GeneralizedJsd.divergence(student, near, 0.3).item());
        Tensor far = Tensor.of(new double[] {-900, -700, 0}, 1, 3).to(dtype);
        Tensor value = GeneralizedJsd.divergence(student, far, 0.3);
        value.sum().backward();
        assertEquals(-0.3 * Math.log(0.3) - 0.7 * Math.log(0.7), value.item(), 1e-6); // the entropy of the weights
        assertTrue(student.grad().isFinite().allTrue());
    }

    @Test
    void theTeacherIsAConstant() {
        Tensor teacher = logProbs(TEACHER).requiresGrad();
        for (double beta : new double[] {0, 0.4, 1}) {
            Tensor student = logProbs(STUDENT).requiresGrad();
            GeneralizedJsd.divergence(student, teacher, beta).sum().backward();
            assertNull(teacher.grad());
        }
    }

    @Test
    void whatIsMaskedCountsNotAndThePartsOfAStepAddUp() {
        Tensor rows = Tensor.of(new double[] {1, 2, Double.NaN, 4, Double.NaN, 0.5}, 2, 3);
        Tensor mask = Tensor.mask(new boolean[][] {{true, true, false}, {true, false, true}});
        Loss whole = GeneralizedJsd.generalizedJsd(rows, mask, 4);
        assertEquals(7.5 / 4, whole.value().item());
        assertArrayEquals(new double[] {3, 4.5}, whole.metric("divergence").toDoubles());
        assertArrayEquals(new double[] {2, 2}, whole.metric("tokens").toDoubles());
        Tensor packed = rows.reshape(6);
        Loss part = GeneralizedJsd.generalizedJsd(
                packed.narrow(0, 0, 4), mask.reshape(6).narrow(0, 0, 4), 4);
        Loss rest = GeneralizedJsd.generalizedJsd(
                packed.narrow(0, 4, 2), mask.reshape(6).narrow(0, 4, 2), 4);
        assertEquals(whole.value().item(), part.value().plus(rest.value()).item());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor s = logProbs(STUDENT);
        assertThrows(IllegalArgumentException.class, () -> GeneralizedJsd.divergence(s, s, -0.1));
        assertThrows(IllegalArgumentException.class, () -> GeneralizedJsd.divergence(s, s, 1.1));
        assertThrows(IllegalArgumentException.class, () -> GeneralizedJsd.divergence(s, s.narrow(1, 0, 2), 0.5));
        Tensor mask = Tensor.mask(new boolean[] {true, false}, 2);
        assertThrows(IllegalArgumentException.class, () -> GeneralizedJsd.generalizedJsd(s, mask, 1));
        assertThrows(IllegalArgumentException.class, () -> GeneralizedJsd.generalizedJsd(s.select(1, 0), mask, 0));
    }
}

package dev.kedge.objective.unpaired;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class KtoTest {
    private static final double BETA = 0.3;
    private static final double Z = 0.4;

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    @Test
    void equalsTheEquation() {
        Answers.assertEquation(
                i -> Answers.DESIRABLE[i]
                        ? 1.5 - 1.5 * sigmoid(BETA * (Answers.logRatio(i) - Z))
                        : 0.7 - 0.7 * sigmoid(BETA * (Z - Answers.logRatio(i))),
                lp -> Kto.kto(lp, Z, BETA, 1.5, 0.7, 4));
    }

    @Test
    void aLabelWithoutWeightTeachesNothing() {
        Tensor policy = Tensor.of(Answers.POLICY).requiresGrad();
        Kto.kto(Answers.of(policy, 0, 4), Z, BETA, 1, 0, 4).value().backward();
        double[] gradient = policy.grad().toDoubles();
        for (int i = 0; i < 4; i++) {
            assertTrue(Answers.DESIRABLE[i] ? gradient[i] < 0 : gradient[i] == 0);
        }
    }

    @Test
    void rewardsAreReportedByLabel() {
        Loss loss = Kto.kto(Answers.of(Tensor.of(Answers.POLICY), 0, 4), Z, BETA, 1, 1, 4);
        double[] desirable = {0.15, 0, 0, -0.6};
        double[] undesirable = {0, -0.45, 0.3, 0};
        assertArrayEquals(desirable, loss.metric("reward/desirable").toDoubles(), 1e-15);
        assertArrayEquals(undesirable, loss.metric("reward/undesirable").toDoubles(), 1e-15);
        assertArrayEquals(new double[] {1, 0, 0, 1}, loss.metric("desirable").toDoubles());
    }

    @Test
    void theBaselineIsTheMeanLogRatioWhereThatIsPositive() {
        Tensor policy = Tensor.of(-1, -4, -2).requiresGrad();
        assertEquals(2.5 / 3, Kto.baseline(policy, Tensor.of(-3, -3.5, -3)), 1e-15);
        assertEquals(0, Kto.baseline(Tensor.of(-3, -3.5, -3), policy));
    }

    @Test
    void badArgumentsAreRefused() {
        var lp = Answers.of(Tensor.of(Answers.POLICY), 0, 4);
        assertThrows(IllegalArgumentException.class, () -> Kto.kto(lp, -0.1, BETA, 1, 1, 4));
        assertThrows(IllegalArgumentException.class, () -> Kto.kto(lp, Z, 0, 1, 1, 4));
        assertThrows(IllegalArgumentException.class, () -> Kto.kto(lp, Z, BETA, -1, 1, 4));
        assertThrows(IllegalArgumentException.class, () -> Kto.kto(lp, Z, BETA, 1, Double.NaN, 4));
        assertThrows(IllegalArgumentException.class, () -> Kto.kto(lp, Z, BETA, 1, 1, 3));
        Tensor none = Tensor.of();
        assertThrows(IllegalArgumentException.class, () -> Kto.baseline(none, none));
        assertThrows(IllegalArgumentException.class, () -> new UnpairedLogProbs(none, none, none));
    }
}

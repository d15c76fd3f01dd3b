package dev.kedge.objective.guidance;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class AutoregressiveRewardTest {
    private static final double[] CHOSEN = {-12.3, -4, -30};
    private static final double[] REJECTED = {-15.1, -2.5, -30};

    private static Loss logistic(double beta, double margin, double flip) {
        return AutoregressiveReward.logistic(Tensor.of(CHOSEN), Tensor.of(REJECTED), beta, margin, flip, 3);
    }

    private static double nll(double z) {
        return Math.log1p(Math.exp(-z));
    }

    @Test
    void workedByHand() {
        Tensor chosen = Tensor.of(-12.3).requiresGrad();
        Tensor rejected = Tensor.of(-15.1).requiresGrad();
        Loss loss = AutoregressiveReward.logistic(chosen, rejected, 0.05, 0, 0, 1);
        loss.value().backward();
        assertEquals(0.625595182, loss.value().item(), 5e-10);
        assertEquals(-0.023252853, chosen.grad().item(), 5e-10);
        assertEquals(0.023252853, rejected.grad().item(), 5e-10);
    }

    @Test
    void equalsTheEquation() {
        double[] expected = new double[3];
        double[] hinges = new double[3];
        for (int i = 0; i < 3; i++) {
            double z = 0.3 * (CHOSEN[i] - REJECTED[i]) - 0.4;
            expected[i] = 0.9 * nll(z) + 0.1 * nll(-z);
            hinges[i] = Math.max(0, 1 - z);
        }
        assertArrayEquals(expected, logistic(0.3, 0.4, 0.1).metric("loss").toDoubles(), 1e-14);
        Loss hinge = AutoregressiveReward.hinge(Tensor.of(CHOSEN), Tensor.of(REJECTED), 0.3, 0.4, 6);
        assertArrayEquals(hinges, hinge.metric("loss").toDoubles(), 1e-14);
        assertEquals((hinges[0] + hinges[1] + hinges[2]) / 6, hinge.value().item(), 1e-14);
        assertArrayEquals(
                new double[] {-3.69, -1.2, -9}, hinge.metric("reward/chosen").toDoubles(), 1e-14);
        Loss wide = AutoregressiveReward.hinge(Tensor.of(CHOSEN), Tensor.of(REJECTED), 1, 1.5, 3);
        assertArrayEquals(new double[] {0, 4, 2.5}, wide.metric("loss").toDoubles(), 1e-14); // 1 + 1.5 - 2.8 < 0
    }

    @Test
    void gradientsEqualCentralDifferences() {
        CentralDifferences.assertGradient(
                CHOSEN,
                w -> AutoregressiveReward.logistic(w, Tensor.of(REJECTED), 0.3, 0.4, 0.1, 3)
                        .value(),
                1e-9);
        CentralDifferences.assertGradient(
                REJECTED,
                l -> AutoregressiveReward.hinge(Tensor.of(CHOSEN), l, 0.3, 0.4, 3)
                        .value(),
                1e-9);
    }

    @Test
    void isDpoWithAUniformReferenceUpToTheLengths() {
        double beta = 0.1;
        double logV = Math.log(7);
        double[] w = {4, 6, 5};
        double[] l = {4, 3, 8};
        Tensor refW = Tensor.of(w).times(-logV);
        Tensor refL = Tensor.of(l).times(-logV);
        var lp = new PreferenceLogProbs(Tensor.of(CHOSEN), Tensor.of(REJECTED), refW, refL);
        double[] dpo = Dpo.dpo(lp, beta, 3).metric("loss").toDoubles();
        double[] arm = logistic(beta, 0, 0).metric("loss").toDoubles();
        assertEquals(dpo[0], arm[0], 1e-14);
        for (int i = 0; i < 3; i++) {
            double z = beta * (CHOSEN[i] - REJECTED[i]) + beta * (w[i] - l[i]) * logV;
            assertEquals(nll(z), dpo[i], 1e-13);
        }
    }

    @Test
    void pairsFarApartHaveFiniteLossesAndGradients() {
        Tensor chosen = Tensor.of(-2000, -1).requiresGrad();
        Loss loss = AutoregressiveReward.logistic(chosen, Tensor.of(-1, -2000), 1, 0, 0.1, 2);
        loss.value().backward();
        assertArrayEquals(new double[] {1799.1, 199.9}, loss.metric("loss").toDoubles(), 1e-10);
        assertArrayEquals(new double[] {-0.45, 0.05}, chosen.grad().toDoubles(), 1e-15);
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor three = Tensor.of(CHOSEN);
        Tensor one = Tensor.of(-1.0);
        refused("beta", () -> logistic(0, 0, 0));
        refused("margin", () -> logistic(1, -1, 0));
        refused("flipProbability", () -> logistic(1, 0, 0.5));
        refused("rejected", () -> AutoregressiveReward.hinge(three, one, 1, 0, 3));
        refused("pairsInStep", () -> AutoregressiveReward.hinge(three, three, 1, 0, 2));
        Tensor row = three.unsqueeze(0);
        refused("chosen", () -> AutoregressiveReward.hinge(row, row, 1, 0, 3));
    }
}

package dev.kedge.objective.occupancy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.InScope;
import dev.kedge.objective.divergence.ChiSquared;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class ActionPenaltyTest {
    @Test
    void equalsTheEquationAndPartsAddUp() {
        Tensor divergences = Tensor.of(0.5, 2, 0.1).requiresGrad();
        var penalty = ActionPenalty.mean(divergences, 0.3, 0.9, 5);
        assertArrayEquals(
                new double[] {0.5, 2, 0.1}, penalty.metric("divergence").toDoubles());
        Tensor loss = penalty.value();
        loss.backward();
        assertEquals(0.3 / 0.1 * 2.6 / 5, loss.item(), 1e-14);
        assertArrayEquals(new double[] {0.6, 0.6, 0.6}, divergences.grad().toDoubles(), 1e-14);
        double parts = ActionPenalty.mean(Tensor.of(0.5), 0.3, 0.9, 5).value().item()
                + ActionPenalty.mean(Tensor.of(2, 0.1), 0.3, 0.9, 5).value().item();
        assertEquals(loss.item(), parts, 1e-14);
    }

    @Test
    void theRootStopsAtItsFloor() {
        Tensor chi = Tensor.of(0, 0.25).requiresGrad();
        Tensor root = ActionPenalty.root(chi, 1e-4);
        root.sum().backward();
        assertArrayEquals(new double[] {0.01, 0.5}, root.toDoubles(), 1e-16);
        assertArrayEquals(new double[] {0, 1}, chi.grad().toDoubles(), 1e-15);
    }

    @Test
    void aWideGaussianIsMeasuredByTheKl() {
        Tensor mean = Tensor.of(new double[] {0.5, 0.5}, 2, 1).requiresGrad();
        Tensor logStd = Tensor.of(Math.log(0.8), Math.log(2)).unsqueeze(1);
        Tensor zero = logStd.zerosLike();
        Tensor chi = new ChiSquared().gaussian(mean, logStd, zero, zero);
        Tensor kl = new ReverseKl().gaussian(mean, logStd, zero, zero);
        Tensor finite = ActionPenalty.finite(chi, kl);
        finite.sum().backward();
        assertEquals(0.28817274, finite.toDoubles()[0], 5e-9);
        assertEquals(-Math.log(2) + (4 + 0.25 - 1) / 2, finite.toDoubles()[1], 1e-14);
        assertEquals(0.5, mean.grad().toDoubles()[1], 1e-15);
        assertEquals(2, mean.grad().isFinite().sum().item());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor two = Tensor.of(1, 2);
        refused("coefficient", () -> ActionPenalty.mean(two, 0, 0.9, 2));
        refused("gamma", () -> ActionPenalty.mean(two, 1, 1, 2));
        refused("statesInStep", () -> ActionPenalty.mean(two, 1, 0.9, 1));
        refused("floor", () -> ActionPenalty.root(two, 0));
        refused("kl", () -> ActionPenalty.finite(two, Tensor.of(1.0)));
        refused("divergences", () -> ActionPenalty.mean(two.unsqueeze(0), 1, 0.9, 2));
    }
}

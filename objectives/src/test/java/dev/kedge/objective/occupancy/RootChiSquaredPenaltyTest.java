package dev.kedge.objective.occupancy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.kedge.env.mdp.DifferentiableOccupancy;
import dev.kedge.objective.InScope;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class RootChiSquaredPenaltyTest {
    @Test
    void workedByHand() {
        // One of six left out at each end, and order does not matter to that.
        Tensor scores = Tensor.of(1, 0.2, 6, 0.5, 2, 1.5).log();
        var penalty = RootChiSquaredPenalty.of(scores, 0.17);
        assertEquals(0.25, penalty.trimmed().item(), 1e-15);
        assertEquals(5.2 / 6, penalty.untrimmed().item(), 1e-14);
        assertArrayEquals(
                new double[] {0, -1.6, 10, -1, 2, 1}, penalty.perStep().toDoubles(), 1e-14);
        assertArrayEquals(
                new double[] {1, 1.8, -4, 1.5, 0, 0.5},
                penalty.takenFrom(Creation.ones(scores.dtype(), scores.device(), 6), 0.5)
                        .toDoubles(),
                1e-14);
    }

    @Test
    void theMeanOfTheExactPenaltyIsTheRootOfChiSquared() {
        // Twenty steps of the current policy, as often as it visits: 0.2, 0.3, 0.5 against 0.7, 0.2, 0.1.
        double[] scores = new double[20];
        for (int i = 0; i < 20; i++) {
            scores[i] = Math.log(i < 4 ? 0.2 / 0.7 : i < 10 ? 1.5 : 5);
        }
        double chiSquared = DifferentiableOccupancy.chiSquared(Tensor.of(0.2, 0.3, 0.5), Tensor.of(0.7, 0.2, 0.1))
                .item();
        var penalty = RootChiSquaredPenalty.of(Tensor.of(scores), 0);
        assertEquals(chiSquared, penalty.trimmed().item(), 1e-14);
        assertEquals(Math.sqrt(chiSquared), penalty.perStep().mean().item(), 1e-14);
    }

    @Test
    void anEstimateThatIsNotPositiveLeavesThePlainPenalty() {
        var penalty = RootChiSquaredPenalty.of(Tensor.of(-0.1, -0.2, 0), 0);
        assertArrayEquals(
                new double[] {Math.expm1(-0.1), Math.expm1(-0.2), 0},
                penalty.perStep().toDoubles(),
                1e-16);
        assertArrayEquals(
                new double[] {0, 0},
                RootChiSquaredPenalty.of(Tensor.of(0, 0), 0.01).perStep().toDoubles());
    }

    @Test
    void fewStepsAreNotAllTrimmedAway() {
        for (int n = 1; n < 5; n++) {
            double[] scores = new double[n];
            scores[0] = 1;
            var penalty = RootChiSquaredPenalty.of(Tensor.of(scores), 0.49);
            double expected = n <= 2 ? Math.expm1(1) / n : 0; // from three on one at each end is left out
            assertEquals(expected, penalty.trimmed().item(), 1e-15, n + " steps");
        }
    }

    @Test
    void isAConstant() {
        var penalty = RootChiSquaredPenalty.of(Tensor.of(1, 2).requiresGrad(), 0);
        assertFalse(penalty.perStep().hasGradientGraph());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor two = Tensor.of(1, 2);
        refused("trimFraction", () -> RootChiSquaredPenalty.of(two, 0.5));
        refused("trimFraction", () -> RootChiSquaredPenalty.of(two, -0.01));
        refused("scores", () -> RootChiSquaredPenalty.of(two.narrow(0, 0, 0), 0));
        refused("reward", () -> RootChiSquaredPenalty.of(two, 0).takenFrom(Tensor.of(1.0), 1));
        refused("lambda", () -> RootChiSquaredPenalty.of(two, 0).takenFrom(two, -1));
        refused("scores", () -> RootChiSquaredPenalty.of(two.unsqueeze(0), 0));
    }
}

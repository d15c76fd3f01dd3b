package dev.kedge.objective.preference;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class SlicTest {
    private static final double BETA = 0.8; // margins 1.2, -1.6, 0: one beyond the hinge

    @Test
    void equalsTheEquation() {
        double oracle = Pairs.meanOver(i -> Math.max(0, 1 - BETA * Pairs.logRatioMargin(i)));
        assertEquals(oracle, Slic.hinge(Pairs.all(), BETA, 3).value().item(), 1e-14);
    }

    @Test
    void aPairBeyondTheHingeHasNoGradient() {
        Tensor chosen = Tensor.of(Pairs.CHOSEN).requiresGrad();
        var lp = Pairs.all();
        Slic.hinge(new PreferenceLogProbs(chosen, lp.rejected(), lp.refChosen(), lp.refRejected()), BETA, 3)
                .value()
                .backward();
        assertArrayEquals(new double[] {0, -BETA / 3, -BETA / 3}, chosen.grad().toDoubles(), 1e-15);
    }

    @Test
    void withoutAReferenceItIsTheCalibrationLossOfSlic() {
        double delta = 2.5;
        var lp = PreferenceLogProbs.referenceFree(Tensor.of(Pairs.CHOSEN), Tensor.of(Pairs.REJECTED));
        double oracle = Pairs.meanOver(i -> Math.max(0, delta - Pairs.CHOSEN[i] + Pairs.REJECTED[i]));
        assertEquals(oracle, delta * Slic.hinge(lp, 1 / delta, 3).value().item(), 1e-14);
    }

    @Test
    void badArgumentsAreRefused() {
        refused("beta", () -> Slic.hinge(Pairs.all(), -1, 3));
        refused("pairsInStep", () -> Slic.hinge(Pairs.all(), BETA, 2));
        Tensor three = Tensor.of(1, 2, 3);
        refused("chosen", () -> new ImplicitRewards(three.unsqueeze(0), three.unsqueeze(0)));
        refused("rejected", () -> new ImplicitRewards(three, Tensor.of(1, 2)));
        refused("pairLosses", () -> new ImplicitRewards(three, three).loss(Tensor.of(1, 2), 3));
    }
}

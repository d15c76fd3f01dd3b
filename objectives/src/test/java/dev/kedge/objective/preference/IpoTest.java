package dev.kedge.objective.preference;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class IpoTest {
    private static final double TAU = 0.4;

    @Test
    void equalsTheEquation() {
        double oracle = Pairs.meanOver(i -> Math.pow(Pairs.logRatioMargin(i) - 1 / (2 * TAU), 2));
        assertEquals(oracle, Ipo.ipo(Pairs.all(), TAU, 3).value().item(), 1e-13);
    }

    @Test
    void isLeastAtAFiniteMargin() {
        Tensor chosen = Tensor.of(1 / (2 * TAU) - 1).requiresGrad();
        var lp = new PreferenceLogProbs(chosen, Tensor.of(-1.0), Tensor.of(-1.0), Tensor.of(-1.0));
        Tensor value = Ipo.ipo(lp, TAU, 1).value();
        value.backward();
        assertEquals(0, value.item(), 1e-30);
        assertEquals(0, chosen.grad().item(), 1e-14);
    }

    @Test
    void gradientIsTwiceTheResidual() {
        Tensor chosen = Tensor.of(-0.5).requiresGrad(); // h = 0.5
        var lp = new PreferenceLogProbs(chosen, Tensor.of(-1.0), Tensor.of(-1.0), Tensor.of(-1.0));
        Ipo.ipo(lp, TAU, 4).value().backward();
        assertEquals(2 * (0.5 - 1.25) / 4, chosen.grad().item(), 1e-14);
    }

    @Test
    void badArgumentsAreRefused() {
        refused("tau", () -> Ipo.ipo(Pairs.all(), 0, 3));
        refused("tau", () -> Ipo.ipo(Pairs.all(), Double.NaN, 3));
        refused("pairsInStep", () -> Ipo.ipo(Pairs.all(), TAU, 2));
    }
}

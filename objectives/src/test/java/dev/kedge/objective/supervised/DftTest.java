package dev.kedge.objective.supervised;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class DftTest {
    private final double[] logProbs = {-1, -2, -0.3, -0.01, -16, -0.7};
    private final boolean[] mask = {false, true, true, true, true, false};

    private Tensor mask() {
        return Tensor.mask(mask, 2, 3);
    }

    @Test
    void equalsTheEquationAndHasTheGradientOfTheProbability() {
        Tensor lp = Tensor.of(logProbs, 2, 3).requiresGrad();
        Tensor same = Tensor.of(logProbs, 2, 3).requiresGrad();
        Loss loss = Dft.dft(lp, mask(), 7);
        loss.value().backward();
        same.exp().whereElse(mask(), 0).sum().neg().div(7).backward();
        double sum = 0;
        for (int i = 1; i < 5; i++) {
            sum -= Math.exp(logProbs[i]) * logProbs[i] / 7;
        }
        assertEquals(sum, loss.value().item(), 1e-15);
        assertArrayEquals(same.grad().toDoubles(), lp.grad().toDoubles(), 1e-17);
        assertArrayEquals(new double[] {2.3, 16.01}, loss.metric("nll").toDoubles(), 1e-14);
        assertArrayEquals(new double[] {2, 2}, loss.metric("tokens").toDoubles());
    }

    @Test
    void packedTokensGiveTheSameLossAsRows() {
        Loss rows = Dft.dft(Tensor.of(logProbs, 2, 3), mask(), 4);
        Loss packed = Dft.dft(Tensor.of(logProbs), Tensor.mask(mask, 6), 4);
        assertEquals(rows.value().item(), packed.value().item());
    }

    @Test
    void aTokenThatTheModelRulesOutTeachesNothing() {
        Tensor lp = Tensor.of(-1e4).requiresGrad();
        Loss loss = Dft.dft(lp, Tensor.mask(new boolean[] {true}, 1), 1);
        loss.value().backward();
        assertEquals(0, loss.value().item());
        assertEquals(0, lp.grad().item(), Double.MIN_VALUE); // -0.0
    }

    @Test
    void aPartWithoutAnyTokenAddsNothing() {
        Tensor lp = Tensor.of(Double.NaN, -1).requiresGrad();
        Loss loss = Dft.dft(lp, Tensor.mask(new boolean[2], 2), 5);
        loss.value().backward();
        assertEquals(0, loss.value().item());
        assertArrayEquals(new double[2], lp.grad().toDoubles());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor lp = Tensor.of(logProbs, 2, 3);
        var e = assertThrows(IllegalArgumentException.class, () -> Dft.dft(lp, mask(), 0));
        assertEquals(
                "tokensInStep counts the whole step and must be >= 1, what this part holds; was 0", e.getMessage());
        refused("mask", () -> Dft.dft(lp, mask().t(), 3));
        refused("mask", () -> Dft.dft(lp, lp, 3));
    }
}

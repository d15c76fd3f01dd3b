package dev.kedge.objective.supervised;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class CrossEntropyTest {
    private final double[] logProbs = {-1, -2, -4, -8, -16, -32};
    private final boolean[] mask = {false, true, true, true, false, false};

    @Test
    void isTheSumOverCompletionTokensByTheDenominator() {
        Tensor lp = Tensor.of(logProbs, 2, 3).requiresGrad();
        Loss loss = CrossEntropy.crossEntropy(lp, Tensor.mask(mask, 2, 3), 7);
        loss.value().backward();
        assertEquals((2 + 4 + 8) / 7.0, loss.value().item(), 1e-15);
        assertArrayEquals(
                new double[] {0, -1 / 7.0, -1 / 7.0, -1 / 7.0, 0, 0}, lp.grad().toDoubles(), 1e-15);
        assertArrayEquals(new double[] {6, 8}, loss.metric("nll").toDoubles());
        assertArrayEquals(new double[] {2, 1}, loss.metric("tokens").toDoubles());
    }

    @Test
    void packedTokensGiveTheSameLossAsRows() {
        Loss rows = CrossEntropy.crossEntropy(Tensor.of(logProbs, 2, 3), Tensor.mask(mask, 2, 3), 3);
        Loss packed = CrossEntropy.crossEntropy(Tensor.of(logProbs), Tensor.mask(mask, 6), 3);
        assertEquals(rows.value().item(), packed.value().item());
        assertArrayEquals(new double[] {0, 2, 4, 8, 0, 0}, packed.metric("nll").toDoubles(), 0);
    }

    @Test
    void aPartWithoutAnyTokenAddsNothing() {
        Tensor lp = Tensor.of(new double[] {Double.NaN, -1}).requiresGrad();
        Loss loss = CrossEntropy.crossEntropy(lp, Tensor.mask(new boolean[2], 2), 5);
        loss.value().backward();
        assertEquals(0, loss.value().item());
        assertArrayEquals(new double[] {0, 0}, lp.grad().toDoubles());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor lp = Tensor.of(logProbs, 2, 3);
        Tensor m = Tensor.mask(mask, 2, 3);
        refused("tokensInStep", () -> CrossEntropy.crossEntropy(lp, m, 0));
        refused("mask", () -> CrossEntropy.crossEntropy(lp, m.t(), 3));
        refused("mask", () -> CrossEntropy.crossEntropy(lp, lp, 3));
        refused("logProbs", () -> CrossEntropy.crossEntropy(lp.unsqueeze(0), m.unsqueeze(0), 3));
    }
}

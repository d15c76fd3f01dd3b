package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class EntropyTest {
    private static final double[] P = {0.5, 0.3, 0.2};

    private static Tensor one() {
        return Tensor.mask(new boolean[] {true}, 1, 1);
    }

    @Test
    void equalsTheEquationAndSoDoesItsGradient() {
        Tensor logits = Tensor.of(P).log().plus(7).reshape(1, 1, 3).requiresGrad();
        double h = 0;
        for (double p : P) {
            h -= p * Math.log(p);
        }
        Tensor entropy = Entropy.ofLogits(logits.detach().requiresGrad(), one());
        assertEquals(h, entropy.item(), 1e-15);
        Tensor leaf = logits.detach().requiresGrad();
        Entropy.ofLogits(leaf, one()).sum().backward();
        double[] gradient = leaf.grad().toDoubles();
        for (int v = 0; v < 3; v++) {
            assertEquals(-P[v] * (Math.log(P[v]) + h), gradient[v], 1e-15);
        }
    }

    @Test
    void uniformOverTwoHasLogTwo() {
        assertEquals(
                Math.log(2),
                Entropy.ofLogits(Tensor.of(new double[2], 1, 1, 2), one()).item(),
                1e-15);
    }

    @Test
    void whatIsImpossibleAddsNothing() {
        double none = Double.NEGATIVE_INFINITY;
        Tensor logits = Tensor.of(new double[] {0, none, 0, none}, 1, 1, 4).requiresGrad();
        Tensor entropy = Entropy.ofLogits(logits, one());
        entropy.sum().backward();
        assertEquals(Math.log(2), entropy.item(), 1e-15);
        assertArrayEquals(new double[4], logits.grad().toDoubles(), 1e-15);
    }

    @Test
    void whatIsMaskedIsZeroAndWithoutGradient() {
        double nan = Double.NaN;
        Tensor logits = Tensor.of(new double[] {1, 2, nan, nan}, 1, 2, 2).requiresGrad();
        Tensor mask = Tensor.mask(new boolean[] {true, false}, 1, 2);
        Tensor entropies = Entropy.ofLogits(logits, mask);
        entropies.sum().backward();
        assertEquals(0, entropies.toDoubles()[1]);
        double[] gradient = logits.grad().toDoubles();
        assertArrayEquals(new double[2], new double[] {gradient[2], gradient[3]});
        refused("mask", () -> Entropy.ofLogits(logits, one()));
        refused("logits", () -> Entropy.ofLogits(logits.select(0, 0), mask));
    }

    @Test
    void rolloutsReadTheTokensThatWereDrawn() {
        Tensor logits = Tensor.of(new double[] {1, 2, 3, 0.5, -1, 4, 0, 0, 0}, 1, 3, 3);
        Tensor tokens = Tensor.of(new long[] {2, 0, -100}, 1, 3);
        Tensor mask = Tensor.mask(new boolean[] {true, true, false}, 1, 3);
        Rollout rollout = Rollout.ofLogits(logits, tokens, Creation.zeros(DType.FLOAT64, logits.device(), 1, 3), mask);
        double[] got = rollout.logProbs().toDoubles();
        assertEquals(3 - Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3)), got[0], 1e-15);
        assertEquals(0.5 - Math.log(Math.exp(0.5) + Math.exp(-1) + Math.exp(4)), got[1], 1e-14);
        assertEquals(2, rollout.lengths().item());
    }
}

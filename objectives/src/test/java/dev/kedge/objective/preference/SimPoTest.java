package dev.kedge.objective.preference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class SimPoTest {
    private static Loss simPo(double beta, double gamma, long pairsInStep) {
        Tensor w = Tensor.of(Pairs.CHOSEN);
        Tensor l = Tensor.of(Pairs.REJECTED);
        Tensor tokens = Tensor.of(Pairs.CHOSEN_TOKENS);
        return SimPo.simPo(w, l, tokens, Tensor.of(Pairs.REJECTED_TOKENS), beta, gamma, pairsInStep);
    }

    private static double reward(double logProb, double tokens) {
        return 2.5 * logProb / tokens;
    }

    @Test
    void equalsTheEquation() {
        Pairs.assertEquation(
                i -> Math.log1p(Math.exp(0.7
                        - reward(Pairs.CHOSEN[i], Pairs.CHOSEN_TOKENS[i])
                        + reward(Pairs.REJECTED[i], Pairs.REJECTED_TOKENS[i]))),
                (w, l, wTokens, lTokens) ->
                        SimPo.simPo(w, l, wTokens, lTokens, 2.5, 0.7, 3).value());
        double[] rewards = {reward(-3, 2), reward(-2, 5), reward(-2, 3)}; // without the margin
        assertArrayEquals(rewards, simPo(2.5, 0.7, 3).metric("reward/rejected").toDoubles(), 1e-15);
    }

    @Test
    void withoutAMarginItIsDpoOnMeansAgainstAUniformReference() {
        Tensor w = Tensor.of(Pairs.CHOSEN).div(Tensor.of(Pairs.CHOSEN_TOKENS));
        Tensor l = Tensor.of(Pairs.REJECTED).div(Tensor.of(Pairs.REJECTED_TOKENS));
        double dpo = Dpo.referenceFree(w, l, 2.5, 3).value().item();
        assertEquals(dpo, simPo(2.5, 0, 3).value().item(), 1e-15);
    }

    @Test
    void badArgumentsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> simPo(0, 0.7, 3));
        assertThrows(IllegalArgumentException.class, () -> simPo(2.5, -0.1, 3));
        assertThrows(IllegalArgumentException.class, () -> simPo(2.5, 0.7, 2));
    }
}

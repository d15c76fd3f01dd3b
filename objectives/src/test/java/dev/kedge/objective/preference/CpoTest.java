package dev.kedge.objective.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class CpoTest {
    private static final double BETA = 0.3;

    private static double preference(int i) {
        return Math.log1p(Math.exp(-BETA * (Pairs.CHOSEN[i] - Pairs.REJECTED[i])));
    }

    private static double cpo(double[] chosenTokens, double beta, double alpha, long pairsInStep) {
        Tensor w = Tensor.of(Pairs.CHOSEN);
        Tensor l = Tensor.of(Pairs.REJECTED);
        return Cpo.cpo(w, l, Tensor.of(chosenTokens), beta, alpha, pairsInStep)
                .value()
                .item();
    }

    @Test
    void equalsTheEquations() {
        Pairs.assertEquation(
                i -> preference(i) - 0.7 * Pairs.CHOSEN[i] / Pairs.CHOSEN_TOKENS[i],
                (w, l, wTokens, lTokens) -> Cpo.cpo(w, l, wTokens, BETA, 0.7, 3).value());
    }

    @Test
    void withOnesForLengthsItIsThePapersSum() {
        double oracle = Pairs.meanOver(i -> preference(i) - Pairs.CHOSEN[i]);
        assertEquals(oracle, cpo(new double[] {1, 1, 1}, BETA, 1, 3), 1e-14);
    }

    @Test
    void withoutTheLikelihoodItIsDpoAgainstAUniformReference() {
        double dpo = Dpo.referenceFree(Tensor.of(Pairs.CHOSEN), Tensor.of(Pairs.REJECTED), BETA, 3)
                .value()
                .item();
        assertEquals(dpo, cpo(Pairs.CHOSEN_TOKENS, BETA, 0, 3), 1e-15);
    }

    @Test
    void badArgumentsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> cpo(Pairs.CHOSEN_TOKENS, 0, 1, 3));
        assertThrows(IllegalArgumentException.class, () -> cpo(Pairs.CHOSEN_TOKENS, BETA, -1, 3));
        assertThrows(IllegalArgumentException.class, () -> cpo(Pairs.CHOSEN_TOKENS, BETA, 1, 2));
        assertThrows(IllegalArgumentException.class, () -> cpo(new double[] {1, 2}, BETA, 1, 3));
    }
}

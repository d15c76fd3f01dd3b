package dev.kedge.objective.unpaired;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class BcoTest {
    private static final double BETA = 0.3;

    @Test
    void equalsTheEquation() {
        Answers.assertEquation(
                i -> Math.log1p(Math.exp((Answers.DESIRABLE[i] ? -1 : 1) * (BETA * Answers.logRatio(i) - 0.2))),
                lp -> Bco.bco(lp, 0.2, BETA, 4));
    }

    /// The theorem that BCO stands on: `log(1 + e^(l-w)) < log(1 + e^(δ-w)) + log(1 + e^(l-δ))`.
    @Test
    void twiceTheLossOfAPairIsAboveDpo() {
        Tensor w = Tensor.of(Answers.POLICY).narrow(0, 0, 1);
        Tensor l = Tensor.of(Answers.POLICY).narrow(0, 1, 1);
        var pair = new PreferenceLogProbs(w, l, Tensor.of(-1.5), Tensor.of(-6.0));
        double dpo = Dpo.dpo(pair, BETA, 1).value().item();
        for (double shift : new double[] {-3, -0.15, 0, 2}) {
            assertTrue(2 * bco(shift, 2) > dpo);
        }
    }

    private static double bco(double shift, long n) {
        return Bco.bco(Answers.of(Tensor.of(Answers.POLICY), 0, n), shift, BETA, n)
                .value()
                .item();
    }

    @Test
    void theShiftIsTheMeanOfBothMeansHoweverTheAnswersCome() {
        Tensor policy = Tensor.of(Answers.POLICY).requiresGrad();
        double oracle = BETA * ((0.5 - 2) / 2 + (-1.5 + 1) / 2) / 2;
        assertEquals(
                oracle,
                Bco.RewardShift.NONE.after(Answers.of(policy, 0, 4), BETA).value(),
                1e-15);
        var first = Bco.RewardShift.NONE.after(Answers.of(policy, 0, 1), BETA);
        assertEquals(BETA * 0.5 / 2, first.value(), 1e-15);
        assertEquals(oracle, first.after(Answers.of(policy, 1, 3), BETA).value(), 1e-15);
        assertEquals(0, Bco.RewardShift.NONE.value());
    }

    @Test
    void badArgumentsAreRefused() {
        var lp = Answers.of(Tensor.of(Answers.POLICY), 0, 4);
        assertThrows(IllegalArgumentException.class, () -> Bco.bco(lp, Double.NaN, BETA, 4));
        assertThrows(IllegalArgumentException.class, () -> Bco.bco(lp, 0, 0, 4));
        assertThrows(IllegalArgumentException.class, () -> Bco.bco(lp, 0, BETA, 3));
    }
}

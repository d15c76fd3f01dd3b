package dev.kedge.objective.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class OrpoTest {
    private static final double LAMBDA = 0.4;

    private static double odds(double logProb, double tokens) {
        double p = Math.exp(logProb / tokens);
        return p / (1 - p);
    }

    @Test
    void equalsTheEquation() { // -log σ(log a/b) = log(1 + b/a)
        Pairs.assertEquation(
                i -> -Pairs.CHOSEN[i] / Pairs.CHOSEN_TOKENS[i]
                        + LAMBDA
                                * Math.log1p(odds(Pairs.REJECTED[i], Pairs.REJECTED_TOKENS[i])
                                        / odds(Pairs.CHOSEN[i], Pairs.CHOSEN_TOKENS[i])),
                (w, l, wTokens, lTokens) ->
                        Orpo.orpo(w, l, wTokens, lTokens, LAMBDA, 3).value());
    }

    @Test
    void oddsOfProbabilitiesNearOneAndZeroKeepTheirDigitsInFloat32() {
        Tensor w = Tensor.of(-30.0).to(DType.FLOAT32); // of log odds -30
        for (double logP : new double[] {-1e-6, -1e-3, -1, -28, -1e4}) {
            double z = logP - Math.log(-Math.expm1(logP)) + 30;
            double oracle = 30 + Math.max(0, z) + Math.log1p(Math.exp(-Math.abs(z)));
            assertEquals(oracle, orpo(w, logP, 1).item(), 1e-7 * oracle);
        }
    }

    @Test
    void anAnswerThatIsCertainHasAFiniteLossAndGradient() {
        Tensor certain = Tensor.of(0.0).requiresGrad();
        Tensor value = orpo(certain, 0, LAMBDA);
        value.backward();
        assertEquals(LAMBDA * Math.log(2), value.item(), 1e-15);
        assertEquals(-1, certain.grad().item());
    }

    @Test
    void badArgumentsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> orpo(Tensor.of(-1.0), -1, 0));
        assertThrows(IllegalArgumentException.class, () -> orpo(Tensor.of(-1, -2), -1, LAMBDA));
    }

    private static Tensor orpo(Tensor chosen, double rejected, double lambda) {
        Tensor one = Tensor.of(1.0);
        Tensor l = Tensor.of(rejected).to(chosen.dtype());
        return Orpo.orpo(chosen, l, one, one, lambda, 1).value();
    }
}

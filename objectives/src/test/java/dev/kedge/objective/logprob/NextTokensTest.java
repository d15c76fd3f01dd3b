package dev.kedge.objective.logprob;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class NextTokensTest {
    private static final double[] LOGITS = {1, 0, -1, 0.5, 2, -3, Double.NaN, 1, 1};

    private static NextTokens tokens(Tensor logits) {
        return NextTokens.ofLogits(logits, Tensor.of(new long[] {0, 2, -100}, 1, 3), -100);
    }

    @Test
    void eachPositionPredictsTheNextLabel() {
        Tensor logits = Tensor.of(LOGITS, 1, 3, 3).requiresGrad();
        NextTokens tokens = tokens(logits);
        double log = Math.log(Math.exp(1) + 1 + Math.exp(-1));
        assertArrayEquals(new boolean[] {true, false}, tokens.mask().toBooleans());
        assertEquals(-1 - log, tokens.ofTargets().toDoubles()[0], 1e-15);
        tokens.ofTargets().whereElse(tokens.mask(), 0).sum().backward();
        double[] expected = new double[9];
        for (int v = 0; v < 3; v++) {
            expected[v] = (v == 2 ? 1 : 0) - Math.exp(LOGITS[v] - log);
        }
        assertArrayEquals(expected, logits.grad().toDoubles(), 1e-15);
    }

    @Test
    void whereNothingCountsAllTokensAreAlike() {
        double[] all = tokens(Tensor.of(LOGITS, 1, 3, 3)).logProbs().toDoubles();
        assertArrayEquals(
                new double[] {-Math.log(3), -Math.log(3), -Math.log(3)}, Arrays.copyOfRange(all, 3, 6), 1e-15);
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor logits = Tensor.of(LOGITS, 1, 3, 3);
        var e = assertThrows(
                IllegalArgumentException.class,
                () -> NextTokens.ofLogits(logits, Tensor.of(new long[] {0, 2}, 1, 2), -100));
        assertTrue(e.getMessage().startsWith("labels must have the shape of logits without V, [1, 3]"), e.getMessage());
        refused("logits", () -> tokens(logits.squeeze(0)));
    }
}

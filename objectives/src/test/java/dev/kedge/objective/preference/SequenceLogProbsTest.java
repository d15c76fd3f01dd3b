package dev.kedge.objective.preference;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class SequenceLogProbsTest {
    @Test
    void aMaskedNaNReachesNeitherTheSumNorTheGradient() {
        Tensor logProbs = Tensor.of(new double[][] {{-1, -2, Double.NaN}}).requiresGrad();
        Tensor sum = SequenceLogProbs.sum(logProbs, Tensor.mask(new boolean[][] {{true, true, false}}));
        sum.sum().backward();
        assertArrayEquals(new double[] {-3}, sum.toDoubles());
        assertArrayEquals(new double[] {1, 1, 0}, logProbs.grad().toDoubles());
    }

    @Test
    void lengthsCountTheMask() {
        Tensor mask = Tensor.mask(new boolean[][] {{true, true, false}, {false, false, false}});
        assertArrayEquals(new long[] {2, 0}, SequenceLogProbs.lengths(mask).toLongs());
    }

    @Test
    void logitsScoreTheNextLabel() {
        int b = 2;
        int t = 4;
        int v = 3;
        double[] logits = new Random(5).doubles(b * t * v, -2, 2).toArray();
        long[] labels = {-100, 2, 0, -100, 1, -100, 1, 2}; // the first label never counts, here 1
        double[] oracle = new double[b];
        for (int i = 0; i < b; i++) {
            for (int s = 0; s + 1 < t; s++) {
                int label = (int) labels[i * t + s + 1];
                double z = 0;
                for (int k = 0; k < v; k++) {
                    z += Math.exp(logits[(i * t + s) * v + k]);
                }
                oracle[i] += label < 0 ? 0 : logits[(i * t + s) * v + label] - Math.log(z);
            }
        }
        Tensor sums = SequenceLogProbs.ofLogits(Tensor.of(logits, b, t, v), Tensor.of(labels, b, t), -100);
        assertArrayEquals(oracle, sums.toDoubles(), 1e-14);
    }

    @Test
    void logitsOfIgnoredPositionsMayBeNaN() {
        double nan = Double.NaN;
        Tensor logits =
                Tensor.of(new double[] {0, 0, nan, nan, nan, nan}, 1, 3, 2).requiresGrad();
        Tensor sums = SequenceLogProbs.ofLogits(logits, Tensor.of(new long[] {-100, 1, -100}, 1, 3), -100);
        sums.sum().backward();
        assertEquals(-Math.log(2), sums.item(), 1e-15);
        assertArrayEquals(new double[] {-0.5, 0.5, 0, 0, 0, 0}, logits.grad().toDoubles(), 1e-15);
    }

    @Test
    void anIgnoredLabelMayBeAnOrdinaryToken() { // as where padding and a token share an id
        Tensor logits = Tensor.of(new double[] {1, 2, 3, 4, 5, 6}, 1, 3, 2);
        Tensor sums = SequenceLogProbs.ofLogits(logits, Tensor.of(new long[] {0, 0, 1}, 1, 3), 0);
        assertEquals(-Math.log1p(Math.exp(-1)), sums.item(), 1e-15);
    }

    @Test
    void badShapesAreRefused() {
        Tensor logProbs = Tensor.of(new double[][] {{-1, -2}});
        Tensor mask = Tensor.mask(new boolean[][] {{true, false}});
        refused("mask", () -> SequenceLogProbs.sum(logProbs, mask.t()));
        refused("mask", () -> SequenceLogProbs.sum(logProbs, logProbs));
        refused("logProbs", () -> SequenceLogProbs.sum(logProbs.select(0, 0), mask.select(0, 0)));
        refused("mask must be boolean", () -> SequenceLogProbs.lengths(logProbs));
        refused("mask must be [B, T]", () -> SequenceLogProbs.lengths(mask.select(0, 0)));
        refused("logits", () -> SequenceLogProbs.ofLogits(logProbs, Tensor.of(new long[] {1, 1}, 1, 2), 0));
    }
}

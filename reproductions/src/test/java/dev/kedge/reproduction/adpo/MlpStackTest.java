package dev.kedge.reproduction.adpo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.optim.AdamW;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MlpStackTest {
    private static final double[][] CONTEXTS = {{0.3, -1, 2}, {1, 0.5, -0.2}};

    private Scope scope;

    @BeforeEach
    void open() {
        scope = new Scope();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private static MlpStack net(long seed) {
        try (var rng = Rng.seeded(seed)) {
            return MlpStack.random(3, 5, 4, rng);
        }
    }

    private static Tensor contexts() {
        return Tensor.of(CONTEXTS).to(dev.kedge.tensor.DType.FLOAT32);
    }

    /// In plain loops, from the parameters.
    @Test
    void aNetworkIsTwoLayersWithRectifiersBetween() {
        try (var net = net(1)) {
            double[] w = net.parameters().get("in.weight").toDoubles();
            double[] b = net.parameters().get("in.bias").toDoubles();
            double[] v = net.parameters().get("out.weight").toDoubles();
            double[] c = net.parameters().get("out.bias").toDoubles();
            double[] actual = net.logProbs(contexts()).toDoubles();
            for (int n = 0; n < 2; n++) {
                double[] logits = c.clone();
                for (int h = 0; h < 5; h++) {
                    double hidden = b[h];
                    for (int i = 0; i < 3; i++) {
                        hidden += CONTEXTS[n][i] * w[i * 5 + h];
                    }
                    for (int a = 0; a < 4; a++) {
                        logits[a] += Math.max(0, hidden) * v[h * 4 + a];
                    }
                }
                double log = Math.log(Arrays.stream(logits).map(Math::exp).sum());
                for (int a = 0; a < 4; a++) {
                    assertEquals(logits[a] - log, actual[n * 4 + a], 1e-5);
                }
            }
        }
    }

    @Test
    void weightsKeepToTheirBoundAndDiffer() {
        try (var net = net(2)) {
            double[] w = net.parameters().get("in.weight").toDoubles();
            double largest = Arrays.stream(w).map(Math::abs).max().orElseThrow();
            assertTrue(largest <= 1 / Math.sqrt(3) && largest > 0.4 / Math.sqrt(3), "" + largest);
            assertEquals(w.length, Arrays.stream(w).distinct().count());
        }
    }

    /// Trained side by side on different losses, each ends where it would alone.
    @Test
    void networksOfAStackDoNotSeeEachOther() {
        try (var net = net(3);
                var both = net.repeated(2);
                var alone = net.repeated(1)) {
            assertArrayEquals(
                    net.logProbs(contexts()).toDoubles(),
                    both.logProbs(contexts()).narrow(0, 1, 1).toDoubles(),
                    0);
            descend(both, logProbs -> logProbs.narrow(0, 0, 1)
                    .select(2, 0)
                    .sum()
                    .plus(logProbs.narrow(0, 1, 1).select(2, 3).sum()));
            descend(alone, logProbs -> logProbs.select(2, 3).sum());
            assertArrayEquals(
                    alone.logProbs(contexts()).toDoubles(),
                    both.logProbs(contexts()).narrow(0, 1, 1).toDoubles(),
                    1e-6);
            assertTrue(both.logProbs(contexts()).select(2, 3).toDoubles()[0] > -3, "less likely from step to step");
        }
    }

    private static void descend(MlpStack nets, java.util.function.UnaryOperator<Tensor> loss) {
        try (var optimizer = new AdamW(nets.parameters(), AdamW.Config.DEFAULT)) {
            for (int step = 0; step < 20; step++) {
                try (var _ = new Scope()) {
                    loss.apply(nets.logProbs(contexts())).backward();
                    optimizer.step(1e-2);
                }
            }
        }
    }
}

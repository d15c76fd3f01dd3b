package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class SurrogateTest {
    /// Losses and gradients of single tokens of the given ratios and advantages.
    private record Corner(double[] losses, double[] gradients, boolean[] clipped) {
        static Corner of(double[] logRatios, double[] advantages, Function<Rollout, Surrogate> surrogate) {
            Tensor x = Tensor.of(logRatios).requiresGrad();
            Surrogate s = surrogate.apply(Rollouts.single(x));
            s.losses().sum().backward();
            return new Corner(
                    s.losses().toDoubles(), x.grad().toDoubles(), s.clipped().toBooleans());
        }
    }

    private static Surrogate clip(Rollout rollout, double[] advantages) {
        return Surrogate.clipped(rollout, LogRatios.tokens(rollout), Tensor.of(advantages), 0.2, 0.28);
    }

    @Test
    void equalsTheEquation() {
        double[] logRatios = {-3, -0.3, -0.2, -0.05, 0, 0.05, 0.2, 0.26, 3};
        for (double a : new double[] {1.7, 0.4, -0.6}) {
            double[] advantages = new double[logRatios.length];
            Arrays.fill(advantages, a);
            double[] got =
                    Corner.of(logRatios, advantages, r -> clip(r, advantages)).losses();
            for (int i = 0; i < logRatios.length; i++) {
                double ratio = Math.exp(logRatios[i]);
                double clipped = Math.min(Math.max(ratio, 0.8), 1.28);
                assertEquals(Math.max(-a * ratio, -a * clipped), got[i], 1e-15, "log-ratio " + logRatios[i]);
            }
        }
    }

    @Test
    void onlyTwoOfTheFourCornersAreClipped() {
        double[] advantages = {1, 1, -1, -1};
        Corner corner = Corner.of(new double[] {0.5, -0.5, 0.5, -0.5}, advantages, r -> clip(r, advantages));
        assertArrayEquals(new boolean[] {true, false, false, true}, corner.clipped());
        assertArrayEquals(new double[] {0, -Math.exp(-0.5), Math.exp(0.5), 0}, corner.gradients(), 1e-15);
        assertArrayEquals(new double[] {-1.28, -Math.exp(-0.5), Math.exp(0.5), 0.8}, corner.losses(), 1e-15);
    }

    @Test
    void anAdvantageOfZeroIsNeverClippedAndHasNoGradient() {
        double[] advantages = new double[4];
        Corner corner = Corner.of(new double[] {2, -2, 800, -800}, advantages, r -> clip(r, advantages));
        assertArrayEquals(new boolean[4], corner.clipped());
        assertArrayEquals(new double[4], corner.gradients());
        assertArrayEquals(
                new double[4], Arrays.stream(corner.losses()).map(Math::abs).toArray());
    }

    @Test
    void overflowingRatiosAreClippedWithoutNan() {
        double[] advantages = {1, -1};
        Corner corner = Corner.of(new double[] {800, -800}, advantages, r -> clip(r, advantages));
        assertArrayEquals(new double[] {-1.28, 0.8}, corner.losses(), 1e-15);
        assertArrayEquals(new double[2], corner.gradients());
    }

    @Test
    void theDualClipBoundsBadTokensOnly() {
        double[] advantages = {-2, -2, -2, 1};
        Corner corner = Corner.of(
                new double[] {Math.log(2.9), Math.log(3.1), 800, -5},
                advantages,
                r -> Surrogate.dualClipped(r, LogRatios.tokens(r), Tensor.of(advantages), 0.2, 0.2, 3));
        assertArrayEquals(new double[] {5.8, 6, 6, -Math.exp(-5)}, corner.losses(), 1e-12);
        assertArrayEquals(new double[] {5.8, 0, 0, -Math.exp(-5)}, corner.gradients(), 1e-12);
        assertArrayEquals(new boolean[] {false, true, true, false}, corner.clipped());
        Corner low = Corner.of(
                new double[] {800},
                new double[] {-2},
                r -> Surrogate.dualClipped(r, LogRatios.tokens(r), Tensor.of(-2), 0.2, 0.2, 1.25));
        assertArrayEquals(new double[] {2.5}, low.losses(), 1e-15);
    }

    @Test
    void onPolicyAllRatiosHaveTheGradientOfTheScoreFunction() {
        Tensor logProbs = Rollouts.logProbs();
        Rollout rollout = new Rollout(logProbs, logProbs, Tensor.mask(Rollouts.MASK));
        Tensor advantages = Tensor.of(Rollouts.ADVANTAGES);
        double[] expected = {-1, -1, -1, -1, 0.8, 0.8, 0, 0, 0, 0, 0, 0};
        for (Surrogate s : new Surrogate[] {
            Surrogate.scoreFunction(rollout, advantages),
            Surrogate.unclipped(rollout, LogRatios.tokens(rollout), advantages),
            Surrogate.clipped(rollout, LogRatios.tokens(rollout), advantages, 0.2, 0.2),
            Surrogate.clipped(rollout, LogRatios.sequences(rollout), advantages, 3e-4, 4e-4),
        }) {
            if (logProbs.grad() != null) {
                InPlace.fill_(logProbs.grad(), 0);
            }
            s.losses().sum().backward();
            assertArrayEquals(expected, logProbs.grad().toDoubles());
            assertArrayEquals(new boolean[12], s.clipped().toBooleans());
        }
    }

    /// Where masked, log-ratios are 0 though log-probabilities may be NaN.
    @Test
    void logRatiosOfEveryKind() {
        Rollout rollout = Rollouts.of(Rollouts.logProbs());
        double[] means = new double[3];
        for (int i = 0; i < 2; i++) {
            int length = i == 0 ? 4 : 2;
            for (int t = 0; t < length; t++) {
                means[i] += (Rollouts.LOG_PROBS[i][t] - Rollouts.OLD[i][t]) / length;
            }
        }
        for (int i = 0; i < 3; i++) {
            for (int t = 0; t < 4; t++) {
                boolean counts = Rollouts.MASK[i][t];
                double token = counts ? Rollouts.LOG_PROBS[i][t] - Rollouts.OLD[i][t] : 0;
                int slot = 4 * i + t;
                assertEquals(token, LogRatios.tokens(rollout).toDoubles()[slot], 1e-15);
                assertEquals(counts ? means[i] : 0, LogRatios.sequences(rollout).toDoubles()[slot], 1e-15);
                assertEquals(0, LogRatios.onPolicy(rollout).toDoubles()[slot]);
                assertEquals(0, rollout.onPolicy().logRatios().toDoubles()[slot]);
            }
        }
        assertEquals(3, rollout.completions());
    }

    @Test
    void advantagesOfTokensEqualThoseOfCompletionsWhereTheyAreTheSame() {
        Tensor advantages = Tensor.of(Rollouts.ADVANTAGES);
        Rollout rollout = Rollouts.of(Rollouts.logProbs());
        Tensor spread = advantages
                .unsqueeze(1)
                .expand(3, 4)
                .whereElse(Tensor.mask(Rollouts.MASK), Double.NaN); // what is masked does not matter
        double[] perCompletion = Surrogate.clipped(rollout, LogRatios.tokens(rollout), advantages, 0.2, 0.2)
                .losses()
                .toDoubles();
        double[] perToken = Surrogate.clipped(rollout, LogRatios.tokens(rollout), spread, 0.2, 0.2)
                .losses()
                .toDoubles();
        assertArrayEquals(perCompletion, perToken);
    }

    @Test
    void metricsAreMeansOverTheTokensOfACompletion() {
        Rollout rollout = Rollouts.of(Rollouts.logProbs());
        Tensor advantages = Tensor.of(0.5, 0, 1);
        Surrogate s = Surrogate.clipped(rollout, LogRatios.tokens(rollout), advantages, 0.2, 0.2);
        Loss loss = s.loss(s.losses().sum());
        double[] first = Rollouts.LOG_PROBS[0];
        double[] old = Rollouts.OLD[0];
        double ratio = 0;
        double kl = 0;
        double surprise = 0;
        for (int t = 0; t < 4; t++) {
            ratio += Math.exp(first[t] - old[t]) / 4;
            kl += (old[t] - first[t]) / 4;
            surprise -= first[t] / 4;
        }
        assertEquals(ratio, loss.metric("ratio").toDoubles()[0], 1e-15);
        assertEquals(kl, loss.metric("kl/old").toDoubles()[0], 1e-15);
        assertEquals(surprise, loss.metric("entropy").toDoubles()[0], 1e-15);
        assertArrayEquals(new double[] {0.25, 0, 0}, loss.metric("clip/share").toDoubles());
        assertArrayEquals(new double[] {0.5, 0, 0}, loss.metric("advantage").toDoubles());
        assertArrayEquals(new double[] {0, 1, 1}, loss.metric("advantage/zero").toDoubles());
        assertArrayEquals(new double[] {4, 2, 0}, loss.metric("tokens").toDoubles());
        loss.metrics().values().forEach(m -> assertTrue(m.isFinite().allTrue()));
        Tensor balanced = Tensor.of(new double[][] {{1, -1, 2, -2}, {0, 0, 9, 9}, {0, 0, 0, 0}});
        Surrogate tokens = Surrogate.unclipped(rollout, LogRatios.tokens(rollout), balanced);
        assertArrayEquals(
                new double[] {0, 1, 1},
                tokens.loss(tokens.losses().sum()).metric("advantage/zero").toDoubles());
    }

    @Test
    void badInputIsRefused() {
        Rollout rollout = Rollouts.of(Rollouts.logProbs());
        Tensor ratios = LogRatios.tokens(rollout);
        Tensor advantages = Tensor.of(Rollouts.ADVANTAGES);
        for (double clip : new double[] {-0.1, Double.NaN, Double.POSITIVE_INFINITY}) {
            refused("clipLow", () -> Surrogate.clipped(rollout, ratios, advantages, clip, 0.2));
            refused("clipHigh", () -> Surrogate.clipped(rollout, ratios, advantages, 0.2, clip));
        }
        refused("clipLow", () -> Surrogate.dualClipped(rollout, ratios, advantages, -0.1, 0.2, 3));
        refused("cap", () -> Surrogate.dualClipped(rollout, ratios, advantages, 0.2, 0.2, 1.2));
        var e = assertThrows(
                IllegalArgumentException.class, () -> Surrogate.unclipped(rollout, ratios, Tensor.of(1, 2)));
        assertEquals("advantages must have the shape of completions, [3], was [2]", e.getMessage());
        Tensor logProbs = Tensor.of(Rollouts.OLD);
        refused("mask", () -> new Rollout(logProbs, logProbs, logProbs));
        refused("oldLogProbs", () -> new Rollout(logProbs, logProbs.t(), rollout.mask()));
        refused("perToken", () -> rollout.means(logProbs.t()));
        refused("logRatios", () -> Surrogate.unclipped(rollout, ratios.t(), advantages));
        refused("advantages", () -> Surrogate.unclipped(rollout, ratios, ratios.t()));
        Tensor tokens = rollout.mask().to(DType.INT64);
        Tensor logits = logProbs.unsqueeze(2);
        refused("tokens", () -> Rollout.ofLogits(logits, tokens.select(0, 0), logProbs, rollout.mask()));
        refused("mask", () -> Rollout.ofLogits(logits, tokens, logProbs, tokens));
        refused(
                "logProbs",
                () -> new Rollout(Tensor.of(1), Tensor.of(1), Tensor.of(1).ne(0)));
    }
}

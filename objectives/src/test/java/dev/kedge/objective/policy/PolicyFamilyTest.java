package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.function.DoubleBinaryOperator;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// The named methods, each against its equation in plain numbers, on [Rollouts]: NaN wherever nothing counts, and a
/// completion without tokens.
@ExtendWith(InScope.class)
class PolicyFamilyTest {
    private static final double BETA = 0.04;
    private static final int[] LENGTHS = {4, 2, 0};

    private static double clipped(double a, double ratio, double low, double high) {
        return Math.max(-a * ratio, -a * Math.min(Math.max(ratio, 1 - low), 1 + high));
    }

    private static double ratio(int i, int t) {
        return Math.exp(Rollouts.LOG_PROBS[i][t] - Rollouts.OLD[i][t]);
    }

    /// `Σ_i weight_i Σ_t l_it`, weights of completions by their length.
    private static double sum(DoubleBinaryOperator loss, Function<Integer, Double> weight) {
        double total = 0;
        for (int i = 0; i < 3; i++) {
            for (int t = 0; t < LENGTHS[i]; t++) {
                total += loss.applyAsDouble(i, t) * weight.apply(LENGTHS[i]);
            }
        }
        return total;
    }

    private static double token(double i, double t, double low, double high) {
        return clipped(Rollouts.ADVANTAGES[(int) i], ratio((int) i, (int) t), low, high);
    }

    private static Tensor advantages() {
        return Tensor.of(Rollouts.ADVANTAGES);
    }

    private static Rollout rollout() {
        return Rollouts.of(Rollouts.logProbs());
    }

    private static Loss grpo(Rollout rollout, Tensor advantages) {
        return Grpo.grpo(rollout, Tensor.of(Rollouts.REF), advantages, 0.2, BETA, 3);
    }

    /// Every named loss, on a rollout and advantages.
    private static Stream<Function<Rollout, Loss>> all(Tensor advantages) {
        return Stream.of(
                r -> Reinforce.reinforce(r, advantages, 3),
                r -> Rloo.rloo(r, advantages, 3),
                r -> PpoClip.ppoClip(r, advantages, 0.2, 6),
                r -> PpoClip.dualClip(r, advantages, 0.2, 3, 6),
                r -> Grpo.withoutReference(r, advantages, 0.2, 3),
                r -> DrGrpo.drGrpo(r, advantages, 0.2, 4, 3),
                r -> Dapo.dapo(r, advantages, 0.2, 0.28, 6),
                r -> Gspo.gspo(r, advantages, 3e-4, 4e-4, 3));
    }

    @Test
    void reinforceAndRloo() {
        double expected =
                sum((i, t) -> -Rollouts.ADVANTAGES[(int) i] * Rollouts.LOG_PROBS[(int) i][(int) t], _ -> 1.0 / 3);
        assertEquals(
                expected,
                Reinforce.reinforce(rollout(), advantages(), 3).value().item(),
                1e-15);
        assertEquals(expected, Rloo.rloo(rollout(), advantages(), 3).value().item(), 1e-15);
    }

    @Test
    void ppoClip() {
        double expected = sum((i, t) -> token(i, t, 0.2, 0.2), _ -> 1.0 / 6);
        assertEquals(
                expected,
                PpoClip.ppoClip(rollout(), advantages(), 0.2, 6).value().item(),
                1e-15);
    }

    @Test
    void grpoWithItsKl() {
        double expected = sum(
                (i, t) -> {
                    double x = Rollouts.REF[(int) i][(int) t] - Rollouts.LOG_PROBS[(int) i][(int) t];
                    return token(i, t, 0.2, 0.2) + BETA * (Math.exp(x) - x - 1);
                },
                length -> 1.0 / (3 * length));
        Loss loss = grpo(rollout(), advantages());
        assertEquals(expected, loss.value().item(), 1e-15);
        assertEquals(0, loss.metric("kl/ref").toDoubles()[2]);
        double policy =
                Grpo.withoutReference(rollout(), advantages(), 0.2, 3).value().item();
        assertEquals(
                policy + 2 / BETA * (expected - policy),
                Grpo.grpo(rollout(), Tensor.of(Rollouts.REF), advantages(), 0.2, 2, 3)
                        .value()
                        .item(),
                1e-13);
    }

    @Test
    void grpoWithoutAReferenceIsGrpoAtBetaZero() {
        double expected = Grpo.grpo(rollout(), Tensor.of(Rollouts.REF), advantages(), 0.2, 0, 3)
                .value()
                .item();
        assertEquals(
                expected,
                Grpo.withoutReference(rollout(), advantages(), 0.2, 3).value().item());
    }

    @Test
    void drGrpo() {
        double expected = sum((i, t) -> token(i, t, 0.2, 0.2), _ -> 1.0 / (3 * 9));
        assertEquals(
                expected,
                DrGrpo.drGrpo(rollout(), advantages(), 0.2, 9, 3).value().item(),
                1e-15);
    }

    @Test
    void dapo() {
        double expected = sum((i, t) -> token(i, t, 0.2, 0.28), _ -> 1.0 / 6);
        assertEquals(
                expected,
                Dapo.dapo(rollout(), advantages(), 0.2, 0.28, 6).value().item(),
                1e-15);
    }

    @Test
    void gspoHasTheRatioOfTheCompletion() {
        Tensor logProbs = Tensor.of(new double[][] {{-1, -2, -0.5}}).requiresGrad();
        Tensor old = Tensor.of(new double[][] {{-1.1, -1.9, -0.7}});
        Rollout rollout = new Rollout(logProbs, old, old.isFinite());
        double[] ratios = LogRatios.sequences(rollout).exp().toDoubles();
        assertArrayEquals(new double[] {1.06893911, 1.06893911, 1.06893911}, ratios, 5e-9);
        Gspo.gspo(rollout, Tensor.of(-1), 3e-4, 4e-4, 1).value().backward(); // below 0: not clipped above
        double each = Math.exp(0.2 / 3) / 3;
        assertArrayEquals(new double[] {each, each, each}, logProbs.grad().toDoubles(), 1e-15);
    }

    @Test
    void gspoClipsWholeCompletions() {
        Loss loss = Gspo.gspo(rollout(), advantages(), 3e-4, 4e-4, 3);
        double mean = 0;
        for (int t = 0; t < 4; t++) {
            mean += (Rollouts.LOG_PROBS[0][t] - Rollouts.OLD[0][t]) / 4;
        }
        double second =
                (Rollouts.LOG_PROBS[1][0] - Rollouts.OLD[1][0] + Rollouts.LOG_PROBS[1][1] - Rollouts.OLD[1][1]) / 2;
        double expected = (clipped(1, Math.exp(mean), 3e-4, 4e-4) + clipped(-0.8, Math.exp(second), 3e-4, 4e-4)) / 3;
        assertEquals(expected, loss.value().item(), 1e-15);
        assertArrayEquals(new double[] {0, 0, 0}, loss.metric("clip/share").toDoubles());
        Loss against = Gspo.gspo(rollout(), advantages().neg(), 3e-4, 4e-4, 3);
        assertArrayEquals(new double[] {1, 1, 0}, against.metric("clip/share").toDoubles());
    }

    @Test
    void zeroAdvantagesHaveNoGradient() {
        Tensor none = Tensor.of(0, 0, 0);
        all(none).forEach(method -> {
            Tensor logProbs = Rollouts.logProbs();
            Loss loss = method.apply(Rollouts.of(logProbs));
            loss.value().backward();
            assertEquals(0, loss.value().item());
            assertArrayEquals(
                    new double[12],
                    Arrays.stream(logProbs.grad().toDoubles()).map(Math::abs).toArray());
            assertArrayEquals(
                    new double[] {1, 1, 1}, loss.metric("advantage/zero").toDoubles());
        });
    }

    @Test
    void whatIsMaskedReachesNothing() {
        Stream.concat(all(advantages()), Stream.of(r -> grpo(r, advantages()))).forEach(method -> {
            Tensor logProbs = Rollouts.logProbs();
            Loss loss = method.apply(Rollouts.of(logProbs));
            loss.value().backward();
            assertTrue(loss.value().isFinite().allTrue());
            double[] gradient = logProbs.grad().toDoubles();
            for (int slot = 6; slot < 12; slot++) {
                assertEquals(0, gradient[slot]);
            }
        });
    }

    @Test
    void oldPolicyAndAdvantagesAreConstants() {
        Tensor advantages = advantages().requiresGrad();
        Stream.concat(all(advantages), Stream.of(r -> grpo(r, advantages))).forEach(method -> {
            Tensor old = Tensor.of(Rollouts.OLD).requiresGrad();
            Tensor logProbs = Rollouts.logProbs();
            method.apply(new Rollout(logProbs, old, Tensor.mask(Rollouts.MASK)))
                    .value()
                    .backward();
            assertEquals(null, old.grad());
            assertEquals(null, advantages.grad());
        });
    }

    @Test
    void overlongCompletionsLoseReward() {
        Tensor lengths = Tensor.of(0, 70, 80, 85, 90, 100, 120);
        assertArrayEquals(
                new double[] {0, 0, 0, -0.25, -0.5, -1, -1},
                Dapo.overlong(lengths, 100, 20).toDoubles(),
                1e-15);
        assertArrayEquals(
                new double[] {0, -0.7, -0.8, -0.85, -0.9, -1, -1},
                Dapo.overlong(lengths, 100, 100).toDoubles(),
                1e-15);
        assertArrayEquals(
                new double[] {0, 0, 0, 0, 0, -1, -1},
                Dapo.overlong(lengths, 100, 1).toDoubles());
        refused("margin", () -> Dapo.overlong(lengths, 100, 0));
        refused("margin", () -> Dapo.overlong(lengths, 100, 101));
    }

    @Test
    void theRunningMeanIsThatOfAllRewards() {
        var mean = Reinforce.RunningMean.NONE.with(1, 0).with().with(0.5, 0.7, 0.9);
        assertEquals(3.1 / 5, mean.value(), 1e-15);
        assertEquals(5, mean.count());
        assertEquals(Reinforce.RunningMean.NONE, Reinforce.RunningMean.NONE.with());
        assertEquals(0, Reinforce.RunningMean.NONE.value());
    }

    @Test
    void numbersOutOfRangeAreRefused() {
        Tensor a = advantages();
        for (double clip : new double[] {0, 1, -0.2, Double.NaN}) {
            refused("clip", () -> PpoClip.ppoClip(rollout(), a, clip, 6));
            refused("clip must be inside", () -> PpoClip.dualClip(rollout(), a, clip, 3, 6));
            refused("clip", () -> Grpo.withoutReference(rollout(), a, clip, 3));
            refused("clip", () -> Grpo.grpo(rollout(), Tensor.of(Rollouts.REF), a, clip, BETA, 3));
            refused("clip", () -> DrGrpo.drGrpo(rollout(), a, clip, 4, 3));
        }
        for (double beta : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
            refused("beta", () -> Grpo.grpo(rollout(), Tensor.of(Rollouts.REF), a, 0.2, beta, 3));
        }
        refused("clipHigh", () -> Dapo.dapo(rollout(), a, 0.2, -0.28, 6));
        refused("completionsInStep", () -> Gspo.gspo(rollout(), a, 3e-4, 4e-4, 2));
        refused("advantages", () -> Reinforce.reinforce(rollout(), Tensor.of(1, 2), 3));
    }
}

package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.kedge.objective.InScope;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Expectations over all draws of a single token among three, so that bias is seen exactly: the rollout has a row an
/// outcome, and the rows are weighted with the probabilities of the policy that drew.
@ExtendWith(InScope.class)
class ReferenceKlTest {
    private static final double[] POLICY = {0.5, 0.3, 0.2};
    private static final double[] OLD = {0.25, 0.35, 0.4};
    private static final double[] REF = {0.2, 0.3, 0.5};
    private static final double[] GRADIENT = {0.32070176, -0.08246617, -0.23823559}; // p (log p/q - KL), as published
    private static final double PUBLISHED = 5e-9;

    private Tensor logits;
    private Tensor logP;
    private Tensor logRef;

    @BeforeEach
    void distributions() {
        logits = Tensor.of(POLICY).log().detach().requiresGrad();
        logP = logits.logSoftmax(0);
        logRef = Tensor.of(REF).log();
    }

    private Rollout drawnBy(Tensor old) {
        Tensor logProbs = logP.unsqueeze(1);
        return new Rollout(logProbs, old.unsqueeze(1), logProbs.detach().isFinite());
    }

    private Rollout onPolicy() {
        return drawnBy(logP);
    }

    private static Tensor expectation(double[] weights, Tensor perRow) {
        return Tensor.of(weights).times(perRow.reshape(-1)).sum();
    }

    private double[] gradient(Tensor value) {
        return Functional.gradients(value, null, logits)[0].toDoubles();
    }

    @Test
    void inTheLossEachEstimatorHasTheGradientOfTheTable() {
        Tensor ref = logRef.unsqueeze(1);
        double[] other = gradient(new ForwardKl().categorical(logP, logRef));
        assertArrayEquals(
                new double[3],
                gradient(expectation(POLICY, ReferenceKl.inLoss(onPolicy(), ref, SampledKl::k1))),
                1e-15);
        assertArrayEquals(
                GRADIENT, gradient(expectation(POLICY, ReferenceKl.inLoss(onPolicy(), ref, SampledKl::k2))), PUBLISHED);
        assertArrayEquals(
                other, gradient(expectation(POLICY, ReferenceKl.inLoss(onPolicy(), ref, SampledKl::k3))), 1e-15);
        assertArrayEquals(
                GRADIENT,
                gradient(expectation(POLICY, ReferenceKl.inLoss(onPolicy(), ref, SampledKl::unbiased))),
                PUBLISHED);
    }

    /// The score-function gradient of `-beta·k`, with the sign of a loss.
    private double[] inReward(Tensor rewards) {
        Surrogate surrogate = Surrogate.scoreFunction(onPolicy(), rewards);
        return gradient(expectation(POLICY, surrogate.losses()));
    }

    @Test
    void inTheRewardK1HasTheGradientOfTheKl() {
        Tensor none = logP.detach().zerosLike();
        double[] got = inReward(ReferenceKl.inReward(none, onPolicy(), logRef.unsqueeze(1), 0.7));
        double[] expected = gradient(new ReverseKl().categorical(logP, logRef).times(0.7));
        assertArrayEquals(expected, got, 1e-15);
    }

    @Test
    void inTheRewardK3HasWhatIsMissingInTheLoss() {
        double[] got = inReward(SampledKl.k3(logP, logRef).detach().neg());
        assertArrayEquals(new double[] {0.02070176, -0.08246617, 0.06176441}, got, PUBLISHED);
        double[] inLoss =
                gradient(expectation(POLICY, ReferenceKl.inLoss(onPolicy(), logRef.unsqueeze(1), SampledKl::k3)));
        for (int v = 0; v < 3; v++) {
            assertEquals(GRADIENT[v], inLoss[v] + got[v], 2 * PUBLISHED);
        }
    }

    @Test
    void offPolicyOnlyTheWeightedOneIsUnbiased() {
        Rollout old = drawnBy(Tensor.of(OLD).log());
        Tensor weighted = expectation(OLD, ReferenceKl.importanceWeighted(old, logRef.unsqueeze(1)));
        Tensor exact = new ReverseKl().categorical(logP, logRef);
        assertEquals(exact.item(), weighted.item(), 1e-15);
        assertArrayEquals(gradient(exact), gradient(weighted), 1e-15);
        Tensor plain = expectation(OLD, ReferenceKl.inLoss(old, logRef.unsqueeze(1), SampledKl::unbiased));
        assertNotEquals(gradient(exact)[1], gradient(plain)[1], 0.1); // even its sign is wrong
    }

    @Test
    void theExactOneIsTheKlOfEachState() {
        double nan = Double.NaN;
        Tensor both = Tensor.of(new double[] {0.5, 0.3, 0.2, nan, nan, nan}, 1, 2, 3)
                .log()
                .detach();
        Tensor leaf = both.requiresGrad();
        Tensor ref = Tensor.of(new double[] {0.2, 0.3, 0.5, 1, nan, 1}, 1, 2, 3)
                .log()
                .detach()
                .requiresGrad();
        Tensor mask = Tensor.mask(new boolean[] {true, false}, 1, 2);
        Tensor kl = ReferenceKl.exact(leaf, ref, mask);
        kl.sum().backward();
        assertArrayEquals(new double[] {0.27488722, 0}, kl.toDoubles(), PUBLISHED);
        double[] gradient = {GRADIENT[0], GRADIENT[1], GRADIENT[2], 0, 0, 0};
        assertArrayEquals(gradient, leaf.grad().toDoubles(), PUBLISHED);
        assertNull(ref.grad(), "the reference is a constant");
    }

    @Test
    void inTheLossTheReferenceIsAConstantAndWhatIsMaskedIsZero() {
        Tensor ref = Tensor.of(Rollouts.REF).requiresGrad();
        Tensor offset = ReferenceKl.inLoss(Rollouts.of(Rollouts.logProbs()), ref, (p, q) -> SampledKl.k1(p, q)
                .plus(7));
        offset.sum().backward();
        assertNull(ref.grad());
        for (int i = 0; i < 3; i++) {
            for (int t = 0; t < 4; t++) {
                double expected = Rollouts.MASK[i][t] ? Rollouts.LOG_PROBS[i][t] - Rollouts.REF[i][t] + 7 : 0;
                assertEquals(expected, offset.toDoubles()[4 * i + t], 1e-15);
            }
        }
    }

    @Test
    void inRewardSumsOverTheCompletionAndKeepsToItsTokens() {
        Rollout rollout = Rollouts.of(Rollouts.logProbs());
        double[] got = ReferenceKl.inReward(Tensor.of(1, 0, 0.5), rollout, Tensor.of(Rollouts.REF), 1.2)
                .toDoubles();
        Rollout onPolicy = rollout.onPolicy();
        assertFalse(ReferenceKl.inReward(
                        Tensor.of(1, 0, 0.5).requiresGrad(),
                        onPolicy,
                        Tensor.of(Rollouts.REF).requiresGrad(),
                        1.2)
                .hasGradientGraph());
        double[] expected = {1, 0, 0.5};
        for (int i = 0; i < 2; i++) {
            for (int t = 0; t < 4; t++) {
                if (Rollouts.MASK[i][t]) {
                    expected[i] -= 1.2 * (Rollouts.OLD[i][t] - Rollouts.REF[i][t]);
                }
            }
        }
        assertArrayEquals(expected, got, 1e-15);
    }

    @Test
    void badInputIsRefused() {
        Rollout rollout = Rollouts.of(Rollouts.logProbs());
        Tensor ref = Tensor.of(Rollouts.REF);
        Tensor rewards = Tensor.of(1, 0, 0);
        refused("refLogProbs", () -> ReferenceKl.inLoss(rollout, ref.select(0, 0), SampledKl::k3));
        refused("rewards", () -> ReferenceKl.inReward(Tensor.of(1, 0), rollout, ref, 0.1));
        refused("beta", () -> ReferenceKl.inReward(rewards, rollout, ref, -0.1));
        refused("beta", () -> ReferenceKl.inReward(rewards, rollout, ref, Double.NaN));
        refused("refLogProbs", () -> ReferenceKl.inReward(rewards, rollout, ref.t(), 0.1));
        Tensor logits = ref.unsqueeze(2);
        refused("refLogits", () -> ReferenceKl.exact(logits, ref, rollout.mask()));
    }
}

package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class LpRegTest {
    private static final double PUBLISHED = 5e-9; // eight decimals are given
    private static final double[] P = {0.9, 0.06, 0.03, 0.009, 0.001};
    private static final double NONE = Double.NEGATIVE_INFINITY;
    private static final double ALL = 0; // every log-probability is below

    /// The distribution P at each of its own tokens.
    private static Tensor logits() {
        double[] five = new double[25];
        for (int i = 0; i < 25; i++) {
            five[i] = Math.log(P[i % 5]) + 3; // a shift does not matter
        }
        return Tensor.of(five, 1, 5, 5);
    }

    private static Tensor tokens() {
        return Tensor.of(new long[] {0, 1, 2, 3, 4}, 1, 5);
    }

    private static Tensor mask() {
        return Tensor.mask(new boolean[] {true, true, true, true, true}, 1, 5);
    }

    private static Tensor proxy(double kappa) {
        return LpReg.proxyLogProbs(logits(), tokens(), mask(), kappa);
    }

    private static Tensor logP() {
        return Tensor.of(P, 1, 5).log().detach().requiresGrad();
    }

    private static double[] gradient(Tensor logProbs, Loss loss) {
        loss.value().backward();
        return logProbs.grad().toDoubles();
    }

    private static Rollout onPolicy(Tensor logProbs) {
        return new Rollout(logProbs, logProbs, mask());
    }

    private static LpReg.Pull pull(Tensor proxy, double threshold) {
        return new LpReg.Pull(proxy, threshold, 1, 10);
    }

    @Test
    void theProxyLeavesOutNoiseAndNormalises() {
        double[] proxy = LpReg.proxy(logits(), 0.02).exp().narrow(1, 0, 1).toDoubles();
        assertArrayEquals(new double[] {.90909091, .06060606, .03030303, 0, 0}, proxy, PUBLISHED);
        double[] t = proxy(0.02).toDoubles();
        for (int v = 0; v < 3; v++) {
            assertEquals(0.01005034, t[v] - Math.log(P[v]), PUBLISHED);
        }
        assertEquals(NONE, t[3]);
        Tensor other = Tensor.of(new long[] {0, 1, 2, -100, -100}, 1, 5);
        Tensor three = other.ge(0);
        assertArrayEquals(
                Arrays.copyOf(t, 3),
                Arrays.copyOf(LpReg.proxyLogProbs(logits(), other, three, 0.02).toDoubles(), 3),
                "what is masked may be no token");
        assertFalse(LpReg.proxy(logits().requiresGrad(), 0.02).hasGradientGraph());
    }

    @Test
    void kappaGoesFromThePolicyToItsLikeliestTokens() {
        assertArrayEquals(logP().toDoubles(), proxy(0).toDoubles(), 1e-14);
        assertArrayEquals(new double[] {0, NONE, NONE, NONE, NONE}, proxy(1).toDoubles());
        Tensor ties = Tensor.of(new double[] {2, 2, 1}, 1, 1, 3);
        assertArrayEquals(new double[] {0.5, 0.5, 0}, LpReg.proxy(ties, 1).exp().toDoubles(), 1e-15);
    }

    @Test
    void onPolicyThePullIsTiny() {
        Tensor logProbs = logP();
        Loss loss = LpReg.lpReg(onPolicy(logProbs), Tensor.of(-0.5), pull(proxy(0.02), ALL), 1, 9, 5);
        double k3 = 5.06742475e-05;
        assertEquals(0.5 + 3 * k3 / 5, loss.value().item(), 1e-12);
        double kept = (0.5 - 0.01010101) / 5; // A·ρ pushes down, the pull up
        assertArrayEquals(new double[] {kept, kept, kept, 0.1, 0.1}, gradient(logProbs, loss), 1e-8);
        assertEquals(0.6, loss.metric("pull/share").item(), 1e-15);
        assertEquals(3 * k3 / 5, loss.metric("pull/kl").item(), 1e-12);
    }

    /// Token 2 has fallen from 0.03 to 0.005.
    private static Rollout fallen(Tensor logProbs) {
        return new Rollout(logProbs, logP(), mask());
    }

    private static Tensor fallenLogProbs() {
        return Tensor.of(new double[] {0.9, 0.06, 0.005, 0.009, 0.001}, 1, 5)
                .log()
                .detach()
                .requiresGrad();
    }

    @Test
    void aFallenTokenIsPulledUp() {
        Tensor logProbs = fallenLogProbs();
        double threshold = Math.log(0.0051);
        Loss loss = LpReg.lpReg(fallen(logProbs), Tensor.of(-1), pull(proxy(0.02), threshold), 1, 9, 5);
        assertEquals((4 + 1.0 / 6 + 3.25879626) / 5, loss.value().item(), PUBLISHED);
        var stronger = new LpReg.Pull(proxy(0.02), threshold, 3, 10);
        Loss three = LpReg.lpReg(fallen(logProbs), Tensor.of(-1), stronger, 1, 9, 5);
        assertEquals((4 + 1.0 / 6 + 3 * 3.25879626) / 5, three.value().item(), PUBLISHED);
        double[] gradient = gradient(logProbs, loss);
        assertEquals((1.0 / 6 - 5.06060606) / 5, gradient[2], PUBLISHED);
        assertArrayEquals(
                new double[] {0.2, 0.2, 0.2, 0.2},
                new double[] {gradient[0], gradient[1], gradient[3], gradient[4]},
                1e-15,
                "not considered, or filtered: as without a pull");
    }

    @Test
    void goodTokensAreNotPulled() {
        Tensor logProbs = fallenLogProbs();
        for (double good : new double[] {1, 0.5}) {
            Loss loss = LpReg.lpReg(fallen(logProbs), Tensor.of(good), pull(proxy(0.02), ALL), 1, 9, 5);
            assertEquals(0, loss.metric("pull/share").item());
            Loss published = LpReg.published(fallen(logProbs), Tensor.of(good), proxy(0.02), logP(), ALL, 1, 10, 5);
            assertEquals(0, published.metric("pull/share").item());
        }
    }

    @Test
    void withoutSelectionItIsPpoBoundedByTen() {
        Rollout rollout = Rollouts.of(Rollouts.logProbs());
        Tensor advantages = Tensor.of(Rollouts.ADVANTAGES);
        Tensor proxy = Tensor.of(Rollouts.REF);
        double expected = Dapo.dapo(rollout, advantages, 1, 9, 6).value().item();
        assertEquals(
                expected,
                LpReg.lpReg(rollout, advantages, pull(proxy, NONE), 1, 9, 6)
                        .value()
                        .item());
        Tensor logProbs = Tensor.of(new double[] {Math.log(11) - 5}, 1, 1).requiresGrad();
        Tensor old = Tensor.of(new double[] {-5}, 1, 1);
        Rollout grown = new Rollout(logProbs, old, old.isFinite());
        assertEquals(
                -10,
                LpReg.lpReg(grown, Tensor.of(1), pull(old, NONE), 1, 9, 1)
                        .value()
                        .item(),
                1e-14);
    }

    @Test
    void theCapLetsGoOfTokensFarBelow() {
        Tensor logProbs = Tensor.of(new double[] {-7}, 1, 1).requiresGrad();
        Tensor proxy = Tensor.of(new double[] {-0.2}, 1, 1);
        Rollout rollout = new Rollout(logProbs, logProbs, proxy.isFinite());
        Loss capped = LpReg.lpReg(rollout, Tensor.of(-1), pull(proxy, ALL), 1, 9, 1);
        assertEquals(11, capped.value().item(), 1e-12);
        assertEquals(1, gradient(logProbs, capped)[0], 1e-12);
        var low = new LpReg.Pull(proxy, ALL, 1, 0.5);
        assertEquals(
                1.5, LpReg.lpReg(rollout, Tensor.of(-1), low, 1, 9, 1).value().item());
        InPlace.fill_(logProbs.grad(), 0);
        var free = new LpReg.Pull(proxy, ALL, 1, Double.POSITIVE_INFINITY);
        Loss uncapped = LpReg.lpReg(rollout, Tensor.of(-1), free, 1, 9, 1);
        assertEquals(2 - Math.exp(6.8), gradient(logProbs, uncapped)[0], 1e-9);
    }

    @Test
    void theThresholdIsTheKthSmallestOfTheCandidates() {
        Tensor logProbs = Tensor.of(new double[] {-1, -5, -3, -2, -9, -4}, 2, 3);
        Tensor candidates = Tensor.mask(new boolean[] {true, true, true, true, false, true}, 2, 3);
        assertEquals(-4, LpReg.threshold(logProbs, candidates, 0.4)); // floor(0.4·5) = 2
        assertEquals(-4, LpReg.threshold(logProbs, candidates, 0.59));
        assertEquals(-3, LpReg.threshold(logProbs, candidates, 0.6));
        assertEquals(-1, LpReg.threshold(logProbs, candidates, 1));
        assertEquals(NONE, LpReg.threshold(logProbs, candidates, 0.39), "one is none");
        assertEquals(NONE, LpReg.threshold(logProbs, candidates, 0));
        assertEquals(NONE, LpReg.threshold(logProbs, candidates.zerosLike(), 1));
    }

    @Test
    void whatIsMaskedReachesNothing() {
        Tensor logProbs = Rollouts.logProbs();
        Tensor proxy = Tensor.of(Rollouts.REF).requiresGrad(); // NaN where masked
        Loss loss = LpReg.lpReg(Rollouts.of(logProbs), Tensor.of(1, -0.8, -1), pull(proxy, ALL), 1, 9, 6);
        double[] gradient = gradient(logProbs, loss);
        for (int slot = 6; slot < 12; slot++) {
            assertEquals(0, gradient[slot]);
        }
        assertArrayEquals(new double[] {0, 0.5, 0}, loss.metric("pull/share").toDoubles());
        assertNull(proxy.grad(), "the proxy is a constant");
    }

    @Test
    void theExactPullHasTheGradientOfPolicyLessProxy() {
        Tensor logits = Tensor.of(new double[] {1, 0.5, -2, 3, 0, 0.1, Double.NaN, 0, 0}, 1, 3, 3)
                .requiresGrad();
        Tensor old = Tensor.of(new double[] {0.7, 0.6, -3, 2, 1, -0.1, 0, 0, Double.NaN}, 1, 3, 3);
        Tensor mask = Tensor.mask(new boolean[] {true, true, false}, 1, 3);
        LpReg.kl(logits, old, mask, 0.1).sum().backward();
        double[] p = logits.detach().softmax(2).toDoubles();
        double[] q = LpReg.proxy(old, 0.1).exp().toDoubles();
        double[] gradient = logits.grad().toDoubles();
        for (int i = 0; i < 6; i++) {
            assertEquals(p[i] - q[i], gradient[i], 1e-15);
        }
        assertArrayEquals(new double[3], new double[] {gradient[6], gradient[7], gradient[8]});
    }

    @Test
    void thePublishedFormPullsWhatTheProxyKeeps() {
        Tensor logProbs = fallenLogProbs();
        Tensor kl = Tensor.of(new double[] {1, 2, 3, 4, 5}, 1, 5);
        Loss loss = LpReg.published(fallen(logProbs), Tensor.of(-1), proxy(0.02), kl, Math.log(0.07), 2, 10, 5);
        assertEquals((4 + 1.0 / 6 + 2 * (2 + 3)) / 5, loss.value().item(), 1e-14);
        assertEquals(0.4, loss.metric("pull/share").item(), 1e-15);
        assertEquals((2 + 3) / 5.0, loss.metric("pull/kl").item(), 1e-15);
        double[] gradient = gradient(logProbs, loss);
        assertArrayEquals(new double[] {0.2, 0.2, 1.0 / 30, 0.2, 0.2}, gradient, 1e-15);
    }

    @Test
    void thePublishedFormBoundsRatiosOnBothSidesOfTheAdvantage() {
        Tensor logProbs = Tensor.of(new double[] {800, 800}, 2, 1).requiresGrad();
        Tensor zero = logProbs.detach().zerosLike();
        Rollout rollout = new Rollout(logProbs, zero, zero.isFinite());
        Loss loss = LpReg.published(rollout, Tensor.of(1, -3), zero, zero, NONE, 1, 10, 2);
        assertEquals((-10 + 30) / 2.0, loss.value().item(), 1e-12);
        assertArrayEquals(new double[2], gradient(logProbs, loss));
    }

    @Test
    void badInputIsRefused() {
        for (double bad : new double[] {-0.1, 1.1, Double.NaN}) {
            refused("kappa", () -> LpReg.proxy(logits(), bad));
            refused("share", () -> LpReg.threshold(logP(), mask(), bad));
        }
        refused("beta", () -> new LpReg.Pull(logP(), 0, -1, 10));
        refused("cap", () -> new LpReg.Pull(logP(), 0, 1, 0));
        refused("cap", () -> new LpReg.Pull(logP(), 0, 1, Double.NaN));
        Rollout rollout = onPolicy(logP());
        Tensor a = Tensor.of(1);
        var elsewhere = pull(Tensor.of(new double[2], 1, 2), 0);
        refused("proxyLogProbs", () -> LpReg.lpReg(rollout, a, elsewhere, 1, 9, 5));
        refused("clipLow", () -> LpReg.lpReg(rollout, a, pull(logP(), 0), -1, 9, 5));
        refused("ratioCap", () -> LpReg.published(rollout, a, logP(), logP(), 0, 1, 0, 5));
        Tensor narrow = logP().narrow(1, 0, 1);
        refused("kl", () -> LpReg.published(rollout, a, logP(), narrow, 0, 1, 10, 5));
        refused("proxyLogProbs", () -> LpReg.published(rollout, a, narrow, logP(), 0, 1, 10, 5));
        refused("beta", () -> LpReg.published(rollout, a, logP(), logP(), 0, -1, 10, 5));
        refused("logits", () -> LpReg.proxy(logP(), 0.1));
        refused("proxyLogits", () -> LpReg.kl(logits(), logP(), mask(), 0.1));
        refused("candidates", () -> LpReg.threshold(logP(), logP(), 0.1));
        Tensor tokens = mask().to(DType.INT64);
        refused("mask", () -> LpReg.proxyLogProbs(logits(), tokens, tokens, 0.1));
        refused("tokens", () -> LpReg.proxyLogProbs(logits(), tokens.select(0, 0), mask(), 0.1));
    }
}

package dev.kedge.objective.preference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(InScope.class)
class AdpoTest {
    private static final double TAU = 0.8;
    private static final double[][] POLICY = {{-1, -2, -3, -2.5}, {-4, -0.5, -2, -2}, {-3, -3, -3, -1}};
    private static final double[][] ANCHOR = {{-1.5, -1.5, -2.5, -2}, {-3, -1, -2, -2.2}, {-2, -4, -3, -1}};
    private static final double[][] Q = {{0.6, 0.2, 0.1, 0.1}, {0.25, 0.25, 0.25, 0.25}, {0.05, 0.15, 0.3, 0.5}};

    private static AnchoredLogits sets(double tau) {
        return AnchoredLogits.of(Tensor.of(POLICY), Tensor.of(ANCHOR), tau);
    }

    /// `log softmax((l - a)/tau)`, in plain doubles.
    private static double[] logP(double[] policy, double[] anchor, double tau) {
        double[] u = new double[policy.length];
        Arrays.setAll(u, i -> (policy[i] - anchor[i]) / tau);
        double normalizer = Math.log(Arrays.stream(u).map(Math::exp).sum());
        return Arrays.stream(u).map(x -> x - normalizer).toArray();
    }

    private static double crossEntropy(double[] q, double[] logP) {
        double sum = 0;
        for (int i = 0; i < q.length; i++) {
            sum -= q[i] * logP[i];
        }
        return sum;
    }

    private static double entropy(double[] q) {
        return crossEntropy(q, Arrays.stream(q).map(Math::log).toArray());
    }

    @Test
    void listwiseEqualsTheEquation() {
        double[] losses = new double[3];
        Arrays.setAll(losses, s -> crossEntropy(Q[s], logP(POLICY[s], ANCHOR[s], TAU)));
        Loss loss = Adpo.listwise(sets(TAU), Tensor.of(Q), 5);
        assertEquals(Arrays.stream(losses).sum() / 5, loss.value().item(), 1e-14);
        assertArrayEquals(losses, loss.metric("loss").toDoubles(), 1e-14);
    }

    @Test
    void workedExample() {
        Tensor policy = Tensor.of(new double[][] {{-1, -2, -3}}).requiresGrad();
        Tensor targets = AdpoTargets.softmax(Tensor.of(new double[][] {{1, 0, -1}}), 0.5);
        Loss loss = Adpo.listwise(
                AnchoredLogits.of(policy, Tensor.of(new double[][] {{-1.5, -1.5, -2.5}}), TAU), targets, 1);
        loss.value().backward();
        assertArrayEquals(new double[] {0.86681333, 0.11731043, 0.01587624}, targets.toDoubles(), 5e-9);
        assertEquals(0.61947406, loss.value().item(), 5e-9);
        assertEquals(0.17841661, loss.metric("kl/target").item(), 5e-9);
        assertEquals(0.63572403, loss.metric("probability/best").item(), 5e-9);
        assertArrayEquals(
                new double[] {-0.28886163, 0.08103445, 0.20782718},
                policy.grad().toDoubles(),
                5e-9);
    }

    @Test
    void gradientIsPMinusQOverTauAndSumsToZero() {
        Tensor policy = Tensor.of(POLICY).requiresGrad();
        Adpo.listwise(AnchoredLogits.of(policy, Tensor.of(ANCHOR), TAU), Tensor.of(Q), 5)
                .value()
                .backward();
        double[] gradient = policy.grad().toDoubles();
        for (int s = 0; s < 3; s++) {
            double[] logP = logP(POLICY[s], ANCHOR[s], TAU);
            double sum = 0;
            for (int i = 0; i < 4; i++) {
                assertEquals((Math.exp(logP[i]) - Q[s][i]) / (TAU * 5), gradient[4 * s + i], 1e-15);
                sum += gradient[4 * s + i];
            }
            assertEquals(0, sum, 1e-15);
        }
    }

    /// `(Diag(p) - p pᵀ)/tau²`, by central differences of the gradient.
    @Test
    void hessianIsThatOfTheSoftmaxOverTauSquared() {
        double h = 1e-5;
        double[] p =
                Arrays.stream(logP(POLICY[1], ANCHOR[1], TAU)).map(Math::exp).toArray();
        for (int j = 0; j < 4; j++) {
            double[] up = gradientOfSecondSet(j, h);
            double[] down = gradientOfSecondSet(j, -h);
            for (int i = 0; i < 4; i++) {
                double expected = p[i] * ((i == j ? 1 : 0) - p[j]) / (TAU * TAU);
                assertEquals(expected, (up[i] - down[i]) / (2 * h), 1e-9);
            }
        }
    }

    private static double[] gradientOfSecondSet(int candidate, double nudge) {
        double[] at = POLICY[1].clone();
        at[candidate] += nudge;
        Tensor policy = Tensor.of(new double[][] {at}).requiresGrad();
        AnchoredLogits u = AnchoredLogits.of(policy, Tensor.of(new double[][] {ANCHOR[1]}), TAU);
        Adpo.listwise(u, Tensor.of(new double[][] {Q[1]}), 1).value().backward();
        return policy.grad().toDoubles();
    }

    @Test
    void twoCandidatesAndAHardTargetAreDpo() {
        Tensor policy = Tensor.stack(List.of(Tensor.of(Pairs.CHOSEN), Tensor.of(Pairs.REJECTED)), 1);
        Tensor anchor = Tensor.stack(List.of(Tensor.of(Pairs.REF_CHOSEN), Tensor.of(Pairs.REF_REJECTED)), 1);
        AnchoredLogits u = AnchoredLogits.of(policy, anchor, 1 / 0.3);
        double dpo = Dpo.dpo(Pairs.all(), 0.3, 3).value().item();
        Tensor hard = Tensor.of(new double[][] {{1, 0}, {1, 0}, {1, 0}});
        Tensor rewards = Tensor.of(new double[][] {{2, 1}, {0, -7}, {1e-9, 0}});
        assertEquals(dpo, Adpo.listwise(u, hard, 3).value().item(), 1e-15);
        assertEquals(
                dpo,
                Adpo.pairwise(u, AdpoTargets.hardPreferences(rewards), 3)
                        .value()
                        .item(),
                1e-15);
        assertEquals(dpo, Adpo.plackettLuce(u, rewards, 3).value().item(), 1e-15);
        AnchoredLogits worked =
                AnchoredLogits.of(Tensor.of(new double[][] {{0.3, -0.9}}), Tensor.of(new double[][] {{0, 0}}), 1 / 0.5);
        double loss = Adpo.listwise(worked, Tensor.of(new double[][] {{1, 0}}), 1)
                .value()
                .item();
        assertEquals(0.43748795, loss, 5e-9);
    }

    /// Where the policy is its anchor nothing is known yet: p is uniform.
    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.8, 10})
    void atTheAnchorTheLossIsLogP(double tau) {
        Tensor policy = Tensor.of(POLICY).requiresGrad();
        Loss loss = Adpo.listwise(AnchoredLogits.of(policy, policy, tau), Tensor.of(Q), 3);
        loss.value().backward();
        assertEquals(Math.log(4), loss.value().item(), 1e-14);
        double[] gradient = policy.grad().toDoubles();
        for (int i = 0; i < 12; i++) {
            assertEquals((0.25 - Q[i / 4][i % 4]) / (3 * tau), gradient[i], 1e-14);
        }
        assertArrayEquals(new double[3], loss.metric("logit/spread").toDoubles());
    }

    @Test
    void equalRewardsAskForEqualLogRatios() {
        Tensor uniform = AdpoTargets.groupRelative(Tensor.of(new double[][] {{2, 2, 2, 2}}), 0.5);
        Function<double[], Double> loss = policy -> Adpo.listwise(
                        AnchoredLogits.of(
                                Tensor.of(new double[][] {policy}), Tensor.of(new double[][] {ANCHOR[0]}), TAU),
                        uniform,
                        1)
                .value()
                .item();
        double[] shifted = Arrays.stream(ANCHOR[0]).map(a -> a - 0.7).toArray();
        assertEquals(Math.log(4), loss.apply(shifted), 1e-14);
        assertTrue(loss.apply(POLICY[0]) > Math.log(4) + 0.01);
    }

    /// Over free logits the loss is least, and equal to the entropy of q, at π ~ anchor·q^tau.
    @Test
    void theFreeOptimumIsTheAnchorTimesAPowerOfTheTarget() {
        double[] anchor = {0.5, 0.3, 0.2};
        double[] q = {0.2, 0.3, 0.5};
        double[] optimum = {0.37559386, 0.31170426, 0.31270187};
        double[] mass = new double[3];
        Arrays.setAll(mass, i -> anchor[i] * Math.pow(q[i], TAU));
        double total = Arrays.stream(mass).sum();
        double[] logits = Arrays.stream(mass).map(Math::log).toArray();
        Function<Tensor, Loss> loss = z -> Adpo.listwise(
                AnchoredLogits.of(z.logSoftmax(1), Tensor.of(anchor, 1, 3).log(), TAU), Tensor.of(q, 1, 3), 1);
        Tensor z = Tensor.of(logits, 1, 3).requiresGrad();
        Loss at = loss.apply(z);
        at.value().backward();
        assertArrayEquals(optimum, Arrays.stream(mass).map(m -> m / total).toArray(), 5e-9);
        assertArrayEquals(new double[3], z.grad().toDoubles(), 1e-15);
        assertEquals(entropy(q), at.value().item(), 1e-15);
        assertEquals(0, at.metric("kl/target").item(), 1e-15);
        var random = new Random(8);
        for (int trial = 0; trial < 20; trial++) {
            double[] other = Arrays.stream(logits)
                    .map(l -> l + 0.1 * random.nextGaussian())
                    .toArray();
            assertTrue(loss.apply(Tensor.of(other, 1, 3)).value().item() > entropy(q));
        }
    }

    @Test
    void constantsOfASetChangeNothing() {
        double at = Adpo.listwise(sets(TAU), Tensor.of(Q), 3).value().item();
        Tensor perSet = Tensor.of(new double[][] {{5}, {-3}, {40}});
        Tensor policy = Tensor.of(POLICY).plus(perSet);
        Tensor anchor = Tensor.of(ANCHOR).minus(perSet.times(0.3));
        AnchoredLogits shifted = AnchoredLogits.of(policy, anchor, TAU);
        assertEquals(at, Adpo.listwise(shifted, Tensor.of(Q), 3).value().item(), 1e-13);
    }

    @Test
    void withoutAnAnchorItIsTheCrossEntropyOfTheSoftmax() {
        double[] zeros = new double[4];
        double oracle = 0;
        for (int s = 0; s < 3; s++) {
            oracle += crossEntropy(Q[s], logP(POLICY[s], zeros, 1)) / 3;
        }
        AnchoredLogits u = AnchoredLogits.unanchored(Tensor.of(POLICY), 1);
        assertEquals(oracle, Adpo.listwise(u, Tensor.of(Q), 3).value().item(), 1e-14);
        AnchoredLogits uniform = AnchoredLogits.of(
                Tensor.of(POLICY), Tensor.of(POLICY).onesLike().times(-9), 1);
        assertEquals(oracle, Adpo.listwise(uniform, Tensor.of(Q), 3).value().item(), 1e-14);
    }

    /// Each set by itself at its own temperature.
    @Test
    void aTemperatureOfEachSet() {
        Tensor policy = Tensor.of(POLICY).requiresGrad();
        Tensor tau = Tensor.of(0.2, 1.1, 3).requiresGrad();
        Loss loss = Adpo.listwise(AnchoredLogits.of(policy, Tensor.of(ANCHOR), tau), Tensor.of(Q), 3);
        loss.value().backward();
        for (int s = 0; s < 3; s++) {
            double[] logP = logP(POLICY[s], ANCHOR[s], new double[] {0.2, 1.1, 3}[s]);
            assertEquals(crossEntropy(Q[s], logP), loss.metric("loss").toDoubles()[s], 1e-13);
        }
        assertTrue(policy.grad().ne(0).anyTrue());
        assertEquals(null, tau.grad(), "tau is a constant");
    }

    @Test
    void anchorAndTargetsAreConstants() {
        Tensor policy = Tensor.of(POLICY).requiresGrad();
        Tensor anchor = Tensor.of(ANCHOR).requiresGrad();
        Tensor targets = Tensor.of(Q).requiresGrad();
        AnchoredLogits u = AnchoredLogits.of(policy, anchor, TAU);
        Adpo.listwise(u, targets, 3)
                .value()
                .plus(Adpo.plackettLuce(u, targets, 3).value())
                .plus(Adpo.pairwise(u, targets.unsqueeze(2).minus(targets.unsqueeze(1)), 3)
                        .value())
                .backward();
        assertTrue(policy.grad().ne(0).anyTrue());
        assertEquals(null, anchor.grad());
        assertEquals(null, targets.grad());
    }

    @Test
    void splittingTheStepUnevenlyLeavesTheLossUnchanged() {
        Tensor preferences = AdpoTargets.softPreferences(Tensor.of(Q), 0.1);
        double whole = Adpo.pairwise(sets(TAU), preferences, 3).value().item();
        double parts = 0;
        for (int[] part : new int[][] {{0, 1}, {1, 2}}) {
            var u = new AnchoredLogits(sets(TAU).values().narrow(0, part[0], part[1]));
            parts += Adpo.pairwise(u, preferences.narrow(0, part[0], part[1]), 3)
                    .value()
                    .item();
        }
        assertEquals(whole, parts, 1e-14);
    }

    /// Where the target is 0 the policy may be 0 as well, and p there has no slope.
    @Test
    void aCandidateWithoutTargetMayBeImpossible() {
        Tensor policy =
                Tensor.of(new double[][] {{-1, -2, Double.NEGATIVE_INFINITY}}).requiresGrad();
        Tensor anchor = Tensor.of(new double[][] {{-1, -1, -1}});
        Loss loss = Adpo.listwise(AnchoredLogits.of(policy, anchor, 1), Tensor.of(new double[][] {{0.5, 0.5, 0}}), 1);
        loss.value().backward();
        double p = 1 / (1 + Math.exp(-1));
        assertEquals(-0.5 * Math.log(p) - 0.5 * Math.log(1 - p), loss.value().item(), 1e-15);
        assertArrayEquals(new double[] {p - 0.5, 0.5 - p, 0}, policy.grad().toDoubles(), 1e-15);
    }

    /// What the documentation says of targets that are no distribution.
    @Test
    void targetsThatSumToWActAsTheyStand() {
        Tensor policy = Tensor.of(new double[][] {POLICY[0]}).requiresGrad();
        double[] q = {0.9, 0.6, 0.3, 0.7};
        AnchoredLogits u = AnchoredLogits.of(policy, Tensor.of(new double[][] {ANCHOR[0]}), TAU);
        Adpo.listwise(u, Tensor.of(new double[][] {q}), 1).value().backward();
        double[] logP = logP(POLICY[0], ANCHOR[0], TAU);
        for (int i = 0; i < 4; i++) {
            assertEquals((2.5 * Math.exp(logP[i]) - q[i]) / TAU, policy.grad().toDoubles()[i], 1e-14);
        }
    }

    /// Long answers: log-ratios of hundreds of nats.
    @ParameterizedTest
    @ValueSource(doubles = {800, 1e6})
    void extremeLogRatiosStayFinite(double size) {
        for (DType dtype : new DType[] {DType.FLOAT64, DType.FLOAT32}) {
            Tensor policy = Tensor.of(new double[][] {{size, -size, 0, 3}, {-size, size, size, 0}})
                    .to(dtype)
                    .detach()
                    .requiresGrad();
            AnchoredLogits u = AnchoredLogits.of(policy, policy.detach().zerosLike(), 1);
            Tensor rewards =
                    Tensor.of(new double[][] {{-3, 2, 1, 2}, {0, 0, 1, 2}}).to(dtype);
            Tensor value = Adpo.listwise(u, AdpoTargets.groupRelative(rewards, 0.5), 2)
                    .value()
                    .plus(Adpo.pairwise(u, AdpoTargets.hardPreferences(rewards), 2)
                            .value())
                    .plus(Adpo.plackettLuce(u, rewards, 2).value());
            value.backward();
            assertEquals(dtype, value.dtype());
            assertTrue(value.item() > size / 10 && Double.isFinite(value.item()), "loss " + value.item());
            assertTrue(policy.grad().isFinite().allTrue());
        }
    }

    /// An answer without tokens and two equal answers: u is 0, and equal; what is asked of equal answers cancels.
    @Test
    void emptyAndEqualAnswersAreCandidates() {
        Tensor tokens = Tensor.of(new double[] {-1, -2, -0.5}, 3).requiresGrad();
        Tensor answer = tokens.sum();
        Tensor policy =
                Tensor.stack(List.of(answer, answer, answer.zerosLike()), 0).unsqueeze(0);
        Tensor anchor = Tensor.of(new double[][] {{-3, -3, 0}});
        AnchoredLogits u = AnchoredLogits.of(policy, anchor, 1);
        assertArrayEquals(new double[] {-0.5, -0.5, 0}, u.values().toDoubles(), 1e-15);
        Adpo.listwise(u, Tensor.of(new double[][] {{0.7, 0.1, 0.2}}), 1).value().backward();
        double p = 2 * Math.exp(-0.5) / (2 * Math.exp(-0.5) + 1);
        double[] slope = new double[3];
        Arrays.fill(slope, p - 0.8);
        assertArrayEquals(slope, tokens.grad().toDoubles(), 1e-15);
    }

    @Test
    void pairwiseIsTheMeanOfItsPairs() {
        double[][] rewards = {{1, 0, 0.5, 0.5}, {2, 2, 2, 2}, {-1, 3, 0, 1}};
        double temperature = 0.7;
        Loss loss = Adpo.pairwise(sets(TAU), AdpoTargets.softPreferences(Tensor.of(rewards), temperature), 3);
        for (int s = 0; s < 3; s++) {
            double sum = 0;
            double ordered = 0;
            for (int i = 0; i < 4; i++) {
                for (int j = i + 1; j < 4; j++) {
                    double d = ((POLICY[s][i] - ANCHOR[s][i]) - (POLICY[s][j] - ANCHOR[s][j])) / TAU;
                    double q = 1 / (1 + Math.exp(-(rewards[s][i] - rewards[s][j]) / temperature));
                    sum += q * Math.log1p(Math.exp(-d)) + (1 - q) * Math.log1p(Math.exp(d));
                    ordered += d > 0 ? q : d < 0 ? 1 - q : 0;
                }
            }
            assertEquals(sum / 6, loss.metric("loss").toDoubles()[s], 1e-14);
            assertEquals(ordered / 6, loss.metric("accuracy").toDoubles()[s], 1e-14);
        }
    }

    @Test
    void pairwiseWithTwoCandidatesIsListwise() {
        AnchoredLogits u = new AnchoredLogits(Tensor.of(new double[][] {{0.4, -0.2}, {-3, 1}}));
        Tensor preferences = Tensor.of(new double[] {Double.NaN, 0.8, 0.2, Double.NaN, 0.5, 0.3, 0.7, 0.5}, 2, 2, 2);
        Tensor targets = Tensor.of(new double[][] {{0.8, 0.2}, {0.3, 0.7}});
        assertEquals(
                Adpo.listwise(u, targets, 2).value().item(),
                Adpo.pairwise(u, preferences, 2).value().item(),
                1e-15); // the diagonal does not count, whatever it is
    }

    /// Every order of four candidates is drawn with the probability that the loss says.
    @Test
    void plackettLuceIsAProbabilityOverRankings() {
        double total = 0;
        for (int order = 0; order < 256; order++) {
            double[] scores = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 & 3};
            if (Arrays.stream(scores).distinct().count() == 4) {
                var u = new AnchoredLogits(sets(TAU).values().narrow(0, 1, 1));
                total += Math.exp(-3
                        * Adpo.plackettLuce(u, Tensor.of(new double[][] {scores}), 1)
                                .value()
                                .item());
            }
        }
        assertEquals(1, total, 1e-14);
    }

    @Test
    void plackettLuceEqualsTheEquation() {
        double[][] scores = {{0, 3, 1, 2}, {1, 1, 2, 0}, {5, 5, 5, 5}};
        int[][] best = {{1, 3, 2, 0}, {2, 0, 1, 3}, {0, 1, 2, 3}}; // of equal scores the first is higher
        Loss loss = Adpo.plackettLuce(sets(TAU), Tensor.of(scores), 3);
        for (int s = 0; s < 3; s++) {
            double sum = 0;
            double[] logP = logP(POLICY[s], ANCHOR[s], TAU);
            for (int k = 0; k < 3; k++) {
                double rest = 0;
                for (int j = k; j < 4; j++) {
                    rest += Math.exp(logP[best[s][j]]);
                }
                sum += Math.log(rest) - logP[best[s][k]];
            }
            assertEquals(sum / 3, loss.metric("loss").toDoubles()[s], 1e-14);
            assertEquals(
                    Math.exp(logP[best[s][0]]), loss.metric("probability/best").toDoubles()[s], 1e-14);
        }
    }

    @Test
    void gradientsEqualCentralDifferences() {
        double[] at = Arrays.stream(POLICY).flatMapToDouble(Arrays::stream).toArray();
        Tensor scores = Tensor.of(new double[][] {{0, 3, 1, 2}, {1, 1, 2, 0}, {5, 5, 5, 5}});
        Tensor preferences = AdpoTargets.softPreferences(scores, 1);
        Function<Tensor, AnchoredLogits> u = l -> AnchoredLogits.of(l, Tensor.of(ANCHOR), TAU);
        CentralDifferences.assertGradient(
                at, l -> Adpo.listwise(u.apply(l), Tensor.of(Q), 3).value(), 1e-9, 3, 4);
        CentralDifferences.assertGradient(
                at, l -> Adpo.pairwise(u.apply(l), preferences, 3).value(), 1e-9, 3, 4);
        CentralDifferences.assertGradient(
                at, l -> Adpo.plackettLuce(u.apply(l), scores, 3).value(), 1e-9, 3, 4);
        Tensor mask = Tensor.of(ANCHOR).lt(-1.2);
        CentralDifferences.assertGradient(
                at, l -> Adpo.anchorPenalty(l, Tensor.of(ANCHOR), mask, 0.3, 20).value(), 1e-9, 3, 4);
    }

    @Test
    void thePenaltyIsK3OverTheTokensOfTheStep() {
        double nan = Double.NaN;
        Tensor l = Tensor.of(new double[][] {{-1, -2, nan}, {-0.5, nan, nan}, {nan, nan, nan}})
                .requiresGrad();
        Tensor a = Tensor.of(new double[][] {{-1.5, -1, nan}, {-0.5, nan, 0}, {nan, 0, 0}});
        Tensor mask = Tensor.mask(new boolean[][] {{true, true, false}, {true, false, false}, {false, false, false}});
        Loss loss = Adpo.anchorPenalty(l, a, mask, 0.2, 7);
        loss.value().backward();
        double first = Math.exp(-0.5) + 0.5 - 1 + Math.exp(1) - 1 - 1;
        assertEquals(0.2 / 7 * first, loss.value().item(), 1e-15);
        assertArrayEquals(new double[] {first, 0, 0}, loss.metric("kl/anchor").toDoubles(), 1e-15);
        assertArrayEquals(new double[] {2, 1, 0}, loss.metric("tokens").toDoubles());
        assertArrayEquals(
                new double[] {0.2 / 7 * (1 - Math.exp(-0.5)), 0.2 / 7 * (1 - Math.exp(1)), 0, 0, 0, 0, 0, 0, 0},
                l.grad().toDoubles(),
                1e-15);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
    void aTemperatureOutOfRangeIsRefused(double tau) {
        Tensor t = Tensor.of(POLICY);
        var e = assertThrows(IllegalArgumentException.class, () -> AnchoredLogits.of(t, t, tau));
        assertEquals("tau must be finite and > 0, was " + tau, e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> AnchoredLogits.unanchored(t, tau));
    }

    @Test
    void whatIsNoSetIsRefused() {
        Tensor one = Tensor.of(new double[][] {{1}, {2}});
        var e = assertThrows(IllegalArgumentException.class, () -> AnchoredLogits.of(one, one, 1));
        assertEquals("policy must be [S, P] with at least 2 candidates in a set, was of P = 1", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> AnchoredLogits.unanchored(one, 1));
        assertThrows(IllegalArgumentException.class, () -> new AnchoredLogits(one.squeeze(1)));
        Tensor policy = Tensor.of(POLICY);
        assertThrows(IllegalArgumentException.class, () -> AnchoredLogits.of(policy, policy.t(), 1));
        assertThrows(IllegalArgumentException.class, () -> AnchoredLogits.of(policy, policy, Tensor.of(1, 2)));
        assertThrows(
                IllegalArgumentException.class,
                () -> AnchoredLogits.of(policy, policy, Tensor.of(1, 2, 3).unsqueeze(1)));
    }

    @Test
    void whatDoesNotFitIsRefused() {
        AnchoredLogits u = sets(TAU);
        Tensor q = Tensor.of(Q);
        var e = assertThrows(IllegalArgumentException.class, () -> Adpo.listwise(u, q, 2));
        assertEquals("setsInStep counts the whole step and must be >= 3, what this part holds; was 2", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> Adpo.listwise(u, q.t(), 3));
        assertThrows(IllegalArgumentException.class, () -> Adpo.pairwise(u, q, 3));
        assertThrows(IllegalArgumentException.class, () -> Adpo.pairwise(u, AdpoTargets.hardPreferences(q), 2));
        assertThrows(IllegalArgumentException.class, () -> Adpo.plackettLuce(u, q.t(), 3));
        assertThrows(IllegalArgumentException.class, () -> Adpo.plackettLuce(u, q, 2));
        Tensor mask = q.gt(0);
        assertThrows(IllegalArgumentException.class, () -> Adpo.anchorPenalty(q, q, mask, -0.1, 12));
        assertThrows(IllegalArgumentException.class, () -> Adpo.anchorPenalty(q, q, mask, Double.NaN, 12));
        assertThrows(IllegalArgumentException.class, () -> Adpo.anchorPenalty(q, q, mask, 0.1, 0));
        assertThrows(IllegalArgumentException.class, () -> Adpo.anchorPenalty(q, q, q, 0.1, 12));
        assertThrows(IllegalArgumentException.class, () -> Adpo.anchorPenalty(q, q.t(), mask, 0.1, 12));
    }
}

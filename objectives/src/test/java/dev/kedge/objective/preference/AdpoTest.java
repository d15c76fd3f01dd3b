package dev.kedge.objective.preference;

import static dev.kedge.objective.Refused.refused;
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
        Arrays.setAll(losses, s -> crossEntropy(Sets.Q[s], Sets.logP(Sets.POLICY[s], Sets.ANCHOR[s], TAU)));
        Loss loss = Adpo.listwise(Sets.all(TAU), Tensor.of(Sets.Q), 5);
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
        Tensor policy = Tensor.of(Sets.POLICY).requiresGrad();
        Adpo.listwise(AnchoredLogits.of(policy, Tensor.of(Sets.ANCHOR), TAU), Tensor.of(Sets.Q), 5)
                .value()
                .backward();
        double[] gradient = policy.grad().toDoubles();
        for (int s = 0; s < 3; s++) {
            double[] logP = Sets.logP(Sets.POLICY[s], Sets.ANCHOR[s], TAU);
            double sum = 0;
            for (int i = 0; i < 4; i++) {
                assertEquals((Math.exp(logP[i]) - Sets.Q[s][i]) / (TAU * 5), gradient[4 * s + i], 1e-15);
                sum += gradient[4 * s + i];
            }
            assertEquals(0, sum, 1e-15);
        }
    }

    /// `(Diag(p) - p pᵀ)/tau²`, by central differences of the gradient.
    @Test
    void hessianIsThatOfTheSoftmaxOverTauSquared() {
        double h = 1e-5;
        double[] p = Arrays.stream(Sets.logP(Sets.POLICY[1], Sets.ANCHOR[1], TAU))
                .map(Math::exp)
                .toArray();
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
        double[] at = Sets.POLICY[1].clone();
        at[candidate] += nudge;
        Tensor policy = Tensor.of(new double[][] {at}).requiresGrad();
        AnchoredLogits u = AnchoredLogits.of(policy, Tensor.of(new double[][] {Sets.ANCHOR[1]}), TAU);
        Adpo.listwise(u, Tensor.of(new double[][] {Sets.Q[1]}), 1).value().backward();
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
        Tensor policy = Tensor.of(Sets.POLICY).requiresGrad();
        Loss loss = Adpo.listwise(AnchoredLogits.of(policy, policy, tau), Tensor.of(Sets.Q), 3);
        loss.value().backward();
        assertEquals(Math.log(4), loss.value().item(), 1e-14);
        double[] gradient = policy.grad().toDoubles();
        for (int i = 0; i < 12; i++) {
            assertEquals((0.25 - Sets.Q[i / 4][i % 4]) / (3 * tau), gradient[i], 1e-14);
        }
        assertArrayEquals(new double[3], loss.metric("logit/spread").toDoubles());
    }

    @Test
    void equalRewardsAskForEqualLogRatios() {
        Tensor uniform = AdpoTargets.groupRelative(Tensor.of(new double[][] {{2, 2, 2, 2}}), 0.5);
        Function<double[], Double> loss = policy -> Adpo.listwise(
                        AnchoredLogits.of(
                                Tensor.of(new double[][] {policy}), Tensor.of(new double[][] {Sets.ANCHOR[0]}), TAU),
                        uniform,
                        1)
                .value()
                .item();
        double[] shifted = Arrays.stream(Sets.ANCHOR[0]).map(a -> a - 0.7).toArray();
        assertEquals(Math.log(4), loss.apply(shifted), 1e-14);
        assertTrue(loss.apply(Sets.POLICY[0]) > Math.log(4) + 0.01);
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
        double at = Adpo.listwise(Sets.all(TAU), Tensor.of(Sets.Q), 3).value().item();
        Tensor perSet = Tensor.of(new double[][] {{5}, {-3}, {40}});
        Tensor policy = Tensor.of(Sets.POLICY).plus(perSet);
        Tensor anchor = Tensor.of(Sets.ANCHOR).minus(perSet.times(0.3));
        AnchoredLogits shifted = AnchoredLogits.of(policy, anchor, TAU);
        assertEquals(at, Adpo.listwise(shifted, Tensor.of(Sets.Q), 3).value().item(), 1e-13);
    }

    @Test
    void withoutAnAnchorItIsTheCrossEntropyOfTheSoftmax() {
        double[] zeros = new double[4];
        double oracle = 0;
        for (int s = 0; s < 3; s++) {
            oracle += crossEntropy(Sets.Q[s], Sets.logP(Sets.POLICY[s], zeros, 1)) / 3;
        }
        AnchoredLogits u = AnchoredLogits.unanchored(Tensor.of(Sets.POLICY), 1);
        assertEquals(oracle, Adpo.listwise(u, Tensor.of(Sets.Q), 3).value().item(), 1e-14);
        AnchoredLogits uniform = AnchoredLogits.of(
                Tensor.of(Sets.POLICY), Tensor.of(Sets.POLICY).onesLike().times(-9), 1);
        assertEquals(
                oracle, Adpo.listwise(uniform, Tensor.of(Sets.Q), 3).value().item(), 1e-14);
    }

    /// Each set by itself at its own temperature.
    @Test
    void aTemperatureOfEachSet() {
        Tensor policy = Tensor.of(Sets.POLICY).requiresGrad();
        Tensor tau = Tensor.of(0.2, 1.1, 3).requiresGrad();
        Loss loss = Adpo.listwise(AnchoredLogits.of(policy, Tensor.of(Sets.ANCHOR), tau), Tensor.of(Sets.Q), 3);
        loss.value().backward();
        for (int s = 0; s < 3; s++) {
            double[] logP = Sets.logP(Sets.POLICY[s], Sets.ANCHOR[s], new double[] {0.2, 1.1, 3}[s]);
            assertEquals(crossEntropy(Sets.Q[s], logP), loss.metric("loss").toDoubles()[s], 1e-13);
        }
        assertTrue(policy.grad().ne(0).anyTrue());
        assertEquals(null, tau.grad(), "tau is a constant");
    }

    @Test
    void anchorAndTargetsAreConstants() {
        Tensor policy = Tensor.of(Sets.POLICY).requiresGrad();
        Tensor anchor = Tensor.of(Sets.ANCHOR).requiresGrad();
        Tensor targets = Tensor.of(Sets.Q).requiresGrad();
        AnchoredLogits u = AnchoredLogits.of(policy, anchor, TAU);
        Adpo.listwise(u, targets, 3)
                .value()
                .plus(Adpo.plackettLuce(u, targets, 3).value())
                .plus(Adpo.pairwise(u, targets.unsqueeze(2).minus(targets.unsqueeze(1)), 3)
                        .value())
                .plus(Adpo.anchorPenalty(policy, anchor, targets.gt(0), 1, 12).value())
                .backward();
        assertTrue(policy.grad().ne(0).anyTrue());
        assertEquals(null, anchor.grad());
        assertEquals(null, targets.grad());
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
        Tensor policy = Tensor.of(new double[][] {Sets.POLICY[0]}).requiresGrad();
        double[] q = {0.9, 0.6, 0.3, 0.7};
        AnchoredLogits u = AnchoredLogits.of(policy, Tensor.of(new double[][] {Sets.ANCHOR[0]}), TAU);
        Adpo.listwise(u, Tensor.of(new double[][] {q}), 1).value().backward();
        double[] logP = Sets.logP(Sets.POLICY[0], Sets.ANCHOR[0], TAU);
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
    void gradientsEqualCentralDifferences() {
        double[] at = Arrays.stream(Sets.POLICY).flatMapToDouble(Arrays::stream).toArray();
        Tensor scores = Tensor.of(new double[][] {{0, 3, 1, 2}, {1, 1, 2, 0}, {5, 5, 5, 5}});
        Tensor preferences = AdpoTargets.softPreferences(scores, 1);
        Function<Tensor, AnchoredLogits> u = l -> AnchoredLogits.of(l, Tensor.of(Sets.ANCHOR), TAU);
        CentralDifferences.assertGradient(
                at, l -> Adpo.listwise(u.apply(l), Tensor.of(Sets.Q), 3).value(), 1e-9, 3, 4);
        CentralDifferences.assertGradient(
                at, l -> Adpo.pairwise(u.apply(l), preferences, 3).value(), 1e-9, 3, 4);
        CentralDifferences.assertGradient(
                at, l -> Adpo.plackettLuce(u.apply(l), scores, 3).value(), 1e-9, 3, 4);
        Tensor mask = Tensor.of(Sets.ANCHOR).lt(-1.2);
        CentralDifferences.assertGradient(
                at,
                l -> Adpo.anchorPenalty(l, Tensor.of(Sets.ANCHOR), mask, 0.3, 20)
                        .value(),
                1e-9,
                3,
                4);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
    void aTemperatureOutOfRangeIsRefused(double tau) {
        Tensor t = Tensor.of(Sets.POLICY);
        var e = assertThrows(IllegalArgumentException.class, () -> AnchoredLogits.of(t, t, tau));
        assertEquals("tau must be finite and > 0, was " + tau, e.getMessage());
        refused("tau", () -> AnchoredLogits.unanchored(t, tau));
    }

    @Test
    void whatIsNoSetIsRefused() {
        Tensor one = Tensor.of(new double[][] {{1}, {2}});
        var e = assertThrows(IllegalArgumentException.class, () -> AnchoredLogits.of(one, one, 1));
        assertEquals("policy must be [S, P] with at least 2 candidates in a set, was of P = 1", e.getMessage());
        refused("values", () -> AnchoredLogits.unanchored(one, 1));
        refused("values", () -> new AnchoredLogits(one.squeeze(1)));
        Tensor policy = Tensor.of(Sets.POLICY);
        refused("anchor", () -> AnchoredLogits.of(policy, policy.t(), 1));
        refused("tau", () -> AnchoredLogits.of(policy, policy, Tensor.of(1, 2)));
        refused(
                "tau",
                () -> AnchoredLogits.of(policy, policy, Tensor.of(1, 2, 3).unsqueeze(1)));
    }

    @Test
    void whatDoesNotFitIsRefused() {
        AnchoredLogits u = Sets.all(TAU);
        Tensor q = Tensor.of(Sets.Q);
        var e = assertThrows(IllegalArgumentException.class, () -> Adpo.listwise(u, q, 2));
        assertEquals("setsInStep counts the whole step and must be >= 3, what this part holds; was 2", e.getMessage());
        refused("targets", () -> Adpo.listwise(u, q.t(), 3));
        refused("preferences", () -> Adpo.pairwise(u, q, 3));
        refused("setsInStep", () -> Adpo.pairwise(u, AdpoTargets.hardPreferences(q), 2));
        refused("scores", () -> Adpo.plackettLuce(u, q.t(), 3));
        refused("setsInStep", () -> Adpo.plackettLuce(u, q, 2));
        Tensor mask = q.gt(0);
        refused("strength", () -> Adpo.anchorPenalty(q, q, mask, -0.1, 12));
        refused("strength", () -> Adpo.anchorPenalty(q, q, mask, Double.NaN, 12));
        refused("tokensInStep", () -> Adpo.anchorPenalty(q, q, mask, 0.1, 0));
        refused("mask", () -> Adpo.anchorPenalty(q, q, q, 0.1, 12));
        Tensor row = q.select(0, 0);
        refused("logProbs", () -> Adpo.anchorPenalty(row, row, row.gt(0), 0.1, 12));
        refused("anchorLogProbs", () -> Adpo.anchorPenalty(q, q.t(), mask, 0.1, 12));
    }
}

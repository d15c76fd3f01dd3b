package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.RegularizedOptimum;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.objective.policy.Oreal.Answers;
import dev.kedge.objective.policy.Oreal.StepTokens;
import dev.kedge.objective.policy.Oreal.Strengths;
import dev.kedge.objective.policy.TokenRewardModel.Weights;
import dev.kedge.objective.supervised.CrossEntropy;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class OrealTest {
    private static final Strengths STRENGTHS = new Strengths(1, 0.5, 0.01);
    private static final double[][] LOG_PROBS = {{-0.8, -2.1, -0.6}, {-2.7, -1.4, -0.5}, {-0.3, -1.2, 0}, {-1.7, 0, 0}};
    private static final double[][] REF = {{-0.7, -2.0, -0.2}, {-3.0, -2.1, -0.5}, {-0.1, -0.8, 0}, {-2.2, 0, 0}};
    private static final double[][] CORRECT_WEIGHTS = {{0.3, 0.9, 0}, {0.4, 0.2, 0.6}, {1, 0.1, 0}, {0.7, 0, 0}};
    private static final double[][] WRONG_WEIGHTS = {{0.1, 0, 0.8}, {0.5, 1, 0.3}, {0.6, 0.2, 0}, {0.9, 0, 0}};
    private static final int[] LENGTHS = {3, 3, 2, 1};
    private static final boolean[] CORRECT = {true, false, false, true};
    private static final double[] ADVANTAGES = {4 / 3.0, -4 / 3.0, -0.9, 1.1};
    private static final StepTokens STEP = new StepTokens(4, 5);

    private static Tensor mask() {
        boolean[][] mask = new boolean[4][3];
        IntStream.range(0, 4).forEach(i -> Arrays.fill(mask[i], 0, LENGTHS[i], true));
        return Tensor.mask(mask);
    }

    private static Answers answers(Tensor logProbs) {
        return new Answers(logProbs, Tensor.of(REF), mask(), Tensor.mask(CORRECT, 4), Tensor.of(ADVANTAGES));
    }

    private static Weights weights() {
        return new Weights(Tensor.of(CORRECT_WEIGHTS), Tensor.of(WRONG_WEIGHTS));
    }

    private static Loss oreal(Answers answers, Weights weights) {
        return Oreal.oreal(answers, weights, STRENGTHS, SampledKl::k3, STEP);
    }

    @Test
    void valueAndGradientEqualTheEquation() {
        Tensor leaf = Tensor.of(LOG_PROBS).requiresGrad();
        Loss loss = oreal(answers(leaf), weights());
        loss.value().backward();
        double value = 0;
        for (int i = 0; i < 4; i++) {
            for (int t = 0; t < 3; t++) {
                double gradient = 0;
                if (t < LENGTHS[i]) {
                    double x = REF[i][t] - LOG_PROBS[i][t];
                    double push = CORRECT[i]
                            ? ADVANTAGES[i] * CORRECT_WEIGHTS[i][t] / 4
                            : 0.5 * ADVANTAGES[i] * WRONG_WEIGHTS[i][t] / 5;
                    value += (CORRECT[i] ? -push * LOG_PROBS[i][t] : -push) + 0.01 / 9 * (Math.exp(x) - x - 1);
                    gradient = -push + 0.01 / 9 * (1 - Math.exp(x));
                }
                assertEquals(gradient, leaf.grad().toDoubles()[3 * i + t], 1e-15);
            }
        }
        assertEquals(value, loss.value().item(), 1e-14);
        assertArrayEquals(new double[] {3, 3, 2, 1}, loss.metric("tokens").toDoubles());
    }

    @Test
    void workedExample() {
        Tensor scores = Tensor.of(new double[] {0.8, -0.4, 1.2}, 1, 3);
        Tensor mask = Tensor.mask(new boolean[] {true, true, true}, 1, 3);
        var one = new Answers(
                Tensor.of(new double[] {-0.5, -1.0, -0.2}, 1, 3),
                Tensor.of(new double[] {-0.6, -0.9, -0.2}, 1, 3),
                mask,
                Tensor.mask(new boolean[] {true}, 1),
                Tensor.of(2.0));
        Weights weights = TokenRewardModel.aboveThreshold(scores, mask, 0.5, 0.5);
        var tokens = new StepTokens(3, 0);
        Loss cloning = Oreal.oreal(one, weights, new Strengths(1, 0.5, 0), SampledKl::k3, tokens);
        Loss kl = Oreal.oreal(one, weights, new Strengths(0, 0.5, 0.01), SampledKl::k3, tokens);
        assertEquals(0.22783104, cloning.value().item(), 5e-9);
        assertEquals(3.33611204e-05, kl.value().item(), 5e-14);
        assertEquals(0.00483742 + 0.00517092, kl.metric("kl").item(), 1e-8);
    }

    @Test
    void aGroupOfOneOutcomeLeavesTheKlAlone() {
        Tensor rewards = Tensor.of(new double[] {-1, -1, -1, -1}, 1, 4);
        Tensor advantages = LeaveOneOut.advantages(rewards).reshape(-1);
        assertArrayEquals(new double[4], advantages.toDoubles());
        Tensor leaf = Tensor.of(LOG_PROBS).requiresGrad();
        var answers = new Answers(leaf, Tensor.of(REF), mask(), Tensor.mask(new boolean[4], 4), advantages);
        oreal(answers, weights()).value().backward();
        assertArrayEquals(klGradient(), leaf.grad().toDoubles(), 1e-17);
    }

    @Test
    void anUntrainedRewardModelLeavesTheKlAlone() {
        Tensor leaf = Tensor.of(LOG_PROBS).requiresGrad();
        Tensor scores = leaf.detach().zerosLike();
        oreal(answers(leaf), TokenRewardModel.aboveThreshold(scores, mask(), 0.5, 0.5))
                .value()
                .backward();
        assertArrayEquals(klGradient(), leaf.grad().toDoubles(), 1e-17);
    }

    private static double[] klGradient() {
        return IntStream.range(0, 12)
                .mapToDouble(j -> j % 3 < LENGTHS[j / 3]
                        ? 0.01 / 9 * (1 - Math.exp(REF[j / 3][j % 3] - LOG_PROBS[j / 3][j % 3]))
                        : 0)
                .toArray();
    }

    @Test
    void leaveOneOutAdvantagesOfOneInFour() {
        double[] a = LeaveOneOut.advantages(Tensor.of(new double[] {1, -1, -1, -1}, 1, 4))
                .toDoubles();
        assertArrayEquals(new double[] {2, -2 / 3.0, -2 / 3.0, -2 / 3.0}, a, 1e-15);
    }

    /// Weights of 1, equal strengths and as many correct tokens as wrong ones: `-(2/N) Σ A·∇log π`.
    @Test
    void withoutShapingTheGradientIsTwiceThatOfReinforce() {
        Tensor leaf = Tensor.of(LOG_PROBS).requiresGrad();
        var tokens = new StepTokens(9, 9);
        Oreal.oreal(answers(leaf), Weights.ones(leaf), new Strengths(1, 1, 0), SampledKl::k3, tokens)
                .value()
                .backward();
        for (int j = 0; j < 12; j++) {
            double expected = j % 3 < LENGTHS[j / 3] ? -2 * ADVANTAGES[j / 3] / 18 : 0;
            assertEquals(expected, leaf.grad().toDoubles()[j], 1e-16);
        }
    }

    @Test
    void plainCloningIsTheCrossEntropyOfCorrectAnswers() {
        Tensor leaf = Tensor.of(LOG_PROBS).requiresGrad();
        Tensor same = Tensor.of(LOG_PROBS).requiresGrad();
        Tensor value = Oreal.plainCloning(
                        answers(leaf), Weights.ones(leaf), new Strengths(1, 0, 0), SampledKl::k3, STEP)
                .value();
        Tensor counted = mask().and(Tensor.mask(CORRECT, 4).unsqueeze(1));
        Tensor crossEntropy = CrossEntropy.crossEntropy(same, counted, 4).value();
        value.backward();
        crossEntropy.backward();
        assertEquals(crossEntropy.item(), value.item(), 1e-15);
        assertArrayEquals(same.grad().toDoubles(), leaf.grad().toDoubles(), 1e-16);
    }

    @Test
    void plainCloningPushesWrongAnswersByTheirAdvantages() {
        Strengths wrongAlone = new Strengths(0, 0.5, 0);
        Loss plain = Oreal.plainCloning(answers(Tensor.of(LOG_PROBS)), weights(), wrongAlone, SampledKl::k3, STEP);
        Loss oreal = Oreal.oreal(answers(Tensor.of(LOG_PROBS)), weights(), wrongAlone, SampledKl::k3, STEP);
        assertEquals(oreal.value().item(), plain.value().item());
    }

    /// Draws of the reference, of which the correct ones are cloned: the expected gradient is 0 at the optimum of
    /// vanishing strength of the KL.
    @Test
    void cloningTheCorrectIsTheOptimumOfAVanishingKl() {
        double[] ref = {0.1, 0.25, 0.05, 0.35, 0.25};
        boolean[] correct = {true, false, true, false, true};
        double[] reward = {1, -1, 1, -1, 1};
        double[] logRef = Arrays.stream(ref).map(Math::log).toArray();
        double[] optimum = RegularizedOptimum.optimalPolicy(new ReverseKl(), logRef, reward, 0.01);
        double[] logits = Arrays.stream(optimum).map(p -> Math.log(p + 1e-30)).toArray();
        Tensor leaf = Tensor.of(logits).requiresGrad();
        Tensor logProbs = leaf.logSoftmax(0).unsqueeze(1);
        // An arm's probability under the reference stands for the number of its draws.
        Tensor all = Tensor.mask(new boolean[] {true, true, true, true, true}, 5, 1);
        var answers = new Answers(logProbs, logProbs, all, Tensor.mask(correct, 5), Tensor.of(ref));
        Oreal.oreal(answers, Weights.ones(logProbs), new Strengths(1, 0, 0), SampledKl::k3, new StepTokens(1, 1))
                .value()
                .backward();
        assertArrayEquals(new double[5], leaf.grad().toDoubles(), 1e-15);
    }

    @Test
    void withoutTokensOfAKindItsTermIsZero() {
        Tensor leaf = Tensor.of(LOG_PROBS).requiresGrad();
        var allWrong = new Answers(leaf, Tensor.of(REF), mask(), Tensor.mask(new boolean[4], 4), Tensor.of(ADVANTAGES));
        Loss loss = Oreal.oreal(allWrong, weights(), new Strengths(1, 0, 0), SampledKl::k3, new StepTokens(0, 9));
        loss.value().backward();
        assertEquals(0, loss.value().item());
        assertArrayEquals(new double[12], leaf.grad().toDoubles());
    }

    /// A step of one token divides by 1, and one of none by no less.
    @Test
    void denominatorsAreAtLeastOne() {
        Tensor one = Tensor.of(new double[] {-0.8}, 1, 1);
        Tensor ref = Tensor.of(new double[] {-0.3}, 1, 1);
        Weights weights = new Weights(Tensor.of(new double[] {0.4}, 1, 1), Tensor.of(new double[] {0.7}, 1, 1));
        for (boolean correct : new boolean[] {true, false}) {
            for (boolean counts : new boolean[] {true, false}) {
                var answers = new Answers(
                        one,
                        ref,
                        Tensor.mask(new boolean[] {counts}, 1, 1),
                        Tensor.mask(new boolean[] {correct}, 1),
                        Tensor.of(2.0));
                var tokens = new StepTokens(counts && correct ? 1 : 0, counts && !correct ? 1 : 0);
                Loss loss = Oreal.oreal(answers, weights, new Strengths(3, 5, 2), SampledKl::k2, tokens);
                double pull = counts && correct ? 2 * 0.4 * 0.8 : 0;
                double push = counts && !correct ? -2 * 0.7 : 0;
                assertEquals(
                        3 * pull + 5 * push + (counts ? 2 * 0.125 : 0),
                        loss.value().item(),
                        1e-15);
                assertEquals(pull, loss.metric("loss/correct").item(), 1e-15);
                assertEquals(push, loss.metric("loss/wrong").item(), 1e-15);
            }
        }
    }

    @Test
    void theAnchorMayBeAnyEstimatorOfAToken() {
        var kl = new Strengths(0, 0, 0.01);
        Loss half = Oreal.oreal(answers(Tensor.of(LOG_PROBS)), weights(), kl, SampledKl::k2, STEP);
        double sum = 0;
        for (int i = 0; i < 4; i++) {
            for (int t = 0; t < LENGTHS[i]; t++) {
                sum += Math.pow(REF[i][t] - LOG_PROBS[i][t], 2) / 2;
            }
        }
        assertEquals(0.01 / 9 * sum, half.value().item(), 1e-16);
    }

    @Test
    void onlyThePolicyIsDifferentiated() {
        Tensor ref = Tensor.of(REF).requiresGrad();
        Tensor advantages = Tensor.of(ADVANTAGES).requiresGrad();
        Tensor scores = Tensor.of(WRONG_WEIGHTS).requiresGrad();
        var answers =
                new Answers(Tensor.of(LOG_PROBS).requiresGrad(), ref, mask(), Tensor.mask(CORRECT, 4), advantages);
        oreal(answers, TokenRewardModel.aboveThreshold(scores, mask(), 0.1, 0.1))
                .value()
                .backward();
        oreal(answers, new Weights(scores, scores)).value().backward();
        assertNull(ref.grad());
        assertNull(advantages.grad());
        assertNull(scores.grad());
    }

    @Test
    void whatIsMaskedReachesNothing() {
        double[][] filled = Arrays.stream(LOG_PROBS).map(double[]::clone).toArray(double[][]::new);
        double[][] weights = Arrays.stream(CORRECT_WEIGHTS).map(double[]::clone).toArray(double[][]::new);
        for (int i = 0; i < 4; i++) {
            Arrays.fill(filled[i], LENGTHS[i], 3, Double.NaN);
            Arrays.fill(weights[i], LENGTHS[i], 3, Double.NaN);
        }
        Tensor leaf = Tensor.of(filled).requiresGrad();
        Tensor value = oreal(answers(leaf), new Weights(Tensor.of(weights), Tensor.of(WRONG_WEIGHTS)))
                .value();
        value.backward();
        assertEquals(oreal(answers(Tensor.of(LOG_PROBS)), weights()).value().item(), value.item());
        assertFalse(leaf.grad().ne(0).and(mask().not()).anyTrue());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor lp = Tensor.of(LOG_PROBS);
        Tensor correct = Tensor.mask(CORRECT, 4);
        Tensor a = Tensor.of(ADVANTAGES);
        var e = assertThrows(IllegalArgumentException.class, () -> new Strengths(1, -0.5, 0));
        assertEquals("wrong must be in [0.0, Infinity), was -0.5", e.getMessage());
        refused("correct", () -> new Strengths(Double.NaN, 1, 0));
        refused("kl", () -> new Strengths(1, 1, Double.POSITIVE_INFINITY));
        e = assertThrows(IllegalArgumentException.class, () -> new StepTokens(-1, 3));
        assertEquals("tokens in the step must be >= 0, were -1 correct and 3 wrong", e.getMessage());
        refused("tokens in the step", () -> new StepTokens(3, -1));
        refused("logProbs", () -> new Answers(a, a, correct, correct, a));
        refused("refLogProbs", () -> new Answers(lp, lp.t(), mask(), correct, a));
        refused("mask", () -> new Answers(lp, lp, lp, correct, a));
        refused("correct", () -> new Answers(lp, lp, mask(), a, a));
        e = assertThrows(IllegalArgumentException.class, () -> new Answers(lp, lp, mask(), correct, Tensor.of(1, 2)));
        assertEquals("advantages must have the shape of the rows, [4], was [2]", e.getMessage());
        Weights other = new Weights(lp.t(), lp.t());
        refused("weights", () -> oreal(answers(lp), other));
    }
}

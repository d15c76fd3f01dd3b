package dev.kedge.objective.preference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// HyPO's sampled gradient by its exact expectation: every group of answers, weighted with its probability.
@ExtendWith(InScope.class)
class HypoEstimatorTest {
    private static final double[] LOGITS = {0.5, -0.2, 0.1};
    private static final double[] REF_LOGITS = {0, 0.3, -0.4};
    private static final double BETA = 0.7;
    private static final double LAMBDA = 0.4;

    /// Mean and total variance, over all groups, of the gradient in the logits.
    private record Moments(double[] mean, double variance) {}

    @ParameterizedTest
    @CsvSource({"1, false", "2, false", "3, false", "2, true", "3, true", "4, true"})
    void theSurrogateAveragesToTheGradientOfTheKl(int group, boolean leaveOneOut) {
        Moments moments = moments(LOGITS, REF_LOGITS, group, leaveOneOut, false, 1);
        double[] p = softmax(LOGITS);
        double[] ref = softmax(REF_LOGITS);
        double[] exact = new double[3];
        Arrays.setAll(exact, y -> p[y] * (Math.log(p[y] / ref[y]) - kl(LOGITS)));
        assertEquals(0.10284804, kl(LOGITS), 5e-9);
        assertArrayEquals(new double[] {0.10575818, -0.17665001, 0.07089183}, exact, 5e-9);
        assertArrayEquals(exact, moments.mean, 1e-15);
    }

    /// The whole of it: `l_dpo + lambda·KL(π||π_ref)`, in plain doubles, by central differences.
    @ParameterizedTest
    @CsvSource({"2, false", "2, true", "3, true"})
    void theObjectiveAveragesToTheGradientOfItsTarget(int group, boolean leaveOneOut) {
        double[] gradient = moments(LOGITS, REF_LOGITS, group, leaveOneOut, true, LAMBDA).mean;
        double h = 1e-5;
        for (int i = 0; i < 3; i++) {
            double[] up = LOGITS.clone();
            double[] down = LOGITS.clone();
            up[i] += h;
            down[i] -= h;
            assertEquals((target(up) - target(down)) / (2 * h), gradient[i], 1e-10);
        }
    }

    /// Far from the reference the log-ratios have much in common, which leave-one-out takes away; close to it they
    /// have not, and the others' mean is one more noise.
    @Test
    void leaveOneOutHasTheSmallerVarianceFarFromTheReferenceAndTheLargerCloseToIt() {
        double[] farRef = {0, 0.3, -0.4, 5};
        double[] far = {0.5, -0.2, 0.1, -5};
        double plainFar = moments(far, farRef, 2, false, false, 1).variance;
        double otherFar = moments(far, farRef, 2, true, false, 1).variance;
        assertTrue(otherFar < plainFar / 10, otherFar + " against " + plainFar);
        double plainClose = moments(LOGITS, REF_LOGITS, 2, false, false, 1).variance;
        double otherClose = moments(LOGITS, REF_LOGITS, 2, true, false, 1).variance;
        assertEquals(0.04625854, plainClose, 5e-9);
        assertEquals(0.12923434, otherClose, 5e-9);
    }

    private static Moments moments(
            double[] logits, double[] refLogits, int group, boolean leaveOneOut, boolean withPair, double lambda) {
        int outcomes = logits.length;
        int groups = (int) Math.pow(outcomes, group);
        double[] p = softmax(logits);
        double[] mean = new double[outcomes];
        double square = 0;
        for (int g = 0; g < groups; g++) {
            long[] answers = new long[group];
            double probability = 1;
            for (int j = 0, rest = g; j < group; j++, rest /= outcomes) {
                answers[j] = rest % outcomes;
                probability *= p[(int) answers[j]];
            }
            double[] gradient = gradient(logits, refLogits, answers, leaveOneOut, withPair, lambda);
            for (int i = 0; i < outcomes; i++) {
                mean[i] += probability * gradient[i];
                square += probability * gradient[i] * gradient[i];
            }
        }
        return new Moments(mean, square - Arrays.stream(mean).map(m -> m * m).sum());
    }

    /// Of the pair 2 over 0, if any, and one prompt's answers.
    private static double[] gradient(
            double[] logits, double[] refLogits, long[] answers, boolean leaveOneOut, boolean withPair, double lambda) {
        try (var _ = new Scope()) {
            Tensor leaf = Tensor.of(logits).requiresGrad();
            Tensor logProbs = leaf.logSoftmax(0);
            Tensor ref = Tensor.of(refLogits).logSoftmax(0);
            int pairs = withPair ? 1 : 0;
            var lp = new PreferenceLogProbs(
                    logProbs.narrow(0, 2, pairs),
                    logProbs.narrow(0, 0, pairs),
                    ref.narrow(0, 2, pairs),
                    ref.narrow(0, 0, pairs));
            Tensor index = Tensor.of(answers, answers.length);
            var online = new OnlineLogProbs(
                    logProbs.indexSelect(0, index).unsqueeze(0),
                    ref.indexSelect(0, index).unsqueeze(0));
            Loss loss = leaveOneOut
                    ? Hypo.leaveOneOut(lp, online, BETA, lambda, 1, answers.length)
                    : Hypo.hypo(lp, online, BETA, lambda, 1, answers.length);
            loss.value().backward();
            return leaf.grad().toDoubles();
        }
    }

    private static double target(double[] logits) {
        double[] p = softmax(logits);
        double[] ref = softmax(REF_LOGITS);
        double margin = BETA * (Math.log(p[2] / ref[2]) - Math.log(p[0] / ref[0]));
        return Math.log1p(Math.exp(-margin)) + LAMBDA * kl(logits);
    }

    private static double kl(double[] logits) {
        double[] p = softmax(logits);
        double[] ref = softmax(REF_LOGITS);
        double kl = 0;
        for (int y = 0; y < 3; y++) {
            kl += p[y] * Math.log(p[y] / ref[y]);
        }
        return kl;
    }

    private static double[] softmax(double[] logits) {
        double sum = Arrays.stream(logits).map(Math::exp).sum();
        return Arrays.stream(logits).map(l -> Math.exp(l) / sum).toArray();
    }
}

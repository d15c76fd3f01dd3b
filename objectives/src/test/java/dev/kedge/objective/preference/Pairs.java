package dev.kedge.objective.preference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/// Three answer pairs in plain numbers, and the margin from the equation.
final class Pairs {
    static final double[] CHOSEN = {-1.0, -7.5, -2.0};
    static final double[] REF_CHOSEN = {-1.5, -6.0, -2.0};
    static final double[] REJECTED = {-3.0, -2.0, -2.0};
    static final double[] REF_REJECTED = {-2.0, -2.5, -2.0};
    static final double[] CHOSEN_TOKENS = {4, 2, 1};
    static final double[] REJECTED_TOKENS = {2, 5, 3};

    private Pairs() {}

    static PreferenceLogProbs of(double[] chosen, double[] rejected) {
        return new PreferenceLogProbs(
                Tensor.of(chosen), Tensor.of(rejected), Tensor.of(REF_CHOSEN), Tensor.of(REF_REJECTED));
    }

    static PreferenceLogProbs all() {
        return of(CHOSEN, REJECTED);
    }

    /// The pairs from `from` to `to`, exclusive.
    static PreferenceLogProbs range(int from, int to) {
        return new PreferenceLogProbs(
                Tensor.of(Arrays.copyOfRange(CHOSEN, from, to)),
                Tensor.of(Arrays.copyOfRange(REJECTED, from, to)),
                Tensor.of(Arrays.copyOfRange(REF_CHOSEN, from, to)),
                Tensor.of(Arrays.copyOfRange(REF_REJECTED, from, to)));
    }

    /// `(w - refW) - (l - refL)`.
    static double logRatioMargin(int i) {
        return (CHOSEN[i] - REF_CHOSEN[i]) - (REJECTED[i] - REF_REJECTED[i]);
    }

    /// One pair with the given log-ratios, against a reference of log-probability -1.
    static PreferenceLogProbs ofLogRatios(double chosen, double rejected) {
        return new PreferenceLogProbs(Tensor.of(chosen - 1), Tensor.of(rejected - 1), Tensor.of(-1.0), Tensor.of(-1.0));
    }

    static double meanOver(IntToDoubleFunction loss) {
        return IntStream.range(0, CHOSEN.length).mapToDouble(loss).average().orElseThrow();
    }

    /// A loss without a reference, its share of a step of three pairs.
    interface ReferenceFree {
        Tensor loss(Tensor chosen, Tensor rejected, Tensor chosenTokens, Tensor rejectedTokens);

        /// At the `n` pairs from `from` on, of log-probabilities [2, 3].
        default Tensor at(Tensor logProbs, long from, long n) {
            Tensor part = logProbs.narrow(1, from, n);
            return loss(
                    part.select(0, 0),
                    part.select(0, 1),
                    Tensor.of(CHOSEN_TOKENS).narrow(0, from, n),
                    Tensor.of(REJECTED_TOKENS).narrow(0, from, n));
        }
    }

    /// Holds the value against its equation in plain numbers, the gradient against central differences, and both
    /// against those of the step split into one pair and two.
    static void assertEquation(IntToDoubleFunction equation, ReferenceFree objective) {
        double[] logProbs = DoubleStream.concat(Arrays.stream(CHOSEN), Arrays.stream(REJECTED))
                .toArray();
        Tensor whole = Tensor.of(logProbs, 2, 3).requiresGrad();
        Tensor value = objective.at(whole, 0, 3);
        assertEquals(meanOver(equation), value.item(), 1e-13);
        CentralDifferences.assertGradient(logProbs, x -> objective.at(x, 0, 3), 1e-9, 2, 3);
        Tensor split = Tensor.of(logProbs, 2, 3).requiresGrad();
        Tensor parts = objective.at(split, 0, 1).plus(objective.at(split, 1, 2));
        assertEquals(value.item(), parts.item(), 1e-13);
        value.backward();
        parts.backward();
        assertArrayEquals(whole.grad().toDoubles(), split.grad().toDoubles(), 1e-14);
    }
}

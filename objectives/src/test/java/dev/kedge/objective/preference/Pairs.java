package dev.kedge.objective.preference;

import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/// Three answer pairs in plain numbers, and the margin from the equation.
final class Pairs {
    static final double[] CHOSEN = {-1.0, -7.5, -2.0};
    static final double[] REF_CHOSEN = {-1.5, -6.0, -2.0};
    static final double[] REJECTED = {-3.0, -2.0, -2.0};
    static final double[] REF_REJECTED = {-2.0, -2.5, -2.0};

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
}

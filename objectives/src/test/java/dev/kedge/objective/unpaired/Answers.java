package dev.kedge.objective.unpaired;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import java.util.function.Function;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/// Four labelled answers in plain numbers, and what a loss of them is held to.
final class Answers {
    static final double[] POLICY = {-1.0, -7.5, -2.0, -5.0};
    static final double[] REFERENCE = {-1.5, -6.0, -3.0, -3.0};
    static final boolean[] DESIRABLE = {true, false, false, true};

    private Answers() {}

    /// The `n` answers from `from` on, with log-probabilities from `policy` [4].
    static UnpairedLogProbs of(Tensor policy, long from, long n) {
        return new UnpairedLogProbs(
                policy.narrow(0, from, n),
                Tensor.of(REFERENCE).narrow(0, from, n),
                Tensor.mask(DESIRABLE, 4).narrow(0, from, n));
    }

    static double logRatio(int i) {
        return POLICY[i] - REFERENCE[i];
    }

    /// Holds the value against the mean of the equation, the gradient against central differences, and both against
    /// those of the step split into one answer and three.
    static void assertEquation(IntToDoubleFunction equation, Function<UnpairedLogProbs, Loss> objective) {
        double oracle = IntStream.range(0, 4).mapToDouble(equation).average().orElseThrow();
        Tensor whole = Tensor.of(POLICY).requiresGrad();
        Tensor value = objective.apply(of(whole, 0, 4)).value();
        assertEquals(oracle, value.item(), 1e-14);
        CentralDifferences.assertGradient(
                POLICY, x -> objective.apply(of(x, 0, 4)).value(), 1e-9);
        Tensor split = Tensor.of(POLICY).requiresGrad();
        Tensor first = objective.apply(of(split, 0, 1)).value();
        Tensor parts = first.plus(objective.apply(of(split, 1, 3)).value());
        assertEquals(oracle, parts.item(), 1e-14);
        value.backward();
        parts.backward();
        assertArrayEquals(whole.grad().toDoubles(), split.grad().toDoubles(), 1e-15);
    }
}

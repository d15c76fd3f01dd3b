package dev.kedge.objective.demonstration;

import dev.kedge.tensor.Tensor;
import java.util.Random;

/// Random decision processes of 4 steps, 3 states and 2 actions, and policies in them.
final class Processes {
    static final int H = 4;
    static final int S = 3;
    static final int A = 2;

    private Processes() {}

    static FiniteHorizon process(Random random) {
        return new FiniteHorizon(Tensor.of(random.doubles(H * S * A).toArray(), H, S, A), transitions(random));
    }

    static Tensor transitions(Random random) {
        return Tensor.of(random.doubles(H * S * A * S, -2, 2).toArray(), H, S, A, S)
                .softmax(3);
    }

    static Tensor logPolicy(Random random) {
        return Tensor.of(random.doubles(H * S * A, -2, 2).toArray(), H, S, A).logSoftmax(2);
    }

    /// From state 0 at the first step.
    static double start(Tensor values) {
        return values.toDoubles()[0];
    }
}

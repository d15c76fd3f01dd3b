package dev.kedge.recipe.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/// A method at work on one policy. Most remember nothing from step to step.
@FunctionalInterface
public interface Learner extends AutoCloseable {
    /// Decides what depends on the whole batch, such as advantages, without gradient.
    ///
    /// @return the loss of each micro-batch: together they add up to the batch's, and none sees what became of
    ///         another
    Function<MicroBatch, Loss> loss(RolloutBatch batch);

    /// What it remembers, written into checkpoints and restored in place.
    default Map<String, Tensor> state() {
        return Map.of();
    }

    /// Frees what it holds.
    @Override
    default void close() {}

    /// A learner with a memory.
    ///
    /// @param state   see [#state]
    /// @param close   frees it
    /// @param learner reads it, and writes it in place
    static Learner remembering(Supplier<Map<String, Tensor>> state, Runnable close, Learner learner) {
        return new Learner() {
            @Override
            public Function<MicroBatch, Loss> loss(RolloutBatch batch) {
                return learner.loss(batch);
            }

            @Override
            public Map<String, Tensor> state() {
                return state.get();
            }

            @Override
            public void close() {
                close.run();
            }
        };
    }
}

package dev.kedge.recipe.policy;

import dev.kedge.tensor.Tensor;
import java.util.Map;

/// A method at work on one policy. Most remember nothing from step to step.
@FunctionalInterface
public interface Learner extends AutoCloseable {
    /// Decides what depends on the whole step, without gradient; then gives the loss of its parts.
    PolicyMethod.PartLoss plan(RolloutBatch step);

    /// What it remembers, written into checkpoints and restored in place.
    default Map<String, Tensor> state() {
        return Map.of();
    }

    /// Frees what it holds.
    @Override
    default void close() {}
}

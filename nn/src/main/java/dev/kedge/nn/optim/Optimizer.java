package dev.kedge.nn.optim;

import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Map;

/// Moves parameters against their gradient.
public sealed interface Optimizer extends AutoCloseable permits AdamW, Sgd {
    /// One step; then the gradient is zero again.
    void step(double learningRate);

    /// What must be saved to go on, by name; the tensors themselves, not copies.
    Map<String, Tensor> state();

    /// Takes over a saved [#state].
    ///
    /// @throws IllegalArgumentException if names or shapes are not this optimiser's
    default void restore(Map<String, Tensor> saved) {
        Map<String, Tensor> mine = state();
        if (!saved.keySet().equals(mine.keySet())) {
            throw new IllegalArgumentException("optimiser state has " + saved.keySet() + ", expected " + mine.keySet());
        }
        mine.forEach((name, tensor) -> {
            long[] shape = saved.get(name).shape();
            if (!Arrays.equals(shape, tensor.shape())) { // a single value would otherwise spread
                throw new IllegalArgumentException("optimiser state " + name + " is " + Arrays.toString(shape)
                        + ", expected " + Arrays.toString(tensor.shape()));
            }
        });
        try (var _ = Gradients.off()) {
            mine.forEach((name, tensor) -> InPlace.copy_(tensor, saved.get(name)));
        }
    }

    @Override
    void close();
}

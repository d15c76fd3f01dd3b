package dev.kedge.recipe.occupancy;

import dev.kedge.nn.Parameters;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/// A network of two hidden layers of leaky units, in single precision.
final class Mlp implements AutoCloseable {
    private static final double LEAK = 0.01;

    private final Parameters parameters;

    private Mlp(Parameters parameters) {
        this.parameters = parameters;
    }

    /// Weights and biases uniform within 1/√(inputs of the layer), those of the last layer a hundredth of that: it says
    /// next to nothing at first.
    static Mlp random(int inputs, int hidden, int outputs, Rng rng) {
        try (Scope _ = new Scope()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            layer(tensors, "first", inputs, hidden, 1, rng);
            layer(tensors, "second", hidden, hidden, 1, rng);
            layer(tensors, "last", hidden, outputs, 0.01, rng);
            return new Mlp(Parameters.copyOf(tensors, DType.FLOAT32, Device.CPU));
        }
    }

    private static void layer(
            Map<String, Tensor> tensors, String name, int inputs, int outputs, double scale, Rng rng) {
        double bound = scale / Math.sqrt(inputs);
        tensors.put(
                name + ".weight", rng.uniform(inputs, outputs).times(2 * bound).minus(bound));
        tensors.put(name + ".bias", rng.uniform(outputs).times(2 * bound).minus(bound));
    }

    /// [B, outputs] of [B, inputs].
    Tensor of(Tensor x) {
        Tensor hidden = leaky(linear(leaky(linear(x, "first")), "second"));
        return linear(hidden, "last");
    }

    private Tensor linear(Tensor x, String name) {
        return x.matmul(parameters.get(name + ".weight")).plus(parameters.get(name + ".bias"));
    }

    private static Tensor leaky(Tensor x) {
        return Elementwise.maximum(x, x.times(LEAK));
    }

    Parameters parameters() {
        return parameters;
    }

    @Override
    public void close() {
        parameters.close();
    }
}

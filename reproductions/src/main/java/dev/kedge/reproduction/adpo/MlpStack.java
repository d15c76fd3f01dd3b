package dev.kedge.reproduction.adpo;

import dev.kedge.nn.Parameters;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/// Policies that are networks of two layers and of one shape, N of them side by side: one product of matrices serves
/// all, so that the arms of an experiment are trained in one go. None sees the others.
final class MlpStack implements AutoCloseable {
    private final Parameters parameters;

    private MlpStack(Parameters parameters) {
        this.parameters = parameters;
    }

    /// One network with weights and biases uniform within 1/√(inputs of the layer).
    static MlpStack random(int inputs, int hidden, int outputs, Rng rng) {
        try (Scope _ = new Scope()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            tensors.put("in.weight", uniform(rng, inputs, inputs, hidden));
            tensors.put("in.bias", uniform(rng, inputs, 1, hidden));
            tensors.put("out.weight", uniform(rng, hidden, hidden, outputs));
            tensors.put("out.bias", uniform(rng, hidden, 1, outputs));
            return new MlpStack(Parameters.copyOf(tensors, DType.FLOAT32, Device.CPU));
        }
    }

    private static Tensor uniform(Rng rng, int inputs, int rows, int columns) {
        double bound = 1 / Math.sqrt(inputs);
        return rng.uniform(1, rows, columns).times(2 * bound).minus(bound);
    }

    /// Each network this many times, one copy beside the other.
    MlpStack repeated(int times) {
        try (Scope _ = new Scope();
                var _ = Gradients.off()) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            parameters.named().forEach((name, t) -> {
                long nets = t.size(0);
                tensors.put(
                        name,
                        t.unsqueeze(1)
                                .expand(nets, times, t.size(1), t.size(2))
                                .reshape(nets * times, t.size(1), t.size(2)));
            });
            return new MlpStack(Parameters.copyOf(tensors, DType.FLOAT32, Device.CPU));
        }
    }

    /// Log-probabilities of the O outcomes in each context: nats, `[N, B, O]`.
    ///
    /// @param contexts `[N, B, I]`, or `[B, I]`, the same for all
    Tensor logProbs(Tensor contexts) {
        Tensor hidden =
                Functional.relu(contexts.matmul(parameters.get("in.weight")).plus(parameters.get("in.bias")));
        return hidden.matmul(parameters.get("out.weight"))
                .plus(parameters.get("out.bias"))
                .logSoftmax(2);
    }

    Parameters parameters() {
        return parameters;
    }

    @Override
    public void close() {
        parameters.close();
    }
}

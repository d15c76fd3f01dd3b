package dev.kedge.recipe.policy;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/// A decoder with one number for each of its states: what reward models are.
///
/// @param decoder whose parameters hold the head as well
public record ScalarHead(Decoder decoder) implements AutoCloseable {
    private static final String HEAD = "score.weight";

    /// A copy of a decoder with a linear head, at first 0.
    public static ScalarHead on(Decoder start) {
        Map<String, Tensor> named = new LinkedHashMap<>(start.parameters().named());
        DType dtype = start.parameters().flat().dtype();
        try (Tensor head =
                Creation.zeros(dtype, start.device(), 1, start.config().hiddenSize())) {
            named.put(HEAD, head);
            return new ScalarHead(new Decoder(start.config(), Parameters.copyOf(named, dtype, start.device())));
        }
    }

    /// Of states [..., H], [...]: gradient flows.
    public Tensor of(Tensor states) {
        return states.matmul(decoder.parameters().get(HEAD).t()).squeeze(-1);
    }

    @Override
    public void close() {
        decoder.close();
    }
}

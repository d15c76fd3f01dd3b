package dev.kedge.run.result;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.tensor.Kernels;
import dev.kedge.tensor.Platform;
import java.util.Arrays;
import java.util.Optional;

/// What computed a result, as JSON beside it.
public final class PlatformJson {
    private PlatformJson() {}

    public static ObjectNode write(Platform platform) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("processor", platform.processor())
                .put("engine", platform.engine())
                .put("kernels", platform.kernels().toString())
                .put("aten", platform.aten())
                .put("openblas", platform.openblas())
                .put("threads", platform.threads());
    }

    /// Empty where nothing is said, as in files from before it was, or not in these words.
    public static Optional<Platform> read(JsonNode json) {
        return Arrays.stream(Kernels.values())
                .filter(kernels ->
                        kernels.toString().equals(json.path("kernels").asText()))
                .findFirst()
                .map(kernels -> new Platform(
                        json.path("processor").asText(),
                        json.path("engine").asText(),
                        kernels,
                        json.path("aten").asText(),
                        json.path("openblas").asText(),
                        json.path("threads").asInt()));
    }
}

package dev.kedge.run;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.nn.file.Safetensors;
import dev.kedge.nn.file.SafetensorsFile;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeSet;

/// A checkpoint on the disk whose checksums were found right: the counterpart of [Checkpoint], read piece by piece.
///
/// ```java
/// Optional<SavedCheckpoint> saved = run.latest();
/// if (saved.isPresent()) {
///     saved.get().restore("model", model.parameters().named());
///     saved.get().restore("optimizer", optimizer.state());
///     saved.get().restore("batches", rng);
/// }
/// long first = saved.map(SavedCheckpoint::step).orElse(0L);
/// ```
///
/// Read it before the run saves others: old ones are removed. What it does not hold is refused with a
/// [RunFailedException] that lists what it holds.
public final class SavedCheckpoint {
    private static final String TENSORS = ".safetensors";

    private final Path folder;
    private final JsonNode state;

    SavedCheckpoint(Path folder, JsonNode state) {
        this.folder = folder;
        this.state = state;
    }

    static String fileOf(String group) {
        return group + TENSORS;
    }

    /// Where it lies.
    public Path folder() {
        return folder;
    }

    /// The part of the recipe that it was saved in.
    public String phase() {
        return state.path("phase").asText();
    }

    /// How many steps of the phase were done.
    public long step() {
        return state.path("step").asLong();
    }

    /// Overwrites tensors with the saved values of a group, one after the other, without recording gradients.
    ///
    /// @param live name to tensor, such as `parameters.named()` or `optimizer.state()`
    /// @throws RunFailedException if names, shapes or types differ; nothing is overwritten then
    public void restore(String group, Map<String, Tensor> live) {
        try (SafetensorsFile file = open(group)) {
            if (!file.entries().keySet().equals(live.keySet())) {
                throw failure("`" + group + "` holds the tensors "
                        + new TreeSet<>(file.entries().keySet()) + ", expected " + new TreeSet<>(live.keySet()));
            }
            live.forEach((name, tensor) -> {
                var entry = file.entries().get(name);
                if (!Arrays.equals(entry.shape(), tensor.shape()) || entry.dtype() != tensor.dtype()) {
                    throw failure("`" + group + "` holds " + name + " as " + entry.dtype()
                            + Arrays.toString(entry.shape()) + ", expected " + tensor.dtype()
                            + Arrays.toString(tensor.shape()));
                }
            });
            try (var _ = Gradients.off()) {
                live.forEach((name, tensor) -> {
                    try (Tensor saved = file.read(name)) {
                        InPlace.copy_(tensor, saved);
                    }
                });
            }
        }
    }

    /// Puts a source of random numbers where it stood.
    public void restore(String generator, Rng rng) {
        rng.restore(Base64.getDecoder().decode(get("generators", generator).asText()));
    }

    /// The tensors of a group, on the processor; the caller's scope owns them.
    public Map<String, Tensor> tensors(String group) {
        require(group);
        return Safetensors.read(folder.resolve(fileOf(group)));
    }

    /// The names of the tensor groups.
    public List<String> groups() {
        List<String> groups = new ArrayList<>();
        try (var files = Files.newDirectoryStream(folder, "*" + TENSORS)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                groups.add(name.substring(0, name.length() - TENSORS.length()));
            }
        } catch (IOException e) {
            throw Durable.failure(folder, "cannot be read", e);
        }
        groups.sort(null);
        return groups;
    }

    /// A saved whole number.
    public long count(String name) {
        return get("counts", name).asLong();
    }

    /// A saved real number.
    public double number(String name) {
        JsonNode value = get("numbers", name);
        return value.isTextual() ? Double.parseDouble(value.textValue()) : value.doubleValue();
    }

    /// Saved text.
    public String text(String name) {
        return get("texts", name).asText();
    }

    /// The loss of its last step: of the parameters before that step's update.
    OptionalDouble loss() {
        return state.has("loss") ? OptionalDouble.of(state.path("loss").asDouble()) : OptionalDouble.empty();
    }

    long metricsLines() {
        return state.path("metrics_lines").asLong();
    }

    double seconds() {
        return state.path("seconds").asDouble();
    }

    long ordinal() {
        return state.path("ordinal").asLong();
    }

    private SafetensorsFile open(String group) {
        require(group);
        return Safetensors.open(folder.resolve(fileOf(group)));
    }

    private void require(String group) {
        if (!groups().contains(group)) {
            throw failure("holds no tensors `" + group + "`, only " + groups());
        }
    }

    private JsonNode get(String kind, String name) {
        JsonNode values = state.path(kind);
        if (!values.has(name)) {
            List<String> names = new ArrayList<>();
            values.fieldNames().forEachRemaining(names::add);
            throw failure("holds no `" + name + "` among its " + kind + ", only " + names);
        }
        return values.get(name);
    }

    private RunFailedException failure(String message) {
        return new RunFailedException(folder + ": " + message);
    }
}

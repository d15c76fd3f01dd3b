package dev.kedge.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.file.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeSet;
import java.util.function.Consumer;

/// The folder `checkpoints` of a run. A checkpoint is a folder `step-N` of `state.json`, one safetensors file a tensor
/// group, and `manifest.json` with the SHA-256 of each; it gets its name when all of it is on the disk.
final class CheckpointStore {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String STATE = "state.json";
    private static final String MANIFEST = "manifest.json";
    private static final String SAVING = ".saving";
    private static final String REMOVING = ".removing";

    private final Path folder;
    private final List<SavedCheckpoint> usable = new ArrayList<>();

    private CheckpointStore(Path folder) {
        this.folder = folder;
    }

    /// What a damaged checkpoint looks like to those who read it.
    private static final class DamagedException extends Exception {
        private static final long serialVersionUID = 1;

        DamagedException(String message) {
            super(message);
        }
    }

    /// Looks for the newest checkpoint whose checksums are right.
    ///
    /// @param warn takes a line for each damaged one
    /// @throws RunFailedException if there are checkpoints and all of them are damaged
    static CheckpointStore open(Path folder, Consumer<String> warn) throws IOException {
        Files.createDirectories(folder);
        Durable.deleteTree(folder.resolve(SAVING));
        Durable.deleteTree(folder.resolve(REMOVING));
        CheckpointStore store = new CheckpointStore(folder);
        List<Path> found = store.folders();
        for (Path checkpoint : found) {
            try {
                store.usable.add(read(checkpoint));
            } catch (DamagedException e) {
                warn.accept(checkpoint + " is damaged and not used: " + e.getMessage());
            }
        }
        store.usable.sort(Comparator.comparingLong(SavedCheckpoint::ordinal));
        if (store.usable.isEmpty() && !found.isEmpty()) {
            throw new RunFailedException(folder + ": all " + found.size()
                    + " checkpoints are damaged; delete this folder to start the run from its beginning");
        }
        return store;
    }

    Optional<SavedCheckpoint> latest() {
        return usable.isEmpty() ? Optional.empty() : Optional.of(usable.getLast());
    }

    /// Those whose checksums were right, the newest first.
    List<SavedCheckpoint> newestFirst() {
        return List.copyOf(usable.reversed());
    }

    /// Returns when the checkpoint is on the disk; then all but the last `keep` good ones go.
    ///
    /// @param loss of its last step, where one was logged
    void save(Checkpoint checkpoint, OptionalDouble loss, long metricsLines, double seconds, int keep)
            throws IOException {
        Path saving = folder.resolve(SAVING);
        Durable.deleteTree(saving);
        Files.createDirectory(saving);
        long ordinal = latest().map(SavedCheckpoint::ordinal).orElse(0L) + 1;
        ObjectNode state = state(checkpoint, ordinal, metricsLines, seconds);
        loss.ifPresent(value -> state.put("loss", value));
        Durable.write(saving.resolve(STATE), bytes(state));
        for (var group : checkpoint.tensors.entrySet()) {
            Safetensors.write(saving.resolve(SavedCheckpoint.fileOf(group.getKey())), group.getValue(), Map.of());
        }
        Durable.write(saving.resolve(MANIFEST), bytes(manifest(saving)));
        Path named = free(checkpoint.step, ordinal);
        Durable.move(saving, named);
        usable.add(new SavedCheckpoint(named, state));
        prune(keep);
    }

    /// `step-N`; where another phase, or a damaged checkpoint, has that name, `step-N-ORDINAL`.
    private Path free(long step, long ordinal) {
        Path name = folder.resolve("step-" + step);
        for (long suffix = ordinal; Files.exists(name); suffix++) {
            name = folder.resolve("step-" + step + "-" + suffix);
        }
        return name;
    }

    private void prune(int keep) throws IOException {
        while (usable.size() > keep) {
            usable.removeFirst();
        }
        List<Path> kept = usable.stream().map(SavedCheckpoint::folder).toList();
        for (Path checkpoint : folders()) {
            if (!kept.contains(checkpoint)) {
                // Renamed first: a checkpoint that is half deleted is none, not a damaged one.
                Path removing = folder.resolve(REMOVING);
                Durable.move(checkpoint, removing);
                Durable.deleteTree(removing);
            }
        }
    }

    private List<Path> folders() throws IOException {
        try (var paths = Files.list(folder)) {
            return paths.filter(path -> path.getFileName().toString().startsWith("step-"))
                    .sorted()
                    .toList();
        }
    }

    private static ObjectNode state(Checkpoint checkpoint, long ordinal, long metricsLines, double seconds) {
        ObjectNode state = JSON.createObjectNode();
        state.put("ordinal", ordinal);
        state.put("phase", checkpoint.phase);
        state.put("step", checkpoint.step);
        state.put("metrics_lines", metricsLines);
        state.put("seconds", seconds);
        checkpoint.counts.forEach(state.putObject("counts")::put);
        ObjectNode numbers = state.putObject("numbers");
        checkpoint.numbers.forEach((name, value) -> {
            if (Double.isFinite(value)) {
                numbers.put(name, value);
            } else {
                numbers.put(name, value.toString());
            }
        });
        checkpoint.texts.forEach(state.putObject("texts")::put);
        ObjectNode generators = state.putObject("generators");
        checkpoint.generators.forEach(
                (name, bytes) -> generators.put(name, Base64.getEncoder().encodeToString(bytes)));
        return state;
    }

    private static byte[] bytes(ObjectNode node) throws IOException {
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(node);
    }

    private static ObjectNode manifest(Path checkpoint) throws IOException {
        ObjectNode manifest = JSON.createObjectNode();
        ObjectNode checksums = manifest.putObject("sha256");
        for (String name : names(checkpoint)) {
            checksums.put(name, Durable.sha256(checkpoint.resolve(name)));
        }
        return manifest;
    }

    private static TreeSet<String> names(Path checkpoint) throws IOException {
        TreeSet<String> names = new TreeSet<>();
        try (var files = Files.list(checkpoint)) {
            files.forEach(file -> names.add(file.getFileName().toString()));
        }
        names.remove(MANIFEST);
        return names;
    }

    private static SavedCheckpoint read(Path checkpoint) throws DamagedException {
        try {
            JsonNode checksums =
                    JSON.readTree(checkpoint.resolve(MANIFEST).toFile()).path("sha256");
            TreeSet<String> listed = new TreeSet<>();
            checksums.fieldNames().forEachRemaining(listed::add);
            TreeSet<String> present = names(checkpoint);
            for (String name : listed) {
                if (!present.contains(name)) {
                    throw new DamagedException(name + " is missing");
                }
                if (!Durable.sha256(checkpoint.resolve(name))
                        .equals(checksums.path(name).asText())) {
                    throw new DamagedException(name + " does not have the checksum of " + MANIFEST);
                }
            }
            if (!listed.equals(present) || !listed.contains(STATE)) {
                throw new DamagedException(MANIFEST + " lists " + listed + ", the folder has " + present);
            }
            return new SavedCheckpoint(
                    checkpoint, JSON.readTree(checkpoint.resolve(STATE).toFile()));
        } catch (JsonProcessingException e) {
            throw new DamagedException(MANIFEST + " is not valid JSON");
        } catch (IOException e) {
            throw new DamagedException("cannot be read: " + e);
        }
    }
}

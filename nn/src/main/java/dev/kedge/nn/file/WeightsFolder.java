package dev.kedge.nn.file;

import static dev.kedge.nn.file.InvalidFileException.quoted;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/// The weights of a folder: one `model.safetensors`, or the shards that `model.safetensors.index.json` names.
public final class WeightsFolder implements AutoCloseable {
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final Pattern SHARD = Pattern.compile("model-\\d{5}-of-\\d{5}\\.safetensors");

    private final Path source;
    private final List<SafetensorsFile> files = new ArrayList<>();
    private final SequencedMap<String, SafetensorsFile> fileOf = new LinkedHashMap<>();

    private WeightsFolder(Path source) {
        this.source = source;
    }

    /// Whether there are any.
    static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(SINGLE)) || Files.exists(folder.resolve(INDEX));
    }

    /// Opens the weights of a folder; the single file counts where both forms are there.
    ///
    /// @throws InvalidFileException if there are none, or a file is damaged, or index and shards disagree
    /// @throws UncheckedIOException if a file cannot be read
    public static WeightsFolder open(Path folder) {
        Path single = folder.resolve(SINGLE);
        Path index = folder.resolve(INDEX);
        if (!isIn(folder)) {
            throw new InvalidFileException(
                    folder, "holds neither " + SINGLE + " nor " + INDEX + "; pickled weights (.bin, .pt) are not read");
        }
        WeightsFolder checkpoint = new WeightsFolder(Files.exists(single) ? single : index);
        try {
            if (Files.exists(single)) {
                checkpoint.add(Safetensors.open(single));
            } else {
                checkpoint.addShards(index);
            }
            return checkpoint;
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    private void add(SafetensorsFile file) {
        files.add(file);
        for (String name : file.entries().sequencedKeySet()) {
            SafetensorsFile other = fileOf.putIfAbsent(name, file);
            if (other != null) {
                throw new InvalidFileException(
                        file.path(),
                        "tensor " + quoted(name) + " stands in " + other.path().getFileName() + " too");
            }
        }
    }

    private void addShards(Path index) {
        Map<String, String> shardOf = new LinkedHashMap<>();
        JsonFields map = JsonFields.read(index).object("weight_map");
        for (var e : map.node().properties()) {
            String shard = e.getValue().isTextual() ? e.getValue().textValue() : "";
            if (!shard.matches("[\\w.-]+\\.safetensors")) {
                throw new InvalidFileException(
                        index,
                        "weight_map " + quoted(e.getKey()) + ": "
                                + quoted(e.getValue().toString())
                                + " is not the name of a safetensors file in this folder");
            }
            shardOf.put(e.getKey(), shard);
        }
        for (String shard : new TreeSet<>(shardOf.values())) {
            add(Safetensors.open(index.resolveSibling(shard)));
        }
        shardOf.forEach((name, shard) -> {
            SafetensorsFile file = fileOf.get(name);
            if (file == null || !file.path().endsWith(shard)) {
                throw new InvalidFileException(
                        index,
                        "weight_map places tensor " + quoted(name) + " in " + shard + ", which does not hold it");
            }
        });
        for (String name : fileOf.keySet()) {
            if (!shardOf.containsKey(name)) {
                throw new InvalidFileException(
                        index, "weight_map lacks tensor " + quoted(name) + ", which stands in a shard");
            }
        }
    }

    /// The file that stands for the whole in messages: the single one, or the index.
    public Path source() {
        return source;
    }

    /// What the files hold, by name.
    public SequencedMap<String, TensorEntry> entries() {
        SequencedMap<String, TensorEntry> entries = new LinkedHashMap<>();
        fileOf.forEach((name, file) -> entries.put(name, file.entries().get(name)));
        return Collections.unmodifiableSequencedMap(entries);
    }

    /// The free strings of all headers.
    public Map<String, String> metadata() {
        Map<String, String> metadata = new TreeMap<>();
        files.forEach(file -> metadata.putAll(file.metadata()));
        return metadata;
    }

    /// Reads a tensor to the processor's memory, in its stored type; the caller's scope owns it.
    ///
    /// @throws InvalidFileException if there is none of this name, or not all of it is finite
    public Tensor read(String name) {
        SafetensorsFile file = fileOf.get(name);
        if (file == null) {
            throw new InvalidFileException(source, "holds no tensor " + quoted(name));
        }
        return FiniteWeights.required(file.path(), name, file.read(name));
    }

    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
    }

    /// Writes weights to a folder: as one file, or in shards with an index where they are larger than `maxShardBytes`.
    /// A tensor larger than that has a shard of its own. Weights that stood there before are replaced, their shards
    /// removed.
    ///
    /// @throws UncheckedIOException if a file cannot be written
    public static void write(
            Path folder, SequencedMap<String, Tensor> tensors, Map<String, String> metadata, long maxShardBytes) {
        List<Map<String, Tensor>> shards = shards(tensors, maxShardBytes);
        List<Path> written = new ArrayList<>();
        if (shards.size() <= 1) {
            written.add(folder.resolve(SINGLE));
            Safetensors.write(written.getFirst(), tensors, metadata);
        } else {
            ObjectNode index = JsonFields.MAPPER.createObjectNode();
            index.putObject("metadata").put("total_size", totalBytes(tensors));
            Map<String, String> shardOf = new TreeMap<>();
            for (int i = 0; i < shards.size(); i++) {
                String name = String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
                written.add(folder.resolve(name));
                Safetensors.write(written.getLast(), shards.get(i), metadata);
                shards.get(i).keySet().forEach(tensor -> shardOf.put(tensor, name));
            }
            ObjectNode map = index.putObject("weight_map");
            shardOf.forEach(map::put);
            written.add(folder.resolve(INDEX));
            AtomicFile.write(written.getLast(), JsonFields.bytes(index));
        }
        removeOthers(folder, written);
    }

    private static long totalBytes(Map<String, Tensor> tensors) {
        return tensors.values().stream().mapToLong(Safetensors::bytes).sum();
    }

    private static List<Map<String, Tensor>> shards(SequencedMap<String, Tensor> tensors, long maxBytes) {
        List<Map<String, Tensor>> shards = new ArrayList<>();
        Map<String, Tensor> shard = new LinkedHashMap<>();
        long bytes = 0;
        for (var e : tensors.entrySet()) {
            long more = Safetensors.bytes(e.getValue());
            if (!shard.isEmpty() && bytes + more > maxBytes) {
                shards.add(shard);
                shard = new LinkedHashMap<>();
                bytes = 0;
            }
            shard.put(e.getKey(), e.getValue());
            bytes += more;
        }
        shards.add(shard);
        return shards;
    }

    private static void removeOthers(Path folder, List<Path> written) {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                boolean weights = name.equals(SINGLE)
                        || name.equals(INDEX)
                        || SHARD.matcher(name).matches();
                if (weights && !written.contains(file)) {
                    Files.delete(file);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": old weights cannot be removed: " + e, e);
        }
    }
}

package dev.kedge.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.config.ConfigException;
import dev.kedge.config.ConfigFile;
import dev.kedge.data.fetch.FetchException;
import dev.kedge.data.fetch.Fetched;
import dev.kedge.nn.file.AdaptedModel;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.regex.Pattern;

/// What a run started with, kept as `provenance.json`: it can only go on to the same numbers where all of it is as it
/// was.
///
/// The files are all that the configuration names: recipes read no others. A model's folder stands for every file in
/// it but the hidden ones, a llama2.c file also for the tokenizer beside it.
///
/// @param software versions and kernels; engine threads, where the configuration does not say them
/// @param config   the configuration's text
/// @param inputs   files and folders that the configuration names
/// @param sha256   the checksum of every file of theirs
record Provenance(
        SequencedMap<String, String> software, String config, List<Path> inputs, SequencedMap<Path, String> sha256) {
    static final String NAME = "provenance.json";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String THREADS = "engine threads";
    private static final String REMEDY = "; put it back as it was, or start a new run in another folder";

    /// What is read of the folder of a llama2.c file.
    private static final Pattern BESIDE =
            Pattern.compile("tok.*\\.(bin|json|model)|(special|added|vocab|chat).*\\.(json|jinja)|merges\\.txt");

    /// What a run of this configuration starts with now.
    ///
    /// @throws FetchException       if `./kedge fetch` would bring a file that is not there
    /// @throws InvalidFileException if another one is not there
    static Provenance of(String text, Record config) throws IOException {
        List<Path> inputs = inputs(config);
        boolean saysThreads = Arrays.stream(config.getClass().getRecordComponents())
                .anyMatch(component -> component.getName().equals("threads"));
        return new Provenance(software(!saysThreads), text, inputs, sha256(inputs));
    }

    /// The files and folders that a configuration names, with the bases of adapters, those of the registry
    /// brought from a mirror if need be.
    ///
    /// @throws FetchException       if `./kedge fetch` would bring one that is not there
    /// @throws InvalidFileException if another one is not there
    static List<Path> inputs(Record config) {
        List<Path> inputs = new ArrayList<>();
        ConfigFile.paths(config).forEach((key, path) -> {
            if (!Files.exists(Fetched.resolve(path))) {
                throw new InvalidFileException(path, "no such file or folder, which `" + key + "` names");
            }
            inputs.add(path.toAbsolutePath());
            if (AdaptedModel.isIn(path)) {
                inputs.add(AdaptedModel.of(path, Optional.empty()).base().toAbsolutePath());
            }
        });
        return List.copyOf(inputs);
    }

    private static SequencedMap<String, String> software(boolean threads) {
        SequencedMap<String, String> software = new LinkedHashMap<>();
        software.put("Kedge", Run.KEDGE_VERSION);
        software.put("LibTorch", Engine.version());
        software.put("the engine's computation", Platform.here().kernelsInWords());
        if (threads) {
            software.put(THREADS, String.valueOf(Engine.threads()));
        }
        return software;
    }

    private static SequencedMap<Path, String> sha256(List<Path> inputs) throws IOException {
        SequencedSet<Path> files = new LinkedHashSet<>();
        for (Path input : inputs) {
            files.addAll(files(input));
        }
        SequencedMap<Path, String> sums = new LinkedHashMap<>();
        for (Path file : files) {
            sums.put(file, Durable.sha256(file));
        }
        return sums;
    }

    private static List<Path> files(Path input) throws IOException {
        if (Files.isDirectory(input)) {
            return list(input, Pattern.compile("[^.].*"));
        }
        List<Path> files = new ArrayList<>();
        if (Files.exists(input)) {
            files.add(input);
        }
        if (input.toString().endsWith(".bin") && Files.exists(input)) {
            files.addAll(list(input.getParent(), BESIDE));
        }
        return files;
    }

    private static List<Path> list(Path folder, Pattern names) throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> names.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .toList();
        }
    }

    /// The provenance in a run's folder.
    ///
    /// @throws ConfigException if there is none
    static Provenance read(Path run) throws IOException {
        Path file = run.resolve(NAME);
        if (!Files.exists(file)) {
            throw new ConfigException(run + ": has no " + NAME + ", so that nobody can say whether its data and model"
                    + " are what it started with; start a new run in another folder");
        }
        JsonNode root = JSON.readTree(file.toFile());
        SequencedMap<String, String> software = new LinkedHashMap<>();
        root.path("software")
                .properties()
                .forEach(entry -> software.put(entry.getKey(), entry.getValue().asText()));
        List<Path> inputs = new ArrayList<>();
        root.path("inputs").forEach(input -> inputs.add(Path.of(input.asText())));
        SequencedMap<Path, String> sums = new LinkedHashMap<>();
        root.path("sha256")
                .properties()
                .forEach(entry ->
                        sums.put(Path.of(entry.getKey()), entry.getValue().asText()));
        return new Provenance(software, root.path("config").asText(), inputs, sums);
    }

    /// Keeps it in a run's folder.
    void write(Path run) throws IOException {
        ObjectNode root = JSON.createObjectNode();
        software.forEach(root.putObject("software")::put);
        inputs.forEach(input -> root.withArray("inputs").add(input.toString()));
        ObjectNode sums = root.putObject("sha256");
        sha256.forEach((path, sum) -> sums.put(path.toString(), sum));
        root.put("config", config);
        Durable.write(run.resolve(NAME), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root));
    }

    /// Requires that software, configuration and every file are now what they were.
    ///
    /// @param configNow the text of the run's configuration file
    /// @throws ConfigException naming the first difference, with both values
    void requireSame(Path run, String configNow) throws IOException {
        differs(software, software(software.containsKey(THREADS))).ifPresent(what -> {
            throw new ConfigException(
                    run + ": " + what + "; go on with what it started with, or start a new run in" + " another folder");
        });
        ConfigFile.difference(config, configNow).ifPresent(what -> {
            throw new ConfigException(
                    run + ": its configuration is not what it started with (there): " + what + REMEDY);
        });
        SequencedMap<Path, String> now = sha256(inputs);
        differs(sha256, now).ifPresent(what -> {
            throw new ConfigException(run + ": " + what + REMEDY);
        });
    }

    /// In words, the first key whose value is another one.
    private static <K> Optional<String> differs(Map<K, String> then, Map<K, String> now) {
        SequencedSet<K> keys = new LinkedHashSet<>(then.keySet());
        keys.addAll(now.keySet());
        return keys.stream()
                .filter(key -> !now.getOrDefault(key, "").equals(then.getOrDefault(key, "")))
                .map(key -> key + " is " + now.getOrDefault(key, "absent") + ", was " + then.getOrDefault(key, "absent")
                        + " when the run started")
                .findFirst();
    }
}

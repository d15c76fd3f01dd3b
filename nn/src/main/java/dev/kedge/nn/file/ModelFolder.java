package dev.kedge.nn.file;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.file.DecoderWeights.NameStyle;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.DecoderLayout;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;

/// A language model on disk: a Hugging Face folder (config.json, safetensors, tokenizer), or a llama2.c file.
///
/// @param path       the folder or file that was loaded
/// @param config     the shape of the decoder
/// @param parameters its weights, under the names and in the layouts of [DecoderLayout]
/// @param generation its special tokens, and its maker's choices for sampling
/// @param origin     how to write it as it was found
public record ModelFolder(
        Path path,
        DecoderConfig config,
        SequencedMap<String, Tensor> parameters,
        GenerationConfig generation,
        Origin origin) {
    static final String CONFIG = "config.json";
    static final String GENERATION = "generation_config.json";
    private static final long MAX_SHARD_BYTES = 5_000_000_000L;

    /// Loads a Hugging Face folder, a llama2.c file, a folder that holds one, or an adapter's folder as the model that
    /// it makes of its base ([AdaptedModel]). The parameters belong to the caller's scope.
    ///
    /// @param dtype the type to convert the weights to
    /// @throws InvalidFileException if a file is damaged, missing or asks for what is not supported
    /// @throws UncheckedIOException if a file cannot be read
    public static ModelFolder load(Path path, DType dtype, Device device) {
        return load(path, Optional.of(dtype), device);
    }

    /// Loads as [#load(Path, DType, Device)] does, in the types that the files store, to the processor's memory.
    public static ModelFolder load(Path path) {
        return load(path, Optional.empty(), Device.CPU);
    }

    /// Rows of the embedding by config.json, an adapter's base or the header of a llama2.c file; empty where there is
    /// none.
    ///
    /// @throws InvalidFileException if what is there is damaged
    public static OptionalInt vocabularySize(Path path) {
        if (AdaptedModel.isIn(path)) {
            return vocabularySize(AdaptedModel.of(path, Optional.empty()).base());
        }
        if (Files.isRegularFile(path.resolve(CONFIG))) {
            JsonFields json = JsonFields.read(path.resolve(CONFIG));
            return json.has("vocab_size") ? OptionalInt.of(json.integer("vocab_size")) : OptionalInt.empty();
        }
        String name = path.getFileName().toString();
        return Files.isRegularFile(path) && name.endsWith(".bin") && !name.startsWith("tok") // a tokenizer
                ? OptionalInt.of(LlamaCFile.check(path).vocabularySize())
                : OptionalInt.empty();
    }

    static ModelFolder load(Path path, Optional<DType> dtype, Device device) {
        if (!Files.exists(path)) {
            throw new InvalidFileException(path, "does not exist");
        }
        if (dtype.isPresent() && !dtype.get().isFloatingPoint()) {
            throw new IllegalArgumentException("weights must be floating point, not " + dtype.get());
        }
        if (Files.isRegularFile(path)) {
            return loadLlamaC(path, path, dtype, device);
        }
        if (AdaptedModel.isIn(path)) {
            return AdaptedModel.of(path, Optional.empty()).load(dtype, device);
        }
        return Files.exists(path.resolve(CONFIG))
                ? loadHuggingFace(path, dtype, device)
                : loadLlamaC(path, llamaCFile(path), dtype, device);
    }

    private static ModelFolder loadHuggingFace(Path folder, Optional<DType> dtype, Device device) {
        JsonFields json = JsonFields.read(folder.resolve(CONFIG));
        HuggingFaceConfig found = HuggingFaceConfig.of(json);
        DecoderConfig config = found.config();
        Path generationFile = folder.resolve(GENERATION);
        GenerationConfig generation = Files.exists(generationFile)
                ? GenerationConfig.read(generationFile).or(GenerationConfig.tokens(json))
                : GenerationConfig.tokens(json);
        try (WeightsFolder weights = WeightsFolder.open(folder)) {
            NameStyle style = NameStyle.of(weights.entries().keySet(), found.family(), config);
            var parameters = new DecoderWeights(found.family(), config, style).read(weights, dtype, device);
            Origin origin = new Origin(found.family(), style, Optional.of(json), Tokenizer.filesOf(folder));
            return new ModelFolder(folder, config, parameters, generation, origin);
        }
    }

    /// Text ends in llama2.c where the next one begins: token 1 ends it as well as token 2.
    private static ModelFolder loadLlamaC(Path path, Path file, Optional<DType> dtype, Device device) {
        LlamaCFile.Model model = LlamaCFile.read(file, dtype.orElse(DType.FLOAT32), device);
        model.parameters().forEach((name, weights) -> FiniteWeights.required(file, name, weights));
        Origin origin = Origin.of(ModelFamily.LLAMA, model.config()).with(Tokenizer.filesOf(path));
        GenerationConfig generation = GenerationConfig.of(List.of(2, 1), Optional.of(1), Optional.empty());
        return new ModelFolder(path, model.config(), model.parameters(), generation, origin);
    }

    private static Path llamaCFile(Path folder) {
        List<Path> fitting = new ArrayList<>();
        List<String> reasons = new ArrayList<>();
        try (var files = Files.newDirectoryStream(folder, "*.bin")) {
            for (Path file : files) {
                try {
                    LlamaCFile.check(file);
                    fitting.add(file);
                } catch (InvalidFileException e) {
                    reasons.add(e.getMessage());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be read: " + e, e);
        }
        if (fitting.size() != 1) {
            String others = reasons.isEmpty() ? "" : "; no model: " + DecoderLayout.firstOf(reasons);
            throw new InvalidFileException(
                    folder,
                    "holds no config.json and " + (fitting.isEmpty() ? "no" : "more than one")
                            + " llama2.c model (.bin)" + others);
        }
        return fitting.getFirst();
    }

    /// Writes this model to a folder as it was found: the same tensor names, a config.json that keeps what we do not
    /// read, and the files of tokenizer, chat template and generation settings byte for byte. The weights have the
    /// types of `parameters`, and config.json says which.
    ///
    /// @throws UncheckedIOException if a file cannot be written
    public void save(Path folder) {
        save(folder, config, parameters, generation, origin, MAX_SHARD_BYTES);
    }

    /// Writes a model of our own to a folder, as the first family that can say it, without a tokenizer.
    ///
    /// @throws IllegalArgumentException if no family can say it, or the parameters do not fit
    /// @throws UncheckedIOException if a file cannot be written
    public static void save(
            Path folder, DecoderConfig config, Map<String, Tensor> parameters, GenerationConfig generation) {
        Origin origin = Origin.of(ModelFamily.of(config), config);
        save(folder, config, parameters, generation, origin, MAX_SHARD_BYTES);
    }

    /// Writes a model to a folder as `origin` has it; weights beyond 5 GB in shards.
    ///
    /// @throws IllegalArgumentException if the family cannot say it, or the parameters do not fit
    /// @throws UncheckedIOException if a file cannot be written
    public static void save(
            Path folder,
            DecoderConfig config,
            Map<String, Tensor> parameters,
            GenerationConfig generation,
            Origin origin) {
        save(folder, config, parameters, generation, origin, MAX_SHARD_BYTES);
    }

    /// Writes a model to a folder, file by file, each whole or not at all, config.json last.
    ///
    /// @param parameters    under the names and in the layouts of [DecoderLayout], in any types
    /// @param origin        the family, and where other files and unknown keys come from
    /// @param maxShardBytes weights larger than this are written in shards
    /// @throws IllegalArgumentException if the family cannot say it, or the parameters do not fit
    /// @throws UncheckedIOException if a file cannot be written
    public static void save(
            Path folder,
            DecoderConfig config,
            Map<String, Tensor> parameters,
            GenerationConfig generation,
            Origin origin,
            long maxShardBytes) {
        DecoderLayout.check(config, parameters);
        ModelFamily family = origin.family();
        DType dtype = parameters.get("embedding.weight").dtype();
        ObjectNode json = origin.config().isPresent()
                ? ConfigWriter.over(origin.config().get().node(), config, family, dtype, generation)
                : ConfigWriter.write(config, family, dtype, generation);
        // A head that was tied and no longer is, or the other way round, changes what is stored.
        NameStyle style = new NameStyle(
                origin.style().prefixed(),
                origin.style().embedding() || !config.tiedHead(),
                origin.style().head() || !config.tiedHead());
        try (Scope _ = new Scope()) {
            var tensors = new DecoderWeights(family, config, style).toDisk(parameters);
            WeightsFolder.write(folder, tensors, Map.of("format", "pt"), maxShardBytes);
        }
        origin.files().forEach((name, bytes) -> AtomicFile.write(folder.resolve(name), bytes));
        AtomicFile.write(folder.resolve(GENERATION), generationFile(origin, generation));
        AtomicFile.write(folder.resolve(CONFIG), JsonFields.bytes(json));
    }

    /// The file as it was found where it says these settings, with config.json; otherwise with them put over it.
    private static byte[] generationFile(Origin origin, GenerationConfig generation) {
        byte[] found = origin.files().get(GENERATION);
        if (found == null) {
            return JsonFields.bytes(generation.over(JsonFields.MAPPER.createObjectNode()));
        }
        JsonFields json = JsonFields.of(Path.of(GENERATION), new String(found, StandardCharsets.UTF_8));
        GenerationConfig tokens = origin.config().map(GenerationConfig::tokens).orElse(GenerationConfig.NONE);
        return GenerationConfig.of(json).or(tokens).equals(generation)
                ? found
                : JsonFields.bytes(generation.over(json.node()));
    }
}

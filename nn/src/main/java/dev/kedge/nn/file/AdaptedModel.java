package dev.kedge.nn.file;

import static dev.kedge.nn.file.InvalidFileException.quoted;

import dev.kedge.nn.lm.LoraWeights;
import dev.kedge.tensor.Bytes;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.Tokenizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An adapter's folder, and the model that it adapts: together a model.
///
/// The base is where `base_model_name_or_path` says: an absolute path, or one from the adapter's folder, else from the
/// working directory. An adapter of ours knows its base's checksum: where a run's folder was moved as a whole, the base
/// that lies beside the adapter is found too, and another base is refused.
///
/// @param adapter the folder of adapter_config.json
/// @param base    the folder, or llama2.c file, of the base model
public record AdaptedModel(Path adapter, Path base) {
    private static final long CHUNK = 1 << 26;
    private static final String SAY = "; --base DIR of generate and merge says where it is, as does " + AdapterFile.BASE
            + " in " + AdapterFile.CONFIG;

    /// Whether a folder holds an adapter and no whole model.
    public static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(AdapterFile.CONFIG)) && !WeightsFolder.isIn(folder);
    }

    /// Finds the base of an adapter.
    ///
    /// @param base where it is; absent: where the adapter says
    /// @throws InvalidFileException if there is no adapter, or its base is not there
    public static AdaptedModel of(Path adapter, Optional<Path> base) {
        if (!isIn(adapter)) {
            throw new InvalidFileException(adapter, "holds no adapter (" + AdapterFile.CONFIG + " without a model)");
        }
        List<Path> places = base.isPresent() ? List.of(base.get()) : places(adapter);
        Path found = places.stream()
                .filter(AdaptedModel::isWhole)
                .findFirst()
                .orElseThrow(() -> absent(adapter, base, places));
        return new AdaptedModel(adapter, found);
    }

    private static boolean isWhole(Path place) {
        return Files.isRegularFile(place) || (Files.exists(place.resolve(ModelFolder.CONFIG)) && !isIn(place));
    }

    private static String named(Path adapter) {
        return JsonFields.read(adapter.resolve(AdapterFile.CONFIG)).text(AdapterFile.BASE, "");
    }

    private static List<Path> places(Path adapter) {
        List<Path> places = new ArrayList<>();
        String named = named(adapter);
        try {
            if (!named.isBlank()) {
                places.add(adapter.resolve(named));
                places.add(Path.of(named));
                Path last = Path.of(named).getFileName();
                if (last != null && sha256(adapter).isPresent()) {
                    places.add(adapter.toAbsolutePath().normalize().resolveSibling(last));
                }
            }
        } catch (InvalidPathException _) {
            // A name that is no path: said where nothing is found.
        }
        return places.stream()
                .map(place -> place.toAbsolutePath().normalize())
                .distinct()
                .toList();
    }

    private static InvalidFileException absent(Path adapter, Optional<Path> base, List<Path> places) {
        if (base.isPresent()) {
            return new InvalidFileException(adapter, "--base " + base.get() + " is no whole model");
        }
        String named = named(adapter);
        if (named.isBlank()) {
            return new InvalidFileException(adapter, "does not name its base model" + SAY);
        }
        if (named.matches("[\\w.-]+/[\\w.-]+")) {
            return new InvalidFileException(
                    adapter, "its base model " + quoted(named) + " is a name on a hub, and no folder here" + SAY);
        }
        return new InvalidFileException(
                adapter, "its base model " + quoted(named) + " is no whole model, looked for as " + places + SAY);
    }

    /// Where the tokenizer and its chat template lie: with the adapter if it brings a tokenizer, else with the base.
    public Path tokenizer() {
        return Tokenizer.isIn(adapter) ? adapter : base;
    }

    /// The base with the adapter added to its weights, `W + scale·B A`; computed in float32 at least.
    ///
    /// @throws InvalidFileException if a file is damaged, the adapter does not fit, or it was trained on another
    ///         base
    public ModelFolder load(DType dtype, Device device) {
        return load(Optional.of(dtype), device);
    }

    ModelFolder load(Optional<DType> dtype, Device device) {
        try (Scope scope = new Scope();
                var _ = Gradients.off()) {
            ModelFolder found = ModelFolder.load(base, dtype, device);
            sha256(adapter)
                    .filter(sum -> !sum.equals(sha256(found.parameters())))
                    .ifPresent(_ -> {
                        throw new InvalidFileException(
                                adapter,
                                "was trained on another base model than " + base + ", whose weights differ" + SAY);
                    });
            boolean isDouble = found.parameters().values().stream().anyMatch(p -> p.dtype() == DType.FLOAT64);
            DType wide = isDouble ? DType.FLOAT64 : DType.FLOAT32;
            var file = new AdapterFile(found.origin().family(), found.config());
            String what = "the " + found.origin().family().modelType() + " in " + base;
            add(file.read(adapter, what, wide, device), found.parameters());
            found.parameters().values().forEach(scope::keep);
            Map<String, byte[]> files = found.origin().files();
            if (Tokenizer.isIn(adapter)) {
                files = Tokenizer.filesOf(adapter);
                files.putAll(settings(found.origin().files()));
            }
            return new ModelFolder(
                    adapter,
                    found.config(),
                    found.parameters(),
                    found.generation(),
                    found.origin().with(files));
        }
    }

    /// What a base's files say of the model, and not of its tokenizer.
    private static Map<String, byte[]> settings(Map<String, byte[]> files) {
        byte[] settings = files.get(ModelFolder.GENERATION);
        return settings == null ? Map.of() : Map.of(ModelFolder.GENERATION, settings);
    }

    private static void add(LoraWeights lora, Map<String, Tensor> parameters) {
        lora.factors().forEach((target, factors) -> {
            Tensor rows = parameters.get(target.weight()).narrow(0, target.from(), target.to() - target.from());
            Tensor update = factors.b().matmul(factors.a()).times(lora.scale());
            InPlace.copy_(rows, rows.to(update.dtype()).plus(update));
        });
    }

    /// The base's checksum that an adapter's file keeps.
    private static Optional<String> sha256(Path adapter) {
        Path file = adapter.resolve(AdapterFile.WEIGHTS);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (SafetensorsFile weights = Safetensors.open(file)) {
            return Optional.ofNullable(weights.metadata().get(AdapterFile.BASE_SHA256));
        }
    }

    /// SHA-256 of names and values in float32: the same whatever types, shards and names a model's files have.
    static String sha256(Map<String, Tensor> parameters) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            parameters.forEach((name, tensor) -> {
                digest.update(name.getBytes(StandardCharsets.UTF_8));
                try (Arena arena = Arena.ofConfined();
                        Scope _ = new Scope()) {
                    Tensor values = tensor.detach().to(DType.FLOAT32);
                    MemorySegment bytes = arena.allocate(Safetensors.bytes(values));
                    Bytes.write(values, bytes);
                    for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
                        long size = Math.min(CHUNK, bytes.byteSize() - at);
                        digest.update(bytes.asSlice(at, size).asByteBuffer());
                    }
                }
            });
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}

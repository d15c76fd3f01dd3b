package dev.kedge.sequence;

import dev.kedge.data.fetch.FetchException;
import dev.kedge.data.fetch.Fetched;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.file.AdaptedModel;
import dev.kedge.nn.file.GenerationConfig;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.nn.file.ModelFamily;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.file.Origin;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.LoraWeights.Target;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.text.ChatTemplate;
import dev.kedge.text.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// Decoders from disk and back.
public final class Models {
    private Models() {}

    /// The decoder of a model folder, in float32, for the ids of the folder's tokenizer; where it has none that can
    /// be read, for all that the embedding has.
    ///
    /// @throws InvalidFileException if a file is damaged, missing or not supported, or the tokenizer too large
    public static Decoder load(Path path, Device device) {
        try (Scope _ = new Scope()) {
            return decoder(folder(path, device), device);
        }
    }

    /// A model on disk in float32; one of the registry's is copied from a mirror if need be.
    ///
    /// @throws FetchException       if `./kedge fetch` would bring it
    /// @throws InvalidFileException if a file is damaged, missing or not supported
    public static ModelFolder folder(Path path, Device device) {
        return folder(path, Optional.empty(), device);
    }

    /// As [#folder(Path, Device)].
    ///
    /// @param base where the base of an adapter is; absent: where the adapter says, or there is no adapter
    public static ModelFolder folder(Path path, Optional<Path> base, Device device) {
        Path found = Fetched.resolve(path);
        return base.isPresent()
                ? AdaptedModel.of(found, base).load(DType.FLOAT32, device)
                : ModelFolder.load(found, DType.FLOAT32, device);
    }

    /// The tokenizer of a model folder.
    ///
    /// @throws FetchException       if `./kedge fetch` would bring it
    /// @throws InvalidFileException if there is none, or it is damaged
    public static Tokenizer tokenizer(Path path) {
        return tokenizer(path, Optional.empty());
    }

    /// As [#tokenizer(Path)].
    ///
    /// @param base as for [#folder(Path, Optional, Device)]
    public static Tokenizer tokenizer(Path path, Optional<Path> base) {
        Path found = Fetched.resolve(path);
        Optional<AdaptedModel> adapted = adapted(found, base);
        try {
            return adapted.isPresent()
                    ? Tokenizer.load(adapted.get().tokenizer(), adapted.get().base())
                    : Tokenizer.load(found);
        } catch (IllegalArgumentException e) {
            throw new InvalidFileException(path, "no tokenizer can be read: " + e.getMessage());
        }
    }

    /// The chat template of a model's folder; empty where it has none, or the model is a single file.
    ///
    /// @throws InvalidFileException if it is damaged
    public static Optional<ChatTemplate> chatTemplate(Path path) {
        return chatTemplate(path, Optional.empty());
    }

    /// As [#chatTemplate(Path)].
    ///
    /// @param base as for [#folder(Path, Optional, Device)]
    public static Optional<ChatTemplate> chatTemplate(Path path, Optional<Path> base) {
        Path found = Fetched.resolve(path);
        Path folder = adapted(found, base).map(AdaptedModel::tokenizer).orElse(found);
        try {
            return Files.isDirectory(folder) ? ChatTemplate.load(folder) : Optional.empty();
        } catch (IllegalArgumentException e) {
            throw new InvalidFileException(path, "no chat template can be read: " + e.getMessage());
        }
    }

    private static Optional<AdaptedModel> adapted(Path path, Optional<Path> base) {
        return base.isPresent() || AdaptedModel.isIn(path)
                ? Optional.of(AdaptedModel.of(path, base))
                : Optional.empty();
    }

    /// The decoder of a loaded folder for the ids of its own tokenizer, as [#load] has it: a copy.
    public static Decoder decoder(ModelFolder folder, Device device) {
        Tokenizer tokenizer;
        try {
            tokenizer = tokenizer(folder.path());
        } catch (InvalidFileException _) {
            return new Decoder(folder.config(), parameters(folder, device));
        }
        try (tokenizer) {
            return decoder(folder, tokenizer, device);
        }
    }

    /// The decoder of a loaded folder for the ids of its tokenizer: a copy.
    ///
    /// @throws InvalidFileException if the tokenizer has more ids than the embedding has rows
    public static Decoder decoder(ModelFolder folder, Tokenizer tokenizer, Device device) {
        requireRows(folder.path(), tokenizer, folder.config().vocabularySize());
        return new Decoder(folder.config(), parameters(folder, device), tokenizer);
    }

    private static Parameters parameters(ModelFolder folder, Device device) {
        return Parameters.copyOf(folder.parameters(), DType.FLOAT32, device);
    }

    /// Refuses a tokenizer that could give ids for which a model has no embedding; a folder without a model will do.
    ///
    /// @throws InvalidFileException with both numbers
    public static void requireRows(Path path, Tokenizer tokenizer) {
        ModelFolder.vocabularySize(Fetched.resolve(path)).ifPresent(rows -> requireRows(path, tokenizer, rows));
    }

    private static void requireRows(Path path, Tokenizer tokenizer, int rows) {
        if (tokenizer.vocabularySize() > rows) {
            throw new InvalidFileException(
                    path,
                    "the tokenizer has " + tokenizer.vocabularySize() + " ids, but the embedding only " + rows
                            + " rows; the tokenizer that the model was trained with, or a resized embedding, would be"
                            + " right");
        }
    }

    /// Writes a decoder of our own, that was not found in a folder: one that was is written by
    /// [PretrainedModel#save].
    public static void save(Decoder decoder, Tokenizer tokenizer, Path folder) {
        IntStream own = tokenizer.eos().stream();
        IntStream others = tokenizer.stopIds().stream().sorted().mapToInt(id -> id);
        GenerationConfig generation = GenerationConfig.of(
                IntStream.concat(own, others).distinct().boxed().toList(),
                tokenizer.bos().stream().boxed().findFirst(),
                tokenizer.pad().stream().boxed().findFirst());
        Origin origin = Origin.of(ModelFamily.of(decoder.config()), decoder.config());
        ModelFolder.save(
                folder, decoder.config(), decoder.parameters().named(), generation, origin.with(tokenizer.files()));
    }

    /// Whether a folder holds a whole model: its config.json is written last.
    public static boolean isComplete(Path folder) {
        return Files.exists(folder.resolve("config.json"));
    }

    /// A decoder that is trained here, or read where that was done already; the caller closes it.
    ///
    /// @param start    what the training begins with, a copy of it
    /// @param training moves that copy
    public static Decoder trainedOnce(Path folder, Decoder start, Tokenizer tokenizer, Consumer<Decoder> training) {
        if (!isComplete(folder)) {
            try (Decoder decoder = start.copy()) {
                training.accept(decoder);
                save(decoder, tokenizer, folder);
            }
        }
        return load(folder, start.device());
    }

    /// The id that fills batches: any will do, as nothing sees it.
    public static int padId(Tokenizer tokenizer) {
        return tokenizer.pad().orElse(tokenizer.eos().orElse(0));
    }

    /// Every projection of attention and MLP, whole.
    public static List<Target> projections(Decoder decoder) {
        List<Target> targets = new ArrayList<>();
        decoder.parameters().named().forEach((name, tensor) -> {
            if (name.startsWith("layers.") && tensor.dim() == 2) {
                targets.add(new Target(name, 0, tensor.size(0)));
            }
        });
        return targets;
    }
}

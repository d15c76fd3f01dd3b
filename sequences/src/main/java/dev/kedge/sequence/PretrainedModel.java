package dev.kedge.sequence;

import dev.kedge.data.Tokenisation;
import dev.kedge.data.Truncation;
import dev.kedge.data.fetch.FetchException;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.file.Origin;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.text.ChatTemplate;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Optional;

/// A model as its folder holds it, which is read once: weights, tokenizer, chat template, and how to write it again.
///
/// @param found    the folder, with the weights of `decoder`
/// @param template that turns messages into text; of the folder, else [ChatTemplate#HUMAN_ASSISTANT]
/// @param decoder  in float32
public record PretrainedModel(ModelFolder found, Tokenizer tokenizer, ChatTemplate template, Decoder decoder)
        implements AutoCloseable {
    /// @throws FetchException       if `./kedge fetch` would bring it
    /// @throws InvalidFileException if a file is damaged, missing or not supported
    public static PretrainedModel open(Path folder, Device device) {
        Tokenizer tokenizer = Models.tokenizer(folder);
        try (Scope _ = new Scope()) {
            ModelFolder found = Models.folder(folder, device);
            ChatTemplate template = Models.chatTemplate(folder).orElse(ChatTemplate.HUMAN_ASSISTANT);
            Decoder decoder = Models.decoder(found, tokenizer, device);
            ModelFolder copied = new ModelFolder(
                    found.path(),
                    found.config(),
                    new LinkedHashMap<>(decoder.parameters().named()),
                    found.generation(),
                    found.origin());
            return new PretrainedModel(copied, tokenizer, template, decoder);
        } catch (RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    /// The same with another decoder of its shape, whose owner closes it.
    public PretrainedModel with(Decoder other) {
        return new PretrainedModel(found, tokenizer, template, other);
    }

    /// The id that fills batches.
    public int padId() {
        return Models.padId(tokenizer);
    }

    /// How examples become tokens for this model.
    ///
    /// @param maxLength of a sequence, tokens; less where the model has fewer positions
    public Tokenisation tokenisation(int maxLength, Truncation truncation) {
        int length = Math.min(maxLength, decoder.config().maxPositions());
        return new Tokenisation(tokenizer, Optional.of(template), length, truncation);
    }

    /// Writes a decoder of the same shape as this model was found: config.json with all keys, generation settings, the
    /// files of tokenizer and chat template. Every recipe that starts from a model writes what it trained so.
    public void save(Decoder other, Path folder) {
        save(other, found.origin(), folder);
    }

    /// Writes a decoder that was not this model before with this one's tokenizer, template and settings.
    ///
    /// @param origin its family and config.json
    public void save(Decoder other, Origin origin, Path folder) {
        ModelFolder.save(
                folder,
                other.config(),
                other.parameters().named(),
                found.generation(),
                origin.with(found.origin().files()));
    }

    @Override
    public void close() {
        decoder.close();
        tokenizer.close();
    }
}

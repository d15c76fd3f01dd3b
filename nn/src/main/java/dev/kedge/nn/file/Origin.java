package dev.kedge.nn.file;

import dev.kedge.nn.lm.DecoderConfig;
import java.nio.file.Path;
import java.util.Optional;

/// What must be remembered of a folder, beside the model, to write the model as it was found.
public final class Origin {
    private final ModelFamily family;
    private final DecoderWeights.NameStyle style;
    private final Optional<JsonFields> config;
    private final Optional<Path> folder;

    Origin(ModelFamily family, DecoderWeights.NameStyle style, Optional<JsonFields> config, Optional<Path> folder) {
        this.family = family;
        this.style = style;
        this.config = config;
        this.folder = folder;
    }

    /// For a model that was never on disk, in the form that the family's own code writes.
    ///
    /// @throws IllegalArgumentException if the family cannot say the configuration
    public static Origin of(ModelFamily family, DecoderConfig config) {
        if (!family.canSay(config)) {
            throw new IllegalArgumentException("family " + family.modelType() + " cannot say " + config);
        }
        return new Origin(family, DecoderWeights.NameStyle.usual(config), Optional.empty(), Optional.empty());
    }

    /// The family whose names and config.json the folder uses.
    public ModelFamily family() {
        return family;
    }

    DecoderWeights.NameStyle style() {
        return style;
    }

    /// The config.json that was found.
    Optional<JsonFields> config() {
        return config;
    }

    /// The folder whose tokenizer files go with the model.
    public Optional<Path> folder() {
        return folder;
    }
}

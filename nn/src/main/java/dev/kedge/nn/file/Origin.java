package dev.kedge.nn.file;

import dev.kedge.nn.lm.DecoderConfig;
import java.util.Map;
import java.util.Optional;

/// What must be remembered of a folder, beside the model, to write the model as it was found.
public final class Origin {
    private final ModelFamily family;
    private final DecoderWeights.NameStyle style;
    private final Optional<JsonFields> config;
    private final Map<String, byte[]> files;

    Origin(ModelFamily family, DecoderWeights.NameStyle style, Optional<JsonFields> config, Map<String, byte[]> files) {
        this.family = family;
        this.style = style;
        this.config = config;
        this.files = Map.copyOf(files);
    }

    /// For a model that was never on disk, in the form that the family's own code writes.
    ///
    /// @throws IllegalArgumentException if the family cannot say the configuration
    public static Origin of(ModelFamily family, DecoderConfig config) {
        if (!family.canSay(config)) {
            throw new IllegalArgumentException("family " + family.modelType() + " cannot say " + config);
        }
        return new Origin(family, DecoderWeights.NameStyle.usual(config), Optional.empty(), Map.of());
    }

    /// The same with the tokenizer, chat template and generation settings of `files`, by name.
    public Origin with(Map<String, byte[]> files) {
        return new Origin(family, style, config, files);
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

    /// The files beside weights and config.json that go with the model, as they were when it was loaded, by name.
    public Map<String, byte[]> files() {
        return files;
    }
}

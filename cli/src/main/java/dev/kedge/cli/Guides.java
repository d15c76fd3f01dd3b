package dev.kedge.cli;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.WeightedModel;
import dev.kedge.sequence.Models;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A model and those that guide it.
///
/// @param models the model with weight 1, then its guides
record Guides(List<WeightedModel> models) implements AutoCloseable {
    /// @param guides    `DIR:WEIGHT` each
    /// @param model     where the model comes from, for messages
    /// @param tokenizer of the model
    /// @throws IllegalArgumentException if a guide is written otherwise, or has another vocabulary
    static Guides load(List<String> guides, Path model, Tokenizer tokenizer, Decoder decoder) {
        Guides loaded = new Guides(new ArrayList<>(List.of(new WeightedModel(decoder, 1))));
        try {
            for (String guide : guides) {
                int colon = guide.lastIndexOf(':');
                Path folder = Path.of(guide.substring(0, Math.max(colon, 0)));
                double weight = weight(guide, colon);
                requireVocabulary(folder, model, tokenizer);
                loaded.models.add(new WeightedModel(Models.load(folder, decoder.device()), weight));
            }
            return loaded;
        } catch (RuntimeException e) {
            loaded.close();
            throw e;
        }
    }

    private static double weight(String guide, int colon) {
        try {
            double weight = Double.parseDouble(guide.substring(colon + 1));
            if (colon > 0 && Double.isFinite(weight)) {
                return weight;
            }
        } catch (NumberFormatException _) {
            // Said below.
        }
        throw new IllegalArgumentException(
                "--guide must be a model's folder, a colon and a finite weight, such as rewards:1.0, was \"" + guide
                        + "\"");
    }

    /// Ids must mean the same to both: their distributions are multiplied id by id.
    private static void requireVocabulary(Path folder, Path model, Tokenizer tokenizer) {
        try (Tokenizer other = Models.tokenizer(folder)) {
            if (other.vocabularySize() != tokenizer.vocabularySize()) {
                throw otherVocabulary(folder, other.vocabularySize(), model, tokenizer.vocabularySize());
            }
            for (int id = 0; id < tokenizer.vocabularySize(); id++) {
                if (!other.token(id).equals(tokenizer.token(id))) {
                    throw new IllegalArgumentException("--guide " + folder + ": token " + id + " is \""
                            + other.token(id) + "\" there and \"" + tokenizer.token(id) + "\" in " + model
                            + "; a guide needs the model's vocabulary");
                }
            }
        }
    }

    private static IllegalArgumentException otherVocabulary(Path folder, int tokens, Path model, int expected) {
        return new IllegalArgumentException("--guide " + folder + ": a vocabulary of " + tokens + " tokens, while "
                + model + " has " + expected + "; a guide needs the model's vocabulary");
    }

    /// Closes the guides: the model is another's.
    @Override
    public void close() {
        models.stream().skip(1).forEach(weighted -> weighted.model().close());
    }
}

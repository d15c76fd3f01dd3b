package dev.kedge.nn.file;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What a model's folder says about sampling from it.
///
/// @param eosIds      tokens that end a text
/// @param bosId       the token that begins one
/// @param padId       the token that fills up batches
/// @param temperature the maker's choice of temperature
/// @param topK        how many of the likeliest tokens to draw from; 0 for all
/// @param topP        the probability of the likeliest tokens to draw from
public record GenerationConfig(
        List<Integer> eosIds,
        Optional<Integer> bosId,
        Optional<Integer> padId,
        Optional<Double> temperature,
        Optional<Integer> topK,
        Optional<Double> topP) {
    public GenerationConfig {
        eosIds = List.copyOf(eosIds);
    }

    /// No token is special and nothing is recommended.
    public static final GenerationConfig NONE = new GenerationConfig(
            List.of(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    /// These special tokens, and nothing recommended.
    public static GenerationConfig of(List<Integer> eosIds, Optional<Integer> bosId, Optional<Integer> padId) {
        return new GenerationConfig(eosIds, bosId, padId, Optional.empty(), Optional.empty(), Optional.empty());
    }

    /// The special tokens that a config.json names.
    static GenerationConfig tokens(JsonFields json) {
        return of(
                json.tokens("eos_token_id"),
                json.tokens("bos_token_id").stream().findFirst(),
                json.tokens("pad_token_id").stream().findFirst());
    }

    /// Reads a generation_config.json.
    ///
    /// @throws InvalidFileException if it is damaged or a value is out of range
    /// @throws java.io.UncheckedIOException if it cannot be read
    public static GenerationConfig read(Path file) {
        return of(JsonFields.read(file));
    }

    static GenerationConfig of(JsonFields json) {
        GenerationConfig tokens = tokens(json);
        return new GenerationConfig(
                tokens.eosIds,
                tokens.bosId,
                tokens.padId,
                inRange(json, "temperature", Double.MAX_VALUE),
                topK(json),
                inRange(json, "top_p", 1));
    }

    /// This, with what it does not say taken from `other`.
    GenerationConfig or(GenerationConfig other) {
        return new GenerationConfig(
                eosIds.isEmpty() ? other.eosIds : eosIds,
                bosId.or(other::bosId),
                padId.or(other::padId),
                temperature.or(other::temperature),
                topK.or(other::topK),
                topP.or(other::topP));
    }

    private static Optional<Double> inRange(JsonFields json, String key, double max) {
        if (!json.has(key)) {
            return Optional.empty();
        }
        double value = json.number(key);
        if (value < 0 || value > max) {
            throw json.wrong(key, max == 1 ? "from 0 to 1" : "at least 0");
        }
        return Optional.of(value);
    }

    private static Optional<Integer> topK(JsonFields json) {
        return json.has("top_k")
                ? Optional.of(json.asksForNothing("top_k") ? 0 : json.integer("top_k"))
                : Optional.empty();
    }

    /// Puts the special tokens into a config.json or generation_config.json.
    void putTokens(ObjectNode node) {
        bosId.ifPresent(id -> node.put("bos_token_id", id));
        if (eosIds.size() == 1) {
            node.put("eos_token_id", eosIds.getFirst());
        } else if (!eosIds.isEmpty()) {
            ArrayNode ids = node.putArray("eos_token_id");
            eosIds.forEach(ids::add);
        }
        padId.ifPresent(id -> node.put("pad_token_id", id));
    }

    /// Puts all that this says over what `node` says.
    ObjectNode over(ObjectNode node) {
        putTokens(node);
        temperature.ifPresent(value -> node.put("temperature", value));
        topK.ifPresent(value -> node.put("top_k", value));
        topP.ifPresent(value -> node.put("top_p", value));
        return node;
    }
}

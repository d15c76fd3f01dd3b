package dev.kedge.nn.file;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.lm.DecoderConfig.Positions;
import dev.kedge.nn.lm.DecoderConfig.Scaling;

/// The rotary keys of a config.json: the older `rope_theta` (`rotary_emb_base`) and `rope_scaling` at the top, or the
/// newer `rope_parameters`, which counts where both stand.
final class RopeSettings {
    private RopeSettings() {}

    static Positions.Rotary read(JsonFields json, int rotated) {
        double theta = json.positive("rope_theta", json.positive("rotary_emb_base", 10000));
        if (json.has("rope_parameters")) {
            JsonFields parameters = json.object("rope_parameters");
            return new Positions.Rotary(parameters.positive("rope_theta", theta), rotated, scaling(json, parameters));
        }
        Scaling scaling = json.has("rope_scaling") ? scaling(json, json.object("rope_scaling")) : new Scaling.None();
        return new Positions.Rotary(theta, rotated, scaling);
    }

    /// The share of a head's entries that turn.
    static double rotatedShare(JsonFields json, double otherwise) {
        double share = json.positive("partial_rotary_factor", otherwise);
        if (json.has("rope_parameters")) {
            share = json.object("rope_parameters").positive("partial_rotary_factor", share);
        }
        return share;
    }

    private static Scaling scaling(JsonFields json, JsonFields settings) {
        for (var e : settings.node().properties()) {
            if (e.getValue().isContainerNode()) {
                throw settings.wrong(e.getKey(), "a single value: settings that differ by layer are not supported");
            }
        }
        String key = settings.has("rope_type") || !settings.has("type") ? "rope_type" : "type";
        return switch (settings.text(key, "default")) {
            case "default" -> new Scaling.None();
            case "linear" -> new Scaling.Linear(settings.positive("factor"));
            case "llama3" ->
                new Scaling.Llama3(
                        settings.positive("factor"),
                        settings.positive("low_freq_factor"),
                        settings.positive("high_freq_factor"),
                        settings.has("original_max_position_embeddings")
                                ? settings.integer("original_max_position_embeddings")
                                : json.integer("original_max_position_embeddings"));
            default -> throw settings.wrong(key, "default, linear or llama3");
        };
    }

    /// The value of `rope_scaling`: null for none.
    static JsonNode write(Scaling scaling) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        return switch (scaling) {
            case Scaling.None() -> JsonNodeFactory.instance.nullNode();
            case Scaling.Linear(double factor) ->
                node.put("rope_type", "linear").put("factor", factor);
            case Scaling.Llama3(double factor, double low, double high, int original) ->
                node.put("rope_type", "llama3")
                        .put("factor", factor)
                        .put("low_freq_factor", low)
                        .put("high_freq_factor", high)
                        .put("original_max_position_embeddings", original);
        };
    }
}

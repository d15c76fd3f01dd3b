package dev.kedge.nn.file;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.DecoderConfig.Mlp;
import dev.kedge.nn.lm.DecoderConfig.Positions;
import dev.kedge.tensor.DType;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// Writes the config.json of a decoder, from nothing or over one whose other keys stay.
final class ConfigWriter {
    private ConfigWriter() {}

    /// The keys of a config.json that describe `config` in the words of `family`.
    ///
    /// @throws IllegalArgumentException if the family cannot say it
    static ObjectNode write(DecoderConfig config, ModelFamily family, DType dtype, GenerationConfig generation) {
        ObjectNode node = keys(config, family);
        node.put("torch_dtype", dtype.name().toLowerCase(Locale.ROOT));
        generation.putTokens(node);
        requireSays(node, config, family);
        return node;
    }

    private static void requireSays(ObjectNode node, DecoderConfig config, ModelFamily family) {
        String fault = "family " + family.modelType() + " cannot say " + config;
        try {
            HuggingFaceConfig back = HuggingFaceConfig.of(new JsonFields(Path.of("config.json"), "", node));
            if (!back.config().equals(config)) {
                throw new IllegalArgumentException(fault + ", only " + back.config());
            }
        } catch (InvalidFileException e) {
            throw new IllegalArgumentException(fault + ": " + e.getMessage(), e);
        }
    }

    /// `original` itself where it says the same decoder; otherwise with the keys that we know replaced.
    static ObjectNode over(
            ObjectNode original, DecoderConfig config, ModelFamily family, DType dtype, GenerationConfig generation) {
        ObjectNode node = original.deepCopy();
        HuggingFaceConfig said = HuggingFaceConfig.of(new JsonFields(Path.of("config.json"), "", node));
        if (said.family() != family || !said.config().equals(config)) {
            node.remove(List.of("rope_parameters", "partial_rotary_factor", "sliding_window", "layer_types"));
            node.setAll(write(config, family, dtype, generation));
            requireSays(node, config, family);
        }
        node.remove(node.has("dtype") ? "torch_dtype" : "dtype");
        node.put(node.has("dtype") ? "dtype" : "torch_dtype", dtype.name().toLowerCase(Locale.ROOT));
        return node;
    }

    private static ObjectNode keys(DecoderConfig config, ModelFamily family) {
        if (!family.canSay(config)) {
            throw new IllegalArgumentException("family " + family.modelType() + " cannot say " + config);
        }
        ObjectNode node = JsonFields.MAPPER.createObjectNode();
        node.putArray("architectures").add(family.architecture());
        node.put("model_type", family.modelType());
        switch (family) {
            case LLAMA, MISTRAL, QWEN2, QWEN3 -> gated(node, config, family);
            case GPT2 -> gpt2(node, config);
            case GPT_NEOX -> gptNeoX(node, config);
        }
        node.put("tie_word_embeddings", config.tiedHead());
        node.put("use_cache", true);
        node.put("vocab_size", config.vocabularySize());
        return node;
    }

    private static void gated(ObjectNode node, DecoderConfig config, ModelFamily family) {
        sizes(node, config);
        node.put("hidden_act", "silu");
        node.put("num_key_value_heads", config.kvHeads());
        node.put("head_dim", config.headSize());
        node.put("rms_norm_eps", config.normEpsilon());
        Positions.Rotary rotary = (Positions.Rotary) config.positions();
        node.put("rope_theta", rotary.theta());
        node.set("rope_scaling", RopeSettings.write(rotary.scaling()));
        switch (family) {
            case LLAMA -> node.put("attention_bias", config.qkvBias()).put("mlp_bias", config.mlpBias());
            case QWEN3 -> node.put("attention_bias", config.qkvBias()).put("use_sliding_window", false);
            case QWEN2 -> node.put("use_sliding_window", false);
            default -> node.putNull("sliding_window");
        }
    }

    private static void gpt2(ObjectNode node, DecoderConfig config) {
        node.put("n_embd", config.hiddenSize());
        node.put("n_layer", config.layers());
        node.put("n_head", config.heads());
        node.put("n_inner", config.intermediateSize());
        node.put("n_positions", config.maxPositions());
        node.put("n_ctx", config.maxPositions());
        node.put("layer_norm_epsilon", config.normEpsilon());
        node.put("activation_function", config.mlp() == Mlp.GELU ? "gelu" : "gelu_new");
    }

    private static void gptNeoX(ObjectNode node, DecoderConfig config) {
        sizes(node, config);
        Positions.Rotary rotary = (Positions.Rotary) config.positions();
        double share = (double) rotary.rotated() / config.headSize();
        // Readers multiply and cut off the fraction: rounding must not take one entry away.
        node.put("rotary_pct", (int) (config.headSize() * share) < rotary.rotated() ? Math.nextUp(share) : share);
        node.put("rotary_emb_base", rotary.theta());
        node.put("rope_theta", rotary.theta());
        node.set("rope_scaling", RopeSettings.write(rotary.scaling()));
        node.put("layer_norm_eps", config.normEpsilon());
        node.put("hidden_act", config.mlp() == Mlp.GELU ? "gelu" : "gelu_new");
        node.put("attention_bias", config.qkvBias());
        node.put("use_parallel_residual", config.parallelResidual());
    }

    private static void sizes(ObjectNode node, DecoderConfig config) {
        node.put("hidden_size", config.hiddenSize());
        node.put("intermediate_size", config.intermediateSize());
        node.put("num_hidden_layers", config.layers());
        node.put("num_attention_heads", config.heads());
        node.put("max_position_embeddings", config.maxPositions());
    }
}

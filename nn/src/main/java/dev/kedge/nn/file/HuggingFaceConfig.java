package dev.kedge.nn.file;

import static dev.kedge.nn.file.InvalidFileException.quoted;

import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.DecoderConfig.Mlp;
import dev.kedge.nn.lm.DecoderConfig.Norm;
import dev.kedge.nn.lm.DecoderConfig.Positions;
import java.nio.file.Path;
import java.util.Map;

/// A Hugging Face config.json as the shape of a decoder. Keys that say nothing about the computation are passed over; a
/// value that asks for a computation we do not do is refused.
///
/// @param family which family's conventions the file follows
/// @param config the decoder it describes
record HuggingFaceConfig(ModelFamily family, DecoderConfig config) {
    private static final Map<String, Mlp> GELUS = Map.of(
            "gelu", Mlp.GELU,
            "gelu_new", Mlp.GELU_TANH,
            "gelu_fast", Mlp.GELU_TANH,
            "gelu_pytorch_tanh", Mlp.GELU_TANH);

    /// Reads a config.json.
    ///
    /// @throws InvalidFileException if it is damaged, lacks a key, or asks for what is not supported
    /// @throws java.io.UncheckedIOException if it cannot be read
    public static HuggingFaceConfig read(Path file) {
        return of(JsonFields.read(file));
    }

    static HuggingFaceConfig of(JsonFields json) {
        String modelType = json.text("model_type");
        ModelFamily family = ModelFamily.named(modelType)
                .orElseThrow(() -> new InvalidFileException(
                        json.file(),
                        "model_type " + quoted(modelType) + " is not supported; supported are " + ModelFamily.names()));
        refuse(json, "quantization_config", "absent: weights are read as they are");
        try {
            return new HuggingFaceConfig(
                    family,
                    switch (family) {
                        case LLAMA, MISTRAL, QWEN2, QWEN3 -> gated(json, family);
                        case GPT2 -> gpt2(json);
                        case GPT_NEOX -> gptNeoX(json);
                    });
        } catch (IllegalArgumentException e) {
            throw new InvalidFileException(json.file(), e.getMessage());
        }
    }

    private static DecoderConfig gated(JsonFields json, ModelFamily family) {
        int hidden = json.integer("hidden_size");
        int heads = json.integer("num_attention_heads");
        int layers = json.integer("num_hidden_layers");
        int maxPositions = json.integer("max_position_embeddings", maxPositionsOf(family));
        int headSize = headSize(json, family, hidden, heads);
        refuseOtherComputations(json, family);
        refuseSlidingWindow(json, family, maxPositions, layers);
        boolean attentionBias =
                (family == ModelFamily.LLAMA || family == ModelFamily.QWEN3) && json.flag("attention_bias", false);
        return new DecoderConfig(
                json.integer("vocab_size"),
                hidden,
                json.integer("intermediate_size"),
                layers,
                heads,
                kvHeads(json, family, heads),
                headSize,
                maxPositions,
                Norm.RMS,
                json.positive("rms_norm_eps", 1e-6),
                RopeSettings.read(json, headSize),
                Mlp.GATED_SILU,
                attentionBias || family == ModelFamily.QWEN2,
                attentionBias,
                json.flag("mlp_bias", false),
                family == ModelFamily.QWEN3,
                false,
                json.flag("tie_word_embeddings", false));
    }

    private static void refuseOtherComputations(JsonFields json, ModelFamily family) {
        String activation = json.text("hidden_act", "silu");
        if (!activation.equals("silu") && !activation.equals("swish")) {
            throw json.wrong("hidden_act", "silu for " + family.modelType());
        }
        if (RopeSettings.rotatedShare(json, 1) != 1) {
            throw json.wrong("partial_rotary_factor", "1 for " + family.modelType());
        }
        if (family == ModelFamily.MISTRAL) {
            refuse(json, "attention_bias", "false for mistral");
        }
        if (family != ModelFamily.LLAMA) {
            refuse(json, "mlp_bias", "false for " + family.modelType());
        }
    }

    /// As many as there are heads where the file does not say. Only Llama may leave the key out: the defaults of the
    /// other families are those of one large model.
    private static int kvHeads(JsonFields json, ModelFamily family, int heads) {
        boolean mayBeAbsent = family == ModelFamily.LLAMA || json.node().has("num_key_value_heads");
        int kvHeads = mayBeAbsent ? json.integer("num_key_value_heads", heads) : json.integer("num_key_value_heads");
        if (heads % kvHeads != 0) {
            throw json.wrong("num_key_value_heads", "a divisor of num_attention_heads " + heads);
        }
        return kvHeads;
    }

    private static int maxPositionsOf(ModelFamily family) {
        return switch (family) {
            case MISTRAL -> 131072;
            case QWEN2, QWEN3 -> 32768;
            default -> 2048;
        };
    }

    private static int headSize(JsonFields json, ModelFamily family, int hidden, int heads) {
        boolean derived = !json.has("head_dim");
        if (derived && family == ModelFamily.QWEN3 && !json.node().has("head_dim")) {
            return 128;
        }
        if (derived && hidden % heads != 0) {
            throw json.wrong("num_attention_heads", "a divisor of hidden_size " + hidden + " where head_dim is absent");
        }
        int headSize = derived ? hidden / heads : json.integer("head_dim");
        if (headSize % 2 != 0) {
            throw json.wrong("head_dim", "even, as rotation pairs entries; the head size is " + headSize);
        }
        return headSize;
    }

    private static DecoderConfig gpt2(JsonFields json) {
        int hidden = json.integer("n_embd");
        int heads = json.integer("n_head");
        if (hidden % heads != 0) {
            throw json.wrong("n_head", "a divisor of n_embd " + hidden);
        }
        if (hidden > Integer.MAX_VALUE / 4) {
            throw json.wrong("n_embd", "at most " + Integer.MAX_VALUE / 4);
        }
        if (!json.flag("scale_attn_weights", true)) {
            throw json.wrong("scale_attn_weights", "true");
        }
        refuse(json, "scale_attn_by_inverse_layer_idx", "false");
        refuse(json, "add_cross_attention", "false");
        return new DecoderConfig(
                json.integer("vocab_size"),
                hidden,
                json.integer("n_inner", 4 * hidden),
                json.integer("n_layer"),
                heads,
                heads,
                hidden / heads,
                json.integer("n_positions", json.integer("n_ctx", 1024)),
                Norm.LAYER,
                json.positive("layer_norm_epsilon", json.positive("layer_norm_eps", 1e-5)),
                new Positions.Learned(),
                gelu(json, "activation_function", "gelu_new"),
                true,
                true,
                true,
                false,
                false,
                json.flag("tie_word_embeddings", true));
    }

    private static DecoderConfig gptNeoX(JsonFields json) {
        int hidden = json.integer("hidden_size");
        int heads = json.integer("num_attention_heads");
        if (hidden % heads != 0) {
            throw json.wrong("num_attention_heads", "a divisor of hidden_size " + hidden);
        }
        int headSize = hidden / heads;
        int rotated = (int) (headSize * RopeSettings.rotatedShare(json, json.positive("rotary_pct", 0.25)));
        if (rotated < 2 || rotated % 2 != 0 || rotated > headSize) {
            throw json.wrong(
                    "rotary_pct", "a share that makes an even number of the head's " + headSize + ", not " + rotated);
        }
        boolean attentionBias = json.flag("attention_bias", true);
        return new DecoderConfig(
                json.integer("vocab_size"),
                hidden,
                json.integer("intermediate_size"),
                json.integer("num_hidden_layers"),
                heads,
                heads,
                headSize,
                json.integer("max_position_embeddings", 2048),
                Norm.LAYER,
                json.positive("layer_norm_eps", json.positive("layer_norm_epsilon", 1e-5)),
                RopeSettings.read(json, rotated),
                gelu(json, "hidden_act", "gelu"),
                attentionBias,
                attentionBias,
                true,
                false,
                json.flag("use_parallel_residual", true),
                json.flag("tie_word_embeddings", false));
    }

    private static Mlp gelu(JsonFields json, String key, String otherwise) {
        Mlp mlp = GELUS.get(json.text(key, otherwise));
        if (mlp == null) {
            throw json.wrong(key, "one of gelu, gelu_new, gelu_fast, gelu_pytorch_tanh");
        }
        return mlp;
    }

    /// A window that hides nothing is accepted: as wide as the positions, switched off, or in none of the layers.
    private static void refuseSlidingWindow(JsonFields json, ModelFamily family, int maxPositions, int layers) {
        for (String type : json.texts("layer_types")) {
            if (!type.equals("full_attention") && !type.equals("sliding_attention")) {
                throw json.wrong("layer_types", "a list of full_attention");
            }
        }
        boolean slides =
                switch (family) {
                    case MISTRAL -> !json.node().has("sliding_window") || json.has("sliding_window");
                    case QWEN2, QWEN3 ->
                        json.flag("use_sliding_window", false)
                                && (json.has("sliding_window") || !json.node().has("sliding_window"))
                                && (json.texts("layer_types").contains("sliding_attention")
                                        || (!json.has("layer_types")
                                                && json.integer("max_window_layers", 28) < layers));
                    default -> json.has("sliding_window");
                };
        if (slides && json.integer("sliding_window", 4096) < maxPositions) {
            throw json.wrong(
                    "sliding_window", "at least max_position_embeddings " + maxPositions + ", or null for no window");
        }
    }

    private static void refuse(JsonFields json, String key, String right) {
        if (!json.asksForNothing(key)) {
            throw json.wrong(key, right);
        }
    }
}

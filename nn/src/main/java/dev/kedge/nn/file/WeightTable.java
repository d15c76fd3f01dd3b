package dev.kedge.nn.file;

import static dev.kedge.nn.file.Layout.PER_HEAD;
import static dev.kedge.nn.file.Layout.ROWS;
import static dev.kedge.nn.file.Layout.TRANSPOSED;

import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.DecoderLayout;
import java.util.List;
import java.util.regex.Pattern;

/// What each family calls its modules on disk, as data. N stands for the layer; `.weight` and `.bias` are left off.
///
/// @param rows    the modules of a decoder and where the family keeps them; those a decoder lacks go unused
/// @param prefix  what stands before all names but the head's; files of the bare model lack it
/// @param ignored buffers, without the prefix, that files may hold and that say nothing
record WeightTable(List<Row> rows, String prefix, Pattern ignored) {
    /// @param module the name in memory
    /// @param disk   the names on disk, with the prefix
    record Row(String module, Layout layout, List<String> disk) {
        /// How many rows of the parameter each tensor on disk holds, given how many the parameter has.
        long[] parts(DecoderConfig config, long total) {
            return switch (disk.size()) {
                case 1 -> new long[] {total};
                case 2 -> new long[] {total / 2, total / 2};
                default -> DecoderLayout.qkvRows(config);
            };
        }
    }

    private static final WeightTable LLAMA = new WeightTable(
            List.of(
                    row("embedding", ROWS, "model.embed_tokens"),
                    row("layers.N.attentionNorm", ROWS, "model.layers.N.input_layernorm"),
                    row(
                            "layers.N.attention.qkv",
                            ROWS,
                            "model.layers.N.self_attn.q_proj",
                            "model.layers.N.self_attn.k_proj",
                            "model.layers.N.self_attn.v_proj"),
                    row("layers.N.attention.qNorm", ROWS, "model.layers.N.self_attn.q_norm"),
                    row("layers.N.attention.kNorm", ROWS, "model.layers.N.self_attn.k_norm"),
                    row("layers.N.attention.output", ROWS, "model.layers.N.self_attn.o_proj"),
                    row("layers.N.mlpNorm", ROWS, "model.layers.N.post_attention_layernorm"),
                    row("layers.N.mlp.gateUp", ROWS, "model.layers.N.mlp.gate_proj", "model.layers.N.mlp.up_proj"),
                    row("layers.N.mlp.down", ROWS, "model.layers.N.mlp.down_proj"),
                    row("norm", ROWS, "model.norm"),
                    row("head", ROWS, "lm_head")),
            "model.",
            Pattern.compile("layers\\.\\d+\\.self_attn\\.rotary_emb\\.inv_freq"));

    private static final WeightTable GPT2 = new WeightTable(
            List.of(
                    row("embedding", ROWS, "transformer.wte"),
                    row("positions", ROWS, "transformer.wpe"),
                    row("layers.N.attentionNorm", ROWS, "transformer.h.N.ln_1"),
                    row("layers.N.attention.qkv", TRANSPOSED, "transformer.h.N.attn.c_attn"),
                    row("layers.N.attention.output", TRANSPOSED, "transformer.h.N.attn.c_proj"),
                    row("layers.N.mlpNorm", ROWS, "transformer.h.N.ln_2"),
                    row("layers.N.mlp.up", TRANSPOSED, "transformer.h.N.mlp.c_fc"),
                    row("layers.N.mlp.down", TRANSPOSED, "transformer.h.N.mlp.c_proj"),
                    row("norm", ROWS, "transformer.ln_f"),
                    row("head", ROWS, "lm_head")),
            "transformer.",
            Pattern.compile("h\\.\\d+\\.attn\\.(masked_)?bias"));

    private static final WeightTable GPT_NEOX = new WeightTable(
            List.of(
                    row("embedding", ROWS, "gpt_neox.embed_in"),
                    row("layers.N.attentionNorm", ROWS, "gpt_neox.layers.N.input_layernorm"),
                    row("layers.N.attention.qkv", PER_HEAD, "gpt_neox.layers.N.attention.query_key_value"),
                    row("layers.N.attention.output", ROWS, "gpt_neox.layers.N.attention.dense"),
                    row("layers.N.mlpNorm", ROWS, "gpt_neox.layers.N.post_attention_layernorm"),
                    row("layers.N.mlp.up", ROWS, "gpt_neox.layers.N.mlp.dense_h_to_4h"),
                    row("layers.N.mlp.down", ROWS, "gpt_neox.layers.N.mlp.dense_4h_to_h"),
                    row("norm", ROWS, "gpt_neox.final_layer_norm"),
                    row("head", ROWS, "embed_out")),
            "gpt_neox.",
            Pattern.compile("layers\\.\\d+\\.attention\\.((masked_)?bias|rotary_emb\\.inv_freq)"));

    static WeightTable of(ModelFamily family) {
        return switch (family) {
            case LLAMA, MISTRAL, QWEN2, QWEN3 -> LLAMA;
            case GPT2 -> GPT2;
            case GPT_NEOX -> GPT_NEOX;
        };
    }

    private static Row row(String module, Layout layout, String... disk) {
        return new Row(module, layout, List.of(disk));
    }

    /// The row of a module in memory, such as `layers.3.mlp.down`.
    Row rowOf(String module) {
        String pattern = module.replaceFirst("^layers\\.\\d+\\.", "layers.N.");
        return rows.stream()
                .filter(row -> row.module().equals(pattern))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("this family has no place for " + module));
    }

    /// The number of the layer in a module's name; empty outside the layers.
    static String layerOf(String module) {
        return module.startsWith("layers.") ? module.split("\\.", 3)[1] : "";
    }

    /// A name on disk as it stands in a file.
    String name(String disk, String layer, boolean prefixed) {
        String name = disk.replace(".N.", "." + layer + ".");
        return prefixed || !name.startsWith(prefix) ? name : name.substring(prefix.length());
    }

    boolean ignores(String name) {
        return ignored.matcher(name.startsWith(prefix) ? name.substring(prefix.length()) : name)
                .matches();
    }
}

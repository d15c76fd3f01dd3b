package dev.kedge.nn.file;

import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.DecoderConfig.Mlp;
import dev.kedge.nn.lm.DecoderConfig.Norm;
import dev.kedge.nn.lm.DecoderConfig.Positions;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/// The families of decoders whose Hugging Face folders are read and written.
public enum ModelFamily {
    LLAMA("llama", "LlamaForCausalLM"),
    MISTRAL("mistral", "MistralForCausalLM"),
    QWEN2("qwen2", "Qwen2ForCausalLM"),
    QWEN3("qwen3", "Qwen3ForCausalLM"),
    GPT2("gpt2", "GPT2LMHeadModel"),
    GPT_NEOX("gpt_neox", "GPTNeoXForCausalLM");

    private final String modelType;
    private final String architecture;

    ModelFamily(String modelType, String architecture) {
        this.modelType = modelType;
        this.architecture = architecture;
    }

    /// The value of `model_type` in config.json.
    public String modelType() {
        return modelType;
    }

    /// The class under `architectures` in config.json.
    public String architecture() {
        return architecture;
    }

    /// The family with this `model_type`.
    static Optional<ModelFamily> named(String modelType) {
        return Arrays.stream(values())
                .filter(f -> f.modelType.equals(modelType))
                .findFirst();
    }

    static String names() {
        return Arrays.stream(values()).map(ModelFamily::modelType).collect(Collectors.joining(", "));
    }

    /// The first family whose files can say this configuration.
    ///
    /// @throws IllegalArgumentException if none can
    public static ModelFamily of(DecoderConfig config) {
        return Arrays.stream(values())
                .filter(f -> f.canSay(config))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no family of " + names() + " can say " + config));
    }

    /// Whether a config.json of this family can describe this decoder.
    public boolean canSay(DecoderConfig c) {
        return switch (this) {
            case LLAMA -> gated(c) && !c.qkNorm() && c.qkvBias() == c.outputBias();
            case MISTRAL -> gated(c) && !c.qkNorm() && !c.qkvBias() && !c.outputBias() && !c.mlpBias();
            case QWEN2 -> gated(c) && !c.qkNorm() && c.qkvBias() && !c.outputBias() && !c.mlpBias();
            case QWEN3 -> gated(c) && c.qkNorm() && c.qkvBias() == c.outputBias() && !c.mlpBias();
            case GPT2 ->
                classic(c)
                        && c.positions() instanceof Positions.Learned
                        && c.qkvBias()
                        && c.outputBias()
                        && !c.parallelResidual();
            case GPT_NEOX -> classic(c) && c.positions() instanceof Positions.Rotary && c.qkvBias() == c.outputBias();
        };
    }

    private static boolean gated(DecoderConfig c) {
        return c.norm() == Norm.RMS
                && c.mlp() == Mlp.GATED_SILU
                && !c.parallelResidual()
                && c.positions() instanceof Positions.Rotary rotary
                && rotary.rotated() == c.headSize();
    }

    private static boolean classic(DecoderConfig c) {
        return c.norm() == Norm.LAYER
                && c.mlp() != Mlp.GATED_SILU
                && c.mlpBias()
                && !c.qkNorm()
                && c.kvHeads() == c.heads()
                && (long) c.heads() * c.headSize() == c.hiddenSize();
    }
}

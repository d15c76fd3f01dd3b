package dev.kedge.nn.file;

import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.DecoderConfig.Mlp;
import dev.kedge.nn.lm.DecoderConfig.Norm;
import dev.kedge.nn.lm.DecoderConfig.Positions;
import dev.kedge.nn.lm.DecoderConfig.Scaling;
import dev.kedge.nn.lm.DecoderLayout;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;

/// Tiny models of every family.
final class Models {
    private Models() {}

    static DecoderConfig gated(
            boolean attentionBias, boolean outputBias, boolean mlpBias, boolean qkNorm, boolean tied) {
        return new DecoderConfig(
                11,
                12,
                10,
                2,
                4,
                2,
                6,
                32,
                Norm.RMS,
                1e-6,
                new Positions.Rotary(5e5, 6, new Scaling.Llama3(8, 1, 4, 16)),
                Mlp.GATED_SILU,
                attentionBias,
                outputBias,
                mlpBias,
                qkNorm,
                false,
                tied);
    }

    static DecoderConfig gpt2() {
        return new DecoderConfig(
                11,
                12,
                10,
                2,
                3,
                3,
                4,
                8,
                Norm.LAYER,
                1e-5,
                new Positions.Learned(),
                Mlp.GELU_TANH,
                true,
                true,
                true,
                false,
                false,
                true);
    }

    static DecoderConfig neoX(int headSize, int rotated, boolean attentionBias) {
        return new DecoderConfig(
                11,
                3 * headSize,
                10,
                2,
                3,
                3,
                headSize,
                8,
                Norm.LAYER,
                1e-5,
                new Positions.Rotary(1e4, rotated, new Scaling.Linear(2)),
                Mlp.GELU,
                attentionBias,
                attentionBias,
                true,
                false,
                true,
                false);
    }

    static List<DecoderConfig> all() {
        return List.of(
                gated(false, false, false, false, true),
                gated(false, false, false, false, false),
                gated(true, true, true, false, true),
                gated(true, false, false, false, true),
                gated(false, false, false, true, true),
                gated(true, true, false, true, false),
                gpt2(),
                neoX(4, 2, true),
                neoX(4, 4, false));
    }

    static SequencedMap<String, Tensor> random(DecoderConfig config, DType dtype, long seed) {
        Random random = new Random(seed);
        SequencedMap<String, Tensor> parameters = new LinkedHashMap<>();
        DecoderLayout.shapes(config).forEach((name, shape) -> {
            int numel = (int) (shape[0] * (shape.length == 2 ? shape[1] : 1));
            double[] values = random.doubles(numel, -1, 1).toArray();
            parameters.put(name, Tensor.of(values, shape).to(dtype));
        });
        return parameters;
    }
}

package dev.kedge.nn.lm;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.DecoderConfig.Mlp;
import dev.kedge.nn.lm.DecoderConfig.Norm;
import dev.kedge.nn.lm.DecoderConfig.Positions;
import dev.kedge.nn.lm.DecoderConfig.Positions.Learned;
import dev.kedge.nn.lm.DecoderConfig.Positions.Rotary;
import dev.kedge.nn.lm.DecoderConfig.Scaling;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Random;

/// Tiny decoders of every family's form, 13 tokens and 32 positions each.
enum Form {
    /// Grouped queries.
    LLAMA(gated(4, 2, 4, rotary(1e4, 4), false, false, false, false)),
    /// One key head for all queries.
    LLAMA_TIED(gated(4, 1, 4, rotary(1e4, 4), false, false, false, true)),
    /// A head of its own for every query, and every bias.
    LLAMA_BIASED(gated(2, 2, 8, rotary(1e4, 8), true, true, false, false)),
    /// Wavelengths on all three sides of the borders: 6 is kept, 20 and 63 are between, 199 is stretched.
    LLAMA3(gated(4, 2, 8, new Rotary(100, 8, new Scaling.Llama3(8, 1, 4, 64)), false, false, false, true)),
    LINEAR_SCALING(gated(4, 2, 4, new Rotary(1e4, 4, new Scaling.Linear(2.5)), false, false, false, true)),
    /// Biases of queries, keys and values only.
    QWEN2(gated(4, 2, 4, rotary(1e6, 4), true, false, false, true)),
    /// Normed queries and keys, and heads that are together wider than the residual stream.
    QWEN3(gated(4, 2, 6, rotary(1e6, 6), false, false, true, true)),
    GPT2(classic(4, new Learned(), Mlp.GELU_TANH, false, true)),
    /// A quarter of every head turns.
    NEOX(classic(8, rotary(1e4, 2), Mlp.GELU, true, false)),
    NEOX_SEQUENTIAL(classic(8, rotary(1e4, 8), Mlp.GELU, false, false));

    static final int VOCABULARY = 13;
    static final int POSITIONS = 32;

    final DecoderConfig config;

    Form(DecoderConfig config) {
        this.config = config;
    }

    private static Rotary rotary(double theta, int rotated) {
        return new Rotary(theta, rotated, new Scaling.None());
    }

    private static DecoderConfig gated(
            int heads,
            int kvHeads,
            int headSize,
            Rotary rotary,
            boolean qkvBias,
            boolean otherBias,
            boolean qkNorm,
            boolean tied) {
        return new DecoderConfig(
                13,
                16,
                20,
                2,
                heads,
                kvHeads,
                headSize,
                32,
                Norm.RMS,
                1e-5,
                rotary,
                Mlp.GATED_SILU,
                qkvBias,
                otherBias,
                otherBias,
                qkNorm,
                false,
                tied);
    }

    private static DecoderConfig classic(
            int headSize, Positions positions, Mlp mlp, boolean parallelResidual, boolean tied) {
        return new DecoderConfig(
                13,
                3 * headSize,
                20,
                2,
                3,
                3,
                headSize,
                32,
                Norm.LAYER,
                1e-5,
                positions,
                mlp,
                true,
                true,
                true,
                false,
                parallelResidual,
                tied);
    }

    /// A decoder with random weights that leave no entry idle.
    Decoder decoder(DType dtype, long seed) {
        return new Decoder(config, parameters(config, dtype, seed));
    }

    Decoder decoder(long seed) {
        return decoder(DType.FLOAT32, seed);
    }

    static Parameters parameters(DecoderConfig config, DType dtype, long seed) {
        Random random = new Random(seed);
        Parameters parameters = Parameters.zeros(DecoderLayout.shapes(config), dtype, Device.CPU);
        try (Scope _ = new Scope();
                var _ = Gradients.off()) {
            parameters.named().forEach((name, tensor) -> {
                boolean scale = tensor.dim() == 1 && name.endsWith("weight");
                double deviation = tensor.dim() == 2 ? 0.4 : 0.25;
                double[] values = new double[(int) tensor.numel()];
                for (int i = 0; i < values.length; i++) {
                    // Rounded to float32, so that every precision computes with the same numbers.
                    values[i] = (float) ((scale ? 1 : 0) + deviation * random.nextGaussian());
                }
                InPlace.copy_(tensor, Tensor.of(values, tensor.shape()));
            });
        }
        return parameters;
    }

    static int[] tokens(Random random, int length) {
        return random.ints(length, 0, VOCABULARY).toArray();
    }

    /// Rows of one length: [B, T].
    static Tensor batch(int[]... rows) {
        int length = rows[0].length;
        long[] ids = new long[rows.length * length];
        for (int b = 0; b < rows.length; b++) {
            for (int t = 0; t < length; t++) {
                ids[b * length + t] = rows[b][t];
            }
        }
        return Tensor.of(ids, rows.length, length);
    }
}

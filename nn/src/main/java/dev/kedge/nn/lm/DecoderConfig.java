package dev.kedge.nn.lm;

/// The shape of a decoder-only language model: Llama, Qwen, Mistral, GPT-2 and GPT-NeoX differ only in these choices.
///
/// @param vocabularySize    V, tokens
/// @param hiddenSize        H, the width of the residual stream
/// @param intermediateSize  the width inside the MLP
/// @param layers            blocks
/// @param heads             query heads
/// @param kvHeads           key and value heads; divides `heads`
/// @param headSize          the width of a head
/// @param maxPositions      the longest sequence, tokens
/// @param norm              which norm, everywhere
/// @param normEpsilon       added under its root
/// @param positions         how positions enter
/// @param mlp               which MLP
/// @param qkvBias           whether the query, key and value projections have biases
/// @param outputBias        whether the attention's output projection has one
/// @param mlpBias           whether the MLP's projections have them
/// @param qkNorm            whether each query and key head is normed before rotation (Qwen 3)
/// @param parallelResidual  whether attention and MLP read the same input and are added together (GPT-NeoX)
/// @param tiedHead          whether the head is the embedding
public record DecoderConfig(
        int vocabularySize,
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int kvHeads,
        int headSize,
        int maxPositions,
        Norm norm,
        double normEpsilon,
        Positions positions,
        Mlp mlp,
        boolean qkvBias,
        boolean outputBias,
        boolean mlpBias,
        boolean qkNorm,
        boolean parallelResidual,
        boolean tiedHead) {

    /// Which norm.
    public enum Norm {
        RMS,
        LAYER
    }

    /// Which MLP: `down(silu(gate x) * up x)`, or `down(act(up x))` with the exact or the tanh form of GELU.
    public enum Mlp {
        GATED_SILU,
        GELU,
        GELU_TANH
    }

    /// How positions enter.
    public sealed interface Positions {
        /// A learned vector for each, added to the embedding (GPT-2).
        record Learned() implements Positions {}

        /// Rotary embedding (arXiv:2104.09864) of the first `rotated` entries of every head, halves paired (i, i +
        /// rotated/2).
        ///
        /// @param theta   the base of the frequencies
        /// @param rotated how many entries of a head turn; even
        /// @param scaling for contexts longer than trained on
        record Rotary(double theta, int rotated, Scaling scaling) implements Positions {}
    }

    /// How rotary frequencies are stretched.
    public sealed interface Scaling {
        record None() implements Scaling {}

        /// All frequencies divided by `factor`.
        record Linear(double factor) implements Scaling {}

        /// Llama 3.1's: low frequencies divided by `factor`, high ones kept, a smooth passage between, the borders
        /// given by wavelengths `originalMaxPositions / lowFrequencyFactor` and `originalMaxPositions /
        /// highFrequencyFactor`.
        record Llama3(double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalMaxPositions)
                implements Scaling {}
    }

    public DecoderConfig {
        positive("vocabularySize", vocabularySize);
        positive("hiddenSize", hiddenSize);
        positive("intermediateSize", intermediateSize);
        positive("layers", layers);
        positive("heads", heads);
        positive("kvHeads", kvHeads);
        positive("headSize", headSize);
        positive("maxPositions", maxPositions);
        if (heads % kvHeads != 0) {
            throw new IllegalArgumentException("kvHeads " + kvHeads + " does not divide heads " + heads);
        }
        if (!(normEpsilon > 0)) {
            throw new IllegalArgumentException("normEpsilon must be > 0, was " + normEpsilon);
        }
        if (positions instanceof Positions.Rotary(double theta, int rotated, Scaling _)
                && (rotated % 2 != 0 || rotated < 2 || rotated > headSize || !(theta > 0))) {
            throw new IllegalArgumentException(
                    "rotary positions need an even number of rotated entries from 2 to headSize " + headSize
                            + " and theta > 0, were " + rotated + " and " + theta);
        }
    }

    /// A Llama-like decoder for tasks of our own: RMSNorm, rotary positions, gated SiLU MLP, no biases, tied head.
    public static DecoderConfig small(int vocabularySize, int hiddenSize, int layers, int heads, int maxPositions) {
        int intermediate = (hiddenSize * 8 / 3 + 31) / 32 * 32;
        return llama(vocabularySize, hiddenSize, intermediate, layers, heads, heads, maxPositions, 1e-5, 10000, true);
    }

    /// A decoder of Llama 2's form: RMSNorm, rotary positions of whole heads, gated SiLU MLP, no biases.
    ///
    /// @param theta the base of the rotary frequencies
    public static DecoderConfig llama(
            int vocabularySize,
            int hiddenSize,
            int intermediateSize,
            int layers,
            int heads,
            int kvHeads,
            int maxPositions,
            double normEpsilon,
            double theta,
            boolean tiedHead) {
        int headSize = hiddenSize / heads;
        return new DecoderConfig(
                vocabularySize,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                kvHeads,
                headSize,
                maxPositions,
                Norm.RMS,
                normEpsilon,
                new Positions.Rotary(theta, headSize, new Scaling.None()),
                Mlp.GATED_SILU,
                false,
                false,
                false,
                false,
                false,
                tiedHead);
    }

    private static void positive(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, was " + value);
        }
    }
}

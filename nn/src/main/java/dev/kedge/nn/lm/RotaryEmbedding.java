package dev.kedge.nn.lm;

import dev.kedge.nn.lm.DecoderConfig.Positions.Rotary;
import dev.kedge.nn.lm.DecoderConfig.Scaling;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Shapes;
import dev.kedge.tensor.Tensor;

/// Rotary position embedding (Su et al. 2021, arXiv:2104.09864, Eq. 34), entry i of a head paired with i + rotated/2.
///
/// @param cosines [P, 1, rotated]
/// @param sines   [P, 1, rotated], the first half negated, so that turning is `x cos + roll(x, rotated/2) sin`
record RotaryEmbedding(Tensor cosines, Tensor sines) implements AutoCloseable {

    static RotaryEmbedding of(Rotary rotary, int positions, DType dtype, Device device) {
        int rotated = rotary.rotated();
        int half = rotated / 2;
        double[] cos = new double[positions * rotated];
        double[] sin = new double[positions * rotated];
        for (int i = 0; i < half; i++) {
            double frequency = scaled(Math.pow(rotary.theta(), -2.0 * i / rotated), rotary.scaling());
            for (int p = 0; p < positions; p++) {
                int at = p * rotated + i;
                cos[at] = cos[at + half] = Math.cos(p * frequency);
                sin[at + half] = Math.sin(p * frequency);
                sin[at] = -sin[at + half];
            }
        }
        return new RotaryEmbedding(
                table(cos, positions, rotated, dtype, device), table(sin, positions, rotated, dtype, device));
    }

    private static Tensor table(double[] values, int positions, int rotated, DType dtype, Device device) {
        try (Tensor doubles = Tensor.of(values, positions, 1, rotated)) {
            return doubles.to(dtype).to(device).unscoped();
        }
    }

    private static double scaled(double frequency, Scaling scaling) {
        return switch (scaling) {
            case Scaling.None() -> frequency;
            case Scaling.Linear(double factor) -> frequency / factor;
            case Scaling.Llama3(double factor, double low, double high, int original) -> {
                double wavelength = 2 * Math.PI / frequency;
                if (wavelength < original / high) {
                    yield frequency;
                }
                if (wavelength > original / low) {
                    yield frequency / factor;
                }
                double smooth = (original / wavelength - low) / (high - low);
                yield (1 - smooth) * frequency / factor + smooth * frequency;
            }
        };
    }

    /// The tables of the positions `from` to `from + length`: [T, 1, rotated].
    RotaryEmbedding narrow(long from, long length) {
        return new RotaryEmbedding(cosines.narrow(0, from, length), sines.narrow(0, from, length));
    }

    /// The tables of the given positions `[B * T]`: [B, T, 1, rotated].
    RotaryEmbedding at(Tensor positions, long batch, long length) {
        long rotated = cosines.size(2);
        return new RotaryEmbedding(
                cosines.indexSelect(0, positions).view(batch, length, 1, rotated),
                sines.indexSelect(0, positions).view(batch, length, 1, rotated));
    }

    /// Turns the heads of `x` [B, T, heads, headSize].
    Tensor turn(Tensor x) {
        long rotated = cosines.size(-1);
        long headSize = x.size(3);
        if (rotated == headSize) {
            return turned(x, rotated);
        }
        Tensor[] parts = Shapes.split(x, 3, rotated, headSize - rotated);
        return Tensor.cat(java.util.List.of(turned(parts[0], rotated), parts[1]), 3);
    }

    private Tensor turned(Tensor x, long rotated) {
        return Elementwise.plusProduct(x.times(cosines), Shapes.roll(x, 3, rotated / 2), sines);
    }

    @Override
    public void close() {
        cosines.close();
        sines.close();
    }
}

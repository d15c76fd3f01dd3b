package dev.kedge.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/// A seeded source of random numbers with a state that can be saved and restored. The same seed gives the same numbers
/// on the same device and version of the engine. Not safe for use by several threads at once.
public final class Rng implements AutoCloseable {
    // LibTorch's CPUGeneratorImplStateLegacy: seed (8 bytes), left (4), seeded (4), next (8), words (8 each) ...
    private static final int FIRST_WORD = 24;
    private static final int WORDS = 624;

    private final Generator generator;
    private final GeneratorOptional optional;

    private Rng(Generator generator) {
        this.generator = generator;
        this.optional = new GeneratorOptional(generator);
    }

    /// A source on the processor. Every bit of the seed counts.
    public static Rng seeded(long seed) {
        Natives.ready();
        Rng rng = new Rng(torch.make_generator_cpu(seed));
        rng.restore(filled(rng.state(), seed));
        return rng;
    }

    /// A fresh state with all its words drawn by seed: the engine itself makes them of the seed's low 32 bits.
    private static byte[] filled(byte[] fresh, long seed) {
        long stream = Streams.of(seed, "Mersenne Twister");
        var state = ByteBuffer.wrap(fresh).order(ByteOrder.nativeOrder());
        for (int i = 0; i < WORDS; i++) {
            state.putLong(FIRST_WORD + i * Long.BYTES, Integer.toUnsignedLong((int) Streams.absorbed(stream, i)));
        }
        return fresh;
    }

    /// Independent standard normal draws: float32, on the processor.
    public Tensor normal(long... shape) {
        return draw("normal", DType.FLOAT32, options -> torch.randn(shape, optional, options));
    }

    /// Independent uniform draws from [0, 1): float32, on the processor.
    public Tensor uniform(long... shape) {
        return draw("uniform", DType.FLOAT32, options -> torch.rand(shape, optional, options));
    }

    /// A uniformly random order of 0..n-1: int64.
    public Tensor permutation(long n) {
        return draw("permutation", DType.INT64, options -> torch.randperm(n, optional, options));
    }

    /// One draw a row from unnormalised probabilities `[B, V]`: int64, `[B]`.
    ///
    /// @throws IllegalArgumentException if a row has a negative, infinite or NaN entry, or sums to 0
    public Tensor categorical(Tensor probabilities) {
        return new Tensor(Op.unary("categorical", probabilities, p -> {
            open("categorical");
            try (var drawn = torch.multinomial(p, 1, false, optional)) {
                return drawn.squeeze(-1);
            }
        }));
    }

    /// The whole state, for [#restore].
    public byte[] state() {
        open("state");
        try (var state = generator.get_state()) {
            byte[] bytes = new byte[(int) state.numel()];
            new BytePointer(state.data_ptr()).get(bytes);
            return bytes;
        }
    }

    /// Goes on exactly where the source stood whose [#state] this is.
    public void restore(byte[] state) {
        open("restore");
        try (Tensor made = Creation.empty(DType.UINT8, Device.CPU, state.length)) {
            new BytePointer(made.handle("restore").data_ptr()).put(state);
            generator.set_state(made.handle("restore"));
        } catch (RuntimeException e) {
            throw new IllegalArgumentException("not a generator state of this engine: " + state.length + " bytes", e);
        }
    }

    @Override
    public void close() {
        optional.close();
        generator.close();
    }

    private void open(String operation) {
        if (generator.isNull()) {
            throw new IllegalStateException(operation + ": this source of random numbers was closed");
        }
    }

    private interface Draw {
        org.bytedeco.pytorch.Tensor from(TensorOptions options);
    }

    private Tensor draw(String name, DType dtype, Draw draw) {
        return new Tensor(Op.made(name, () -> {
            open(name);
            return draw.from(Options.of(dtype, Device.CPU));
        }));
    }
}

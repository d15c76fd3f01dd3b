package dev.kedge.tensor;

import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/// Numbers as 0-dimensional tensors, float32 or float64, on the processor: the constants of equations, which recur at
/// each step. Each thread remembers the last one for each of a fixed number of slots, so memory is bounded; what falls
/// out is freed at once, and what a finished thread leaves behind is freed by the binding's collector.
final class Constants {
    private static final int SLOTS = 64;
    private static final int FLOAT32 = DType.FLOAT32.scalarType.value;
    private static final int FLOAT64 = DType.FLOAT64.scalarType.value;
    private static final ThreadLocal<Constants> OF_THREAD = ThreadLocal.withInitial(Constants::new);

    private final Tensor[] tensors = new Tensor[SLOTS];
    private final long[] bits = new long[SLOTS];
    private final int[] codes = new int[SLOTS];

    private Constants() {}

    /// Whether LibTorch's element type of this code is one that constants come in.
    static boolean has(int code) {
        return code == FLOAT32 || code == FLOAT64;
    }

    /// Belongs to this cache: good until the next call on this thread.
    static Tensor of(int code, double value) {
        Constants constants = OF_THREAD.get();
        long wanted = Double.doubleToRawLongBits(value);
        int slot = (int) ((wanted * 0x9E3779B97F4A7C15L) >>> 58) ^ code & SLOTS - 1;
        Tensor found = constants.tensors[slot];
        if (found != null && constants.bits[slot] == wanted && constants.codes[slot] == code) {
            return found;
        }
        Tensor made = make(code, value);
        if (found != null) {
            found.close();
        }
        constants.tensors[slot] = made;
        constants.bits[slot] = wanted;
        constants.codes[slot] = code;
        return made;
    }

    private static Tensor make(int code, double value) {
        boolean single = code == FLOAT32;
        // An inference tensor could not be saved for a backward pass: a constant outlives the block that first
        // needs it. Rounded here, because a Scalar beyond the range of float32 is refused instead of becoming
        // infinite.
        try (InferenceMode _ = new InferenceMode(false);
                Scalar scalar = new Scalar(single ? (float) value : value)) {
            TensorOptions options = Options.of(single ? DType.FLOAT32 : DType.FLOAT64, Device.CPU);
            return torch.full(new long[0], scalar, options);
        }
    }
}

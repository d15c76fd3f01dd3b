package dev.kedge.tensor;

import static dev.kedge.tensor.Op.made;

import java.util.Arrays;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;

/// Tensors of a given type, place and shape, whose values follow a rule.
public final class Creation {
    private Creation() {}

    /// A tensor of zeros.
    public static Tensor zeros(DType dtype, Device device, long... shape) {
        return full(0, dtype, device, shape);
    }

    /// A tensor of ones.
    public static Tensor ones(DType dtype, Device device, long... shape) {
        return full(1, dtype, device, shape);
    }

    /// A tensor filled with one value.
    public static Tensor full(double value, DType dtype, Device device, long... shape) {
        Natives.ready();
        return new Tensor(made("full " + Arrays.toString(shape), () -> {
            try (Scalar fill = new Scalar(value)) {
                return torch.full(shape, fill, Options.of(dtype, device));
            }
        }));
    }

    /// Memory whose contents are whatever they were.
    public static Tensor empty(DType dtype, Device device, long... shape) {
        return new Tensor(Memory.empty(dtype, device, shape));
    }

    /// The integers from `start` to `end`, exclusive: int64.
    public static Tensor arange(long start, long end, Device device) {
        Natives.ready();
        return new Tensor(made("arange", () -> {
            try (Scalar from = new Scalar(start);
                    Scalar to = new Scalar(end)) {
                return torch.arange(from, to, Options.of(DType.INT64, device));
            }
        }));
    }
}

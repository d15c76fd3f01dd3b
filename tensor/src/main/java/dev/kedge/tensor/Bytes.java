package dev.kedge.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;

/// Tensors from and to raw memory: all elements in their own type, row by row and little-endian.
public final class Bytes {
    private Bytes() {}

    /// A tensor on the processor whose memory is a copy of `source`.
    ///
    /// @throws IllegalArgumentException if `source` has not exactly as many bytes as the shape needs
    public static Tensor read(DType dtype, MemorySegment source, long... shape) {
        Tensor made = Creation.empty(dtype, Device.CPU, shape);
        try {
            if (made.numel() * dtype.bytes() != source.byteSize()) {
                throw new IllegalArgumentException("read: " + source.byteSize() + " bytes do not fill "
                        + dtype.name().toLowerCase(Locale.ROOT) + Arrays.toString(shape));
            }
            Memory.bytes(made.handle("read")).copyFrom(source);
        } catch (RuntimeException e) {
            made.close();
            throw e;
        }
        return made;
    }

    /// Copies x to the start of `target`.
    ///
    /// @throws IndexOutOfBoundsException if `target` is too small
    public static void write(Tensor x, MemorySegment target) {
        try (var local = x.handle("write").cpu();
                var dense = local.contiguous()) {
            MemorySegment bytes = Memory.bytes(dense);
            MemorySegment.copy(bytes, 0, target, 0, bytes.byteSize());
        }
    }
}

package dev.kedge.tensor;

import dev.kedge.tensor.Scope.Owned;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// LibTorch's memory: asked for, filled from Java arrays and read into them, row by row.
final class Memory {
    private Memory() {}

    /// Copies between a dense native tensor on the processor and an array that it knows.
    interface Transfer {
        void run(Tensor dense);
    }

    static Tensor empty(DType dtype, Device device, long[] shape) {
        Natives.ready();
        return Op.made("empty " + Arrays.toString(shape), () -> torch.empty(shape, Options.of(dtype, device), null));
    }

    /// A tensor on the processor that `transfer` fills with `length` values.
    ///
    /// @throws IllegalArgumentException if they do not fill the shape
    static Tensor filled(DType dtype, long length, long[] shape, Transfer transfer) {
        double numel = 1; // exact wherever it equals a length
        boolean negative = false;
        for (long size : shape) {
            numel *= size;
            negative |= size < 0;
        }
        if (numel != length || negative) {
            throw new IllegalArgumentException(length + " values do not fill shape " + Arrays.toString(shape));
        }
        Tensor made = empty(dtype, Device.CPU, shape);
        if (length > 0) {
            transfer.run(made);
        }
        return made;
    }

    static Tensor ofBooleans(boolean[] values, long[] shape) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) (values[i] ? 1 : 0);
        }
        return filled(DType.BOOL, bytes.length, shape, t -> new BytePointer(t.data_ptr()).put(bytes));
    }

    static double[] toDoubles(Owned x) {
        double[] values = new double[length("toDoubles", x)];
        read("toDoubles", x, DType.FLOAT64, t -> t.data_ptr_double().get(values));
        return values;
    }

    static float[] toFloats(Owned x) {
        float[] values = new float[length("toFloats", x)];
        read("toFloats", x, DType.FLOAT32, t -> t.data_ptr_float().get(values));
        return values;
    }

    static long[] toLongs(Owned x) {
        long[] values = new long[length("toLongs", x)];
        read("toLongs", x, DType.INT64, t -> t.data_ptr_long().get(values));
        return values;
    }

    static boolean[] toBooleans(Owned x) {
        byte[] bytes = new byte[length("toBooleans", x)];
        read("toBooleans", x, DType.BOOL, t -> new BytePointer(t.data_ptr()).get(bytes));
        boolean[] values = new boolean[bytes.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = bytes[i] != 0;
        }
        return values;
    }

    private static int length(String name, Owned x) {
        long numel = x.handle(name).numel();
        if (numel > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(name + ": " + numel + " elements do not fit into an array");
        }
        return (int) numel;
    }

    /// Lets `transfer` read all elements, converted to `dtype`, unless there are none.
    private static void read(String name, Owned x, DType dtype, Transfer transfer) {
        try (var typed = x.handle(name).to(dtype.scalarType);
                var local = typed.cpu();
                var dense = local.contiguous()) {
            if (dense.numel() > 0) {
                transfer.run(dense);
            }
        } catch (RuntimeException e) {
            throw Op.failure(name, e, x);
        }
    }

    /// The common length of the rows of a matrix, 0 without rows.
    ///
    /// @throws IllegalArgumentException if they differ
    static int columns(IntStream lengths) {
        return lengths.reduce((columns, length) -> {
                    if (length != columns) {
                        throw new IllegalArgumentException("rows of " + columns + " and " + length + " values");
                    }
                    return columns;
                })
                .orElse(0);
    }

    static boolean[] flat(boolean[][] rows, int columns) {
        boolean[] flat = new boolean[rows.length * columns];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, flat, i * columns, columns);
        }
        return flat;
    }

    static double[][] rows(double[] flat, int rows, int columns) {
        double[][] values = new double[rows][];
        Arrays.setAll(values, r -> Arrays.copyOfRange(flat, r * columns, (r + 1) * columns));
        return values;
    }

    /// The memory itself of a dense tensor on the processor.
    static MemorySegment bytes(Tensor dense) {
        long length = dense.numel() * dense.element_size();
        return length == 0
                ? MemorySegment.NULL
                : MemorySegment.ofAddress(dense.data_ptr().address()).reinterpret(length);
    }
}

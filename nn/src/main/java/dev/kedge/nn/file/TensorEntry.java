package dev.kedge.nn.file;

import dev.kedge.tensor.DType;
import java.util.Arrays;

/// What a file says of one tensor.
///
/// @param dtype the type of its elements
/// @param shape its dimensions
/// @param begin where its bytes begin, from the start of the data
/// @param end   where they end, exclusive
public record TensorEntry(DType dtype, long[] shape, long begin, long end) {
    public TensorEntry {
        shape = shape.clone();
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    /// The size of the tensor in bytes.
    public long bytes() {
        return end - begin;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TensorEntry(DType type, long[] dims, long from, long to)
                && type == dtype
                && Arrays.equals(dims, shape)
                && from == begin
                && to == end;
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(shape) * 31 + Long.hashCode(begin);
    }

    @Override
    public String toString() {
        return dtype + Arrays.toString(shape) + " at " + begin + " to " + end;
    }
}

package dev.kedge.nn.file;

import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.tensor.Shapes;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/// How a file lays out what is one parameter in memory.
enum Layout {
    /// As in memory; where there are several tensors, their rows follow each other.
    ROWS,
    /// Weights are [in, out].
    TRANSPOSED,
    /// The rows of each head's query, key and value stand together, head by head.
    PER_HEAD;

    /// The shapes on disk of a parameter whose shape in memory is given, `rows` of it in each tensor.
    List<long[]> shapes(long[] shape, long[] rows) {
        if (this == TRANSPOSED && shape.length == 2) {
            return List.of(new long[] {shape[1], shape[0]});
        }
        return LongStream.of(rows)
                .mapToObj(count -> {
                    long[] part = shape.clone();
                    part[0] = count;
                    return part;
                })
                .toList();
    }

    /// From disk to memory.
    Tensor join(List<Tensor> parts, DecoderConfig config) {
        Tensor first = parts.getFirst();
        return switch (this) {
            case ROWS -> parts.size() == 1 ? first : Tensor.cat(parts, 0);
            case TRANSPOSED -> first.dim() == 2 ? Shapes.contiguous(first.t()) : first;
            case PER_HEAD -> swapLeading(first, config.heads(), 3, config.headSize());
        };
    }

    /// From memory to disk, `rows` in each tensor.
    List<Tensor> split(Tensor parameter, long[] rows, DecoderConfig config) {
        return switch (this) {
            case ROWS -> {
                List<Tensor> parts = new ArrayList<>();
                long from = 0;
                for (long count : rows) {
                    parts.add(parameter.narrow(0, from, count));
                    from += count;
                }
                yield parts;
            }
            case TRANSPOSED -> List.of(parameter.dim() == 2 ? parameter.t() : parameter);
            case PER_HEAD -> List.of(swapLeading(parameter, 3, config.heads(), config.headSize()));
        };
    }

    /// Reads the rows of a tensor as [a, b, size] and orders them as [b, a, size].
    static Tensor swapLeading(Tensor tensor, long a, long b, long size) {
        long[] shape = tensor.shape();
        long rest = tensor.numel() / Math.max(shape[0], 1);
        return Shapes.contiguous(Shapes.transpose(tensor.reshape(a, b, size, rest), 0, 1))
                .reshape(shape);
    }
}

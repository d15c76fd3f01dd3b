package dev.kedge.tensor;

import static dev.kedge.tensor.Op.pair;
import static dev.kedge.tensor.Op.unary;

import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.LongOptional;

/// Sorting, and where the largest elements stand.
public final class Ordering {
    private Ordering() {}

    /// Sorted along a dimension: values and indices. Equal elements keep their order.
    public static Tensor[] sort(Tensor x, int dim, boolean descending) {
        return Tensor.all(pair("sort", x, t -> {
            try (var stable = new BoolOptional(true)) {
                return t.sort(stable, dim, descending);
            }
        }));
    }

    /// The k largest along the last dimension, largest first: values and indices.
    public static Tensor[] topK(Tensor x, long k) {
        return Tensor.all(pair("topK", x, t -> t.topk(k)));
    }

    /// The index of the largest element along a dimension: int64.
    public static Tensor argmax(Tensor x, int dim) {
        return new Tensor(unary("argmax", x, t -> {
            try (var d = new LongOptional(dim)) {
                return t.argmax(d, false);
            }
        }));
    }
}

package dev.kedge.tensor;

import static dev.kedge.tensor.Op.binary;
import static dev.kedge.tensor.Op.ternary;
import static dev.kedge.tensor.Op.unary;

import org.bytedeco.pytorch.global.torch;

/// Rarer ways to pick elements out and to put them in.
public final class Indexing {
    private Indexing() {}

    /// A copy in which `source` stands at `index` along `dim`.
    public static Tensor scatter(Tensor x, int dim, Tensor index, Tensor source) {
        return new Tensor(ternary("scatter", x, index, source, (t, i, s) -> t.scatter(dim, i, s)));
    }

    /// A copy to which the rows of `source` [N, ...] are added at `index` `[N]` along a dimension.
    public static Tensor indexAdd(Tensor x, int dim, Tensor index, Tensor source) {
        return new Tensor(ternary("indexAdd", x, index, source, (t, i, s) -> t.index_add(dim, i, s)));
    }

    /// The lower triangle of a matrix, from the `diagonal`-th down; 0 elsewhere.
    public static Tensor tril(Tensor x, long diagonal) {
        return new Tensor(unary("tril", x, t -> t.tril(diagonal)));
    }

    /// The places of the elements that are not 0: int64, [N, dim].
    public static Tensor nonzero(Tensor x) {
        return new Tensor(unary("nonzero", x, torch::nonzero));
    }

    /// The elements where `mask` is true, as a vector.
    public static Tensor maskedSelect(Tensor x, Tensor mask) {
        return new Tensor(binary("maskedSelect", x, mask, (a, m) -> a.masked_select(m)));
    }
}

package dev.kedge.tensor;

import static dev.kedge.tensor.Op.binary;
import static dev.kedge.tensor.Op.number;
import static dev.kedge.tensor.Op.scalar;
import static dev.kedge.tensor.Op.ternary;
import static dev.kedge.tensor.Op.unary;

import org.bytedeco.pytorch.Scalar;

/// Changes the first tensor in place and returns it.
public final class InPlace {
    private InPlace() {}

    /// Adds `other`.
    public static Tensor plus_(Tensor x, Tensor other) {
        binary("plus_", x, other, (a, b) -> a.add_(b));
        return x;
    }

    /// Adds `value`.
    public static Tensor plus_(Tensor x, double value) {
        number("plus_", x, value, (a, b) -> a.add_(b), (a, s) -> a.add_(s));
        return x;
    }

    /// Adds `value` times `other`.
    public static Tensor plus_(Tensor x, Tensor other, double value) {
        binary("plus_", x, other, (a, b) -> {
            try (Scalar s = new Scalar(value)) {
                return a.add_(b, s);
            }
        });
        return x;
    }

    /// Subtracts `other`.
    public static Tensor minus_(Tensor x, Tensor other) {
        binary("minus_", x, other, (a, b) -> a.sub_(b));
        return x;
    }

    /// Multiplies by `other`.
    public static Tensor times_(Tensor x, Tensor other) {
        binary("times_", x, other, (a, b) -> a.mul_(b));
        return x;
    }

    /// Multiplies by `value`.
    public static Tensor times_(Tensor x, double value) {
        number("times_", x, value, (a, b) -> a.mul_(b), (a, s) -> a.mul_(s));
        return x;
    }

    /// Sets every element to `value`.
    public static Tensor fill_(Tensor x, double value) {
        scalar("fill_", x, value, (a, s) -> a.fill_(s));
        return x;
    }

    /// Adds the rows of `source` [N, ...] at `index` `[N]` along a dimension.
    public static Tensor indexAdd_(Tensor x, int dim, Tensor index, Tensor source) {
        ternary("indexAdd_", x, index, source, (t, i, s) -> t.index_add_(dim, i, s));
        return x;
    }

    /// Adds `source` at `index` along `dim`, as in [Tensor#gather] reversed.
    public static Tensor scatterAdd_(Tensor x, int dim, Tensor index, Tensor source) {
        ternary("scatterAdd_", x, index, source, (t, i, s) -> t.scatter_add_(dim, i, s));
        return x;
    }

    /// Replaces every x by eˣ.
    public static Tensor exp_(Tensor x) {
        unary("exp_", x, t -> t.exp_());
        return x;
    }

    /// Adds `a` `[N, K]` times `b` `[K, M]` to x `[N, M]`.
    public static Tensor plusMatmul_(Tensor x, Tensor a, Tensor b) {
        ternary("plusMatmul_", x, a, b, (t, y, z) -> t.addmm_(y, z));
        return x;
    }

    /// Takes over the values of `other`, converted to the type and place of x.
    public static Tensor copy_(Tensor x, Tensor other) {
        binary("copy_", x, other, (a, b) -> a.copy_(b));
        return x;
    }
}

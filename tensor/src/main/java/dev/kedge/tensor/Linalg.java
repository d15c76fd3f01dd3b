package dev.kedge.tensor;

import static dev.kedge.tensor.Op.binary;
import static dev.kedge.tensor.Op.pair;
import static dev.kedge.tensor.Op.ternary;
import static dev.kedge.tensor.Op.unary;

import org.bytedeco.pytorch.global.torch;

/// Dense linear algebra; what factorises takes float32 or float64.
public final class Linalg {
    private Linalg() {}

    /// The x of `A x = b`.
    ///
    /// @param a `[n, n]`
    /// @param b `[n]` or `[n, k]`
    /// @throws IllegalArgumentException if A is singular
    public static Tensor solve(Tensor a, Tensor b) {
        return new Tensor(binary("solve", a, b, torch::linalg_solve));
    }

    /// The singular values of `[m, n]`, largest first.
    public static Tensor singularValues(Tensor a) {
        return new Tensor(unary("singularValues", a, torch::linalg_svdvals));
    }

    /// Eigenvalues, ascending, and eigenvectors, in columns, of a symmetric matrix.
    public static Tensor[] eigh(Tensor a) {
        return Tensor.all(pair("eigh", a, torch::linalg_eigh));
    }

    /// The Euclidean norm of all elements.
    public static Tensor norm(Tensor x) {
        return new Tensor(unary("norm", x, t -> t.norm()));
    }

    /// x `[N, M]` + `a` `[N, K]` times `b` `[K, M]`, in one pass.
    public static Tensor plusMatmul(Tensor x, Tensor a, Tensor b) {
        return new Tensor(ternary("plusMatmul", x, a, b, (t, y, z) -> t.addmm(y, z)));
    }
}

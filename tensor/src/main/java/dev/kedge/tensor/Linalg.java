package dev.kedge.tensor;

import org.bytedeco.pytorch.global.torch;

/// Dense linear algebra in float32 or float64.
public final class Linalg {
    private Linalg() {}

    /// The x of `A x = b`.
    ///
    /// @param a [n, n]
    /// @param b [n] or [n, k]
    /// @throws IllegalArgumentException if A is singular
    public static Tensor solve(Tensor a, Tensor b) {
        return Op.binary("solve", a, b, torch::linalg_solve);
    }

    /// The singular values of [m, n], largest first.
    public static Tensor singularValues(Tensor a) {
        return Op.unary("singularValues", a, torch::linalg_svdvals);
    }

    /// Eigenvalues, ascending, and eigenvectors, in columns, of a symmetric matrix.
    public static Tensor[] eigh(Tensor a) {
        return Op.pair("eigh", a, torch::linalg_eigh);
    }
}

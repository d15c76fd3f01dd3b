package dev.kedge.tensor;

import static dev.kedge.tensor.Op.unary;

import java.util.Arrays;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Rarer ways to order and to part the dimensions of a tensor.
public final class Shapes {
    private Shapes() {}

    /// A view with two dimensions swapped.
    public static Tensor transpose(Tensor x, int a, int b) {
        return new Tensor(unary("transpose", x, t -> t.transpose(a, b)));
    }

    /// A view with the dimensions in another order.
    public static Tensor permute(Tensor x, long... dims) {
        return new Tensor(unary("permute", x, t -> t.permute(dims)));
    }

    /// The same elements row by row in memory; no copy where they are already.
    public static Tensor contiguous(Tensor x) {
        return new Tensor(unary("contiguous", x, t -> t.contiguous()));
    }

    /// The entries of a dimension moved on by `shift`, cyclically.
    public static Tensor roll(Tensor x, int dim, long shift) {
        return new Tensor(unary("roll", x, t -> t.roll(new long[] {shift}, dim)));
    }

    /// Views of consecutive runs of a dimension, of the given lengths; their gradients are joined in one pass.
    public static Tensor[] split(Tensor x, int dim, long... lengths) {
        try (TensorVector parts = torch.split(x.handle("split"), lengths, dim)) {
            Tensor[] made = new Tensor[lengths.length];
            for (int i = 0; i < made.length; i++) {
                made[i] = new Tensor(new org.bytedeco.pytorch.Tensor(parts.get(i)));
            }
            return made;
        } catch (RuntimeException e) {
            throw Op.failure("split into " + Arrays.toString(lengths), e, x);
        }
    }
}

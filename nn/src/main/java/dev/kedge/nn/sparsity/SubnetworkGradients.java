package dev.kedge.nn.sparsity;

import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Training of a part of the weights (arXiv:2505.11711).
public final class SubnetworkGradients {
    private SubnetworkGradients() {}

    /// The gradient where `mask` is true, 0 elsewhere, NaN or not: to be taken before its norm is clipped, at every
    /// step. Adam then leaves the other weights as they are to the bit, if weight decay is masked as well.
    ///
    /// @param gradient of any shape
    /// @param mask     boolean, of that shape
    /// @throws IllegalArgumentException if shapes differ or the mask is not boolean
    public static Tensor masked(Tensor gradient, Tensor mask) {
        Require.mask("mask", mask, "gradient", gradient);
        return gradient.whereElse(mask, 0);
    }

    /// A mask of the weights that are nearest to 0: the control for overlaps of subnetworks, since rounding lets small
    /// weights move first, whatever moves them.
    ///
    /// @param weights before training, of any shape
    /// @param size    how many to take, 0 to all; of equal sizes, any
    /// @return boolean, of the shape of the weights
    /// @throws IllegalArgumentException if size is out of range
    public static Tensor smallest(Tensor weights, long size) {
        if (size < 0 || size > weights.numel()) {
            throw new IllegalArgumentException("size must be in 0.." + weights.numel() + ", was " + size);
        }
        Tensor distance = weights.detach().reshape(-1).abs();
        Tensor taken = Ordering.topK(distance.neg(), size)[1];
        Tensor mark = distance.zerosLike();
        return Indexing.scatter(mark, 0, taken, mark.onesLike().narrow(0, 0, size))
                .ne(0)
                .reshape(weights.shape());
    }
}

package dev.kedge.nn.sparsity;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// How far two subnetworks are the same, against what independent masks of their sizes would share (arXiv:2505.11711).
/// NaN where a mask that is divided by is empty.
///
/// @param first        the share of the first mask that is in the second
/// @param second       the share of the second that is in the first
/// @param chanceFirst  what `first` is by chance: the share of all weights that the second holds
/// @param chanceSecond what `second` is by chance: the share that the first holds
/// @param jaccard      what both hold, of what either holds
public record MaskOverlap(double first, double second, double chanceFirst, double chanceSecond, double jaccard) {
    /// The overlap of two masks.
    ///
    /// @param first  boolean, of any shape
    /// @param second boolean, of that shape
    /// @throws IllegalArgumentException if shapes differ or one is not boolean
    public static MaskOverlap of(Tensor first, Tensor second) {
        Require.mask("first", first, "itself", first);
        Require.mask("second", second, "first", first);
        double both = first.and(second).sum().item();
        double either = first.or(second).sum().item();
        double inFirst = first.sum().item();
        double inSecond = second.sum().item();
        double all = first.numel();
        return new MaskOverlap(both / inFirst, both / inSecond, inSecond / all, inFirst / all, both / either);
    }
}

package dev.kedge.objective.continual;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Dark experience replay (Buzzega et al. 2020, arXiv:2004.07211) on sequences: the logits themselves are held to those
/// of the model before the task, on new and replayed data.
public final class Der {
    private Der() {}

    /// `(weight/(tokensInStep·V)) Σ_t Σ_v (z_tv - teacher_tv)²` over the positions where `mask` is true: to be added to
    /// the task's loss. Unlike a KL it changes when a constant is added to the logits of a position.
    ///
    /// @param logits        z, `[B, T, V]`; gradient flows
    /// @param teacherLogits likewise, a constant
    /// @param mask          boolean `[B, T]`: true where the next token counts
    /// @param weight        dimensionless, finite and >= 0; 0.5 in arXiv:2508.08275
    /// @param tokensInStep  tokens that count in the whole optimizer step, >= 1
    /// @return the loss; metric `logit-distance`, the mean square over V summed over a sequence, `[B]`
    /// @throws IllegalArgumentException if shapes or types do not fit, or a number is out of range
    public static Loss der(Tensor logits, Tensor teacherLogits, Tensor mask, double weight, long tokensInStep) {
        Require.dims("logits", logits, 3, "[B, T, V]");
        Require.sameShape("teacherLogits", teacherLogits, "logits", logits);
        Require.mask("mask", mask, "logits without V", logits.select(2, 0));
        Require.from("weight", weight, 0, Double.POSITIVE_INFINITY);
        Require.denominator("tokensInStep", tokensInStep, 1);
        Tensor counts = mask.unsqueeze(2);
        Tensor difference =
                logits.whereElse(counts, 0).minus(teacherLogits.detach().whereElse(counts, 0));
        Tensor perSequence = difference.square().mean(2).sum(1);
        return Loss.of(perSequence.sum().times(weight / tokensInStep)).with("logit-distance", perSequence);
    }
}

package dev.kedge.objective.continual;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Learning without forgetting (Li and Hoiem 2016, arXiv:1606.09282) on sequences: the model as it was before the task
/// teaches the model, on the new task's data.
public final class Lwf {
    private Lwf() {}

    /// `(klWeight/tokensInStep) Σ KL_t` over the positions where `mask` is true: to be added to the task's loss.
    ///
    /// @param kl           `KL(teacher ‖ model)` of next-token distributions, nats, `[B, T]`, or packed `[N]`;
    ///                     gradient flows, and the teacher is a constant. See
    ///                     [dev.kedge.objective.logprob.HeadDivergence]
    /// @param mask         boolean, of the shape of kl: true at tokens that count
    /// @param klWeight     dimensionless, finite and >= 0
    /// @param tokensInStep tokens that count in the whole optimizer step, >= 1
    /// @return the loss; metric `kl`, nats, summed over a sequence `[B]`, or of a token `[N]`
    /// @throws IllegalArgumentException if shapes or types do not fit, or a number is out of range
    public static Loss lwf(Tensor kl, Tensor mask, double klWeight, long tokensInStep) {
        if (kl.dim() != 1) {
            Require.dims("kl", kl, 2, "[B, T] or [N]");
        }
        Require.mask("mask", mask, "kl", kl);
        Require.from("klWeight", klWeight, 0, Double.POSITIVE_INFINITY);
        Require.denominator("tokensInStep", tokensInStep, 1);
        Tensor counted = kl.whereElse(mask, 0);
        Tensor perExample = counted.dim() == 1 ? counted : counted.sum(1);
        return Loss.of(perExample.sum().times(klWeight / tokensInStep)).with("kl", perExample);
    }
}

package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Proximal policy optimization, its clipped objective (Schulman et al. 2017, arXiv:1707.06347, Eq. 7).
///
/// | advantage | ratio and clipping | aggregation | KL |
/// |---|---|---|---|
/// | any, such as that of a critic | of tokens, clipped to `1 ± clip` | mean over the tokens of the step | none |
///
/// Arguments: `advantages` are `[B]`, or per token `[B, T]`, constants whatever graph they carry; `clip` is
/// dimensionless, in (0, 1), customarily 0.2; `tokensInStep` counts the completion tokens of the whole optimizer step,
/// >= 1. Metrics are those of [Surrogate#loss]. Both throw [IllegalArgumentException] if shapes do not fit or a number
/// is out of range.
public final class PpoClip {
    private PpoClip() {}

    /// `(1/tokensInStep) Σ_it max(-A·ρ, -A·clip(ρ, 1 - clip, 1 + clip))`.
    public static Loss ppoClip(Rollout rollout, Tensor advantages, double clip, long tokensInStep) {
        Require.between("clip", clip, 0, 1);
        var surrogate = Surrogate.clipped(rollout, LogRatios.tokens(rollout), advantages, clip, clip);
        return surrogate.loss(Aggregation.perToken(surrogate.losses(), rollout.mask(), tokensInStep));
    }

    /// [#ppoClip], and at most `-A·cap` where `A < 0` (arXiv:1912.09729).
    ///
    /// @param cap dimensionless, > 1 + clip, customarily 3
    public static Loss dualClip(Rollout rollout, Tensor advantages, double clip, double cap, long tokensInStep) {
        Require.between("clip", clip, 0, 1);
        var surrogate = Surrogate.dualClipped(rollout, LogRatios.tokens(rollout), advantages, clip, clip, cap);
        return surrogate.loss(Aggregation.perToken(surrogate.losses(), rollout.mask(), tokensInStep));
    }
}

package dev.kedge.objective.preference;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.AlphaDivergence;
import dev.kedge.objective.divergence.BarrierDivergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// DPO under other divergences than the reverse KL (Wang et al. 2023, arXiv:2309.16240).
///
/// With reward less `beta·D_f(π||π_ref)` as the aim, the implicit reward is `beta·s(x)`, where x is the
/// log-ratio of the whole answer and s the [BarrierDivergence#score]. `beta` does not mean the same under
/// different divergences: sweep it.
public final class FDpo {
    private FDpo() {}

    /// `-(1/pairsInStep) Σ log σ(beta·s(x_w) - beta·s(x_l))`, `x_w = log π(y_w|x)/π_ref(y_w|x)`, `x_l` likewise.
    ///
    /// Exact, by IEEE arithmetic: forward KL and alpha exponentiate `-x` and `-alpha·x`, which overflows from
    /// 709 on in float64 and from 88 on in float32. A reward metric is then infinite, and the gradient may be
    /// NaN. See [#clamped].
    ///
    /// @param beta        strength of the regulariser, dimensionless, finite and > 0
    /// @param pairsInStep pairs in the whole optimizer step, at least B
    /// @return the loss; metrics as in [ImplicitRewards#loss], with rewards `beta·s(x)`
    /// @throws IllegalArgumentException if an argument is out of range
    public static Loss fDpo(PreferenceLogProbs lp, BarrierDivergence divergence, double beta, long pairsInStep) {
        return ofScores(
                divergence.score(lp.chosenLogRatio()), divergence.score(lp.rejectedLogRatio()), beta, pairsInStep);
    }

    /// [#fDpo] with the exponents of forward KL and alpha held at or below `maxExponent`: finite for all finite
    /// log-ratios, but without gradient where the bound acts. Reverse KL and Jensen-Shannon have no exponent to
    /// hold.
    ///
    /// @param maxExponent finite and > 0; 80 leaves float32 and bfloat16 room, 11 float16
    public static Loss clamped(
            PreferenceLogProbs lp, BarrierDivergence divergence, double beta, double maxExponent, long pairsInStep) {
        Require.positive("maxExponent", maxExponent);
        return ofScores(
                divergence.score(clamp(lp.chosenLogRatio(), divergence, maxExponent)),
                divergence.score(clamp(lp.rejectedLogRatio(), divergence, maxExponent)),
                beta,
                pairsInStep);
    }

    private static Loss ofScores(Tensor chosen, Tensor rejected, double beta, long pairsInStep) {
        Require.positive("beta", beta);
        ImplicitRewards rewards = new ImplicitRewards(chosen.times(beta), rejected.times(beta));
        return rewards.loss(Functional.logSigmoid(rewards.margin()).neg(), pairsInStep);
    }

    private static Tensor clamp(Tensor logRatio, BarrierDivergence divergence, double maxExponent) {
        return switch (divergence) {
            case ReverseKl _, JensenShannon _ -> logRatio;
            case ForwardKl _ -> Elementwise.clampMin(logRatio, -maxExponent);
            case AlphaDivergence a -> Elementwise.clampMin(logRatio, -maxExponent / a.alpha());
        };
    }
}

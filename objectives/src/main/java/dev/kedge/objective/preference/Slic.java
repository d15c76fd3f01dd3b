package dev.kedge.objective.preference;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Sequence Likelihood Calibration with the hinge (Zhao et al. 2023, arXiv:2305.10425).
public final class Slic {
    private Slic() {}

    /// `(1/pairsInStep) Σ max(0, 1 - m)`, `m = beta·[(chosen - refChosen) - (rejected - refRejected)]`: SLiC's
    /// hinge on log-ratios to a reference (`hinge-norm` of Liu et al. 2023, arXiv:2309.06657). SLiC's own,
    /// without reference, is this of [PreferenceLogProbs#referenceFree] with `beta = 1/δ`, times δ.
    ///
    /// @param beta        inverse of the log-ratio margin wanted, finite and > 0
    /// @param pairsInStep pairs in the whole optimizer step, at least B
    /// @return the loss; metrics as in [ImplicitRewards#loss]
    /// @throws IllegalArgumentException if an argument is out of range
    public static Loss hinge(PreferenceLogProbs lp, double beta, long pairsInStep) {
        Require.positive("beta", beta);
        ImplicitRewards rewards = ImplicitRewards.of(lp, beta);
        Tensor shortfall = rewards.margin().neg().plus(1);
        return rewards.loss(Functional.relu(shortfall), pairsInStep);
    }
}

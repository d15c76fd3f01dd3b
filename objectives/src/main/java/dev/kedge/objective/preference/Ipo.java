package dev.kedge.objective.preference;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Identity Preference Optimization (Azar et al. 2023, arXiv:2310.12036).
public final class Ipo {
    private Ipo() {}

    /// `(1/pairsInStep) Σ (h - 1/(2τ))²`, `h = (chosen - refChosen) - (rejected - refRejected)`: Eq. (17).
    ///
    /// The log-ratios are those of whole answers, summed over tokens, as in the paper. Some libraries average
    /// them over tokens instead, for which pass `lp.lengthNormalized(...)`. Unlike DPO's, the optimum keeps a
    /// finite margin even where one answer always wins.
    ///
    /// @param tau         strength of the KL regulariser, dimensionless, finite and > 0
    /// @param pairsInStep pairs in the whole optimizer step, at least B
    /// @return the loss; metrics as in [ImplicitRewards#loss], with rewards `τ·log π/π_ref`
    /// @throws IllegalArgumentException if an argument is out of range
    public static Loss ipo(PreferenceLogProbs lp, double tau, long pairsInStep) {
        Require.positive("tau", tau);
        Tensor h = lp.chosenLogRatio().minus(lp.rejectedLogRatio());
        return ImplicitRewards.of(lp, tau).loss(h.minus(1 / (2 * tau)).square(), pairsInStep);
    }
}

package dev.kedge.objective.preference;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Exploratory Preference Optimization (Xie et al. 2024, arXiv:2405.21046, Algorithm 1): online DPO, and a bonus for
/// leaving what the reference typically says.
///
/// Each pair is an answer y of the policy and an answer ỹ of the reference to one prompt; a judge chose one of them.
/// Lowering `log π(ỹ)`, chosen or not, raises all other answers until data speak against them. With its plus sign the
/// bonus is part of what is minimised.
///
/// Unbounded below: where no pair holds an answer back, the bonus raises it without end. Bound the log-ratios, clamping
/// what goes in here, or the number of steps.
public final class Xpo {
    private Xpo() {}

    /// `(1/pairsInStep) Σ [-log σ(m) + alpha·log π(ỹ)]`, m as in [Dpo].
    ///
    /// @param lp                   the pairs as judged, `[B]`; see [PreferenceLogProbs#judged]
    /// @param policySampleIsChosen boolean `[B]`: true where ỹ is the rejected answer, false where it is chosen
    /// @param alpha                weight of the bonus, dimensionless, finite and >= 0; 0 is online DPO
    /// @param beta                 strength of the KL regulariser, dimensionless, finite and > 0
    /// @param pairsInStep          pairs in the whole optimizer step, at least B
    /// @return the loss; metrics as in [ImplicitRewards#loss], `loss` being the preference term, and `bonus`,
    ///         which is `alpha·log π(ỹ)`, `[B]`
    /// @throws IllegalArgumentException if an argument is out of range
    public static Loss xpo(
            PreferenceLogProbs lp, Tensor policySampleIsChosen, double alpha, double beta, long pairsInStep) {
        return withBonus(Dpo.dpo(lp, beta, pairsInStep), lp, policySampleIsChosen, alpha, pairsInStep);
    }

    /// [#xpo] on IPO: `(1/pairsInStep) Σ [(h - 1/(2·beta))² + alpha·log π(ỹ)]`, h as in [Ipo].
    public static Loss ipo(
            PreferenceLogProbs lp, Tensor policySampleIsChosen, double alpha, double beta, long pairsInStep) {
        Require.positive("beta", beta); // by our name, before IPO calls it tau
        return withBonus(Ipo.ipo(lp, beta, pairsInStep), lp, policySampleIsChosen, alpha, pairsInStep);
    }

    private static Loss withBonus(
            Loss preference, PreferenceLogProbs lp, Tensor policySampleIsChosen, double alpha, long pairsInStep) {
        Require.from("alpha", alpha, 0, Double.POSITIVE_INFINITY);
        Require.mask("policySampleIsChosen", policySampleIsChosen, "chosen", lp.chosen());
        Tensor refSample = lp.rejected().whereElse(policySampleIsChosen, lp.chosen());
        Tensor bonus = refSample.times(alpha);
        return new Loss(preference.value().plus(bonus.sum().div(pairsInStep)), preference.metrics())
                .with("bonus", bonus);
    }
}

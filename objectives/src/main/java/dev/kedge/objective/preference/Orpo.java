package dev.kedge.objective.preference;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Odds Ratio Preference Optimization (Hong et al. 2024, arXiv:2403.07691): fine-tuning and preference in one loss.
public final class Orpo {
    private Orpo() {}

    /// `(1/pairsInStep) Σ [-log p_w - lambda·log σ(log odds(p_w) - log odds(p_l))]`, `odds(p) = p/(1 - p)`:
    /// Eq. (6) and (7), where `p = exp(log π(y|x)/|y|)` is the geometric mean of the probabilities of an answer's
    /// tokens. No reference.
    ///
    /// The likelihood is that of the answer alone, and all answers weigh the same; TRL's is that of prompt and
    /// answer, a mean over the tokens of a micro-batch. Lambda is its `beta`. Odds are held at 1e7: those of
    /// certainty are infinite.
    ///
    /// @param chosen       `log π(y_w|x)`, summed over tokens, nats, `[B]`; gradient flows. `rejected` that of y_l
    /// @param chosenTokens `|y_w|`, tokens, `[B]`; `rejectedTokens` is `|y_l|`. 0 counts as 1
    /// @param lambda       weight of the preference, dimensionless, finite and > 0
    /// @param pairsInStep  pairs in the whole optimizer step, at least B
    /// @return the loss; metrics as in [ImplicitRewards#loss], with rewards `lambda·log p`
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss orpo(
            Tensor chosen,
            Tensor rejected,
            Tensor chosenTokens,
            Tensor rejectedTokens,
            double lambda,
            long pairsInStep) {
        Require.positive("lambda", lambda);
        var means = PreferenceLogProbs.referenceFree(chosen, rejected).lengthNormalized(chosenTokens, rejectedTokens);
        Tensor logOddsRatio = logOdds(means.chosen()).minus(logOdds(means.rejected()));
        Tensor preference = Functional.logSigmoid(logOddsRatio).times(lambda);
        return ImplicitRewards.of(means, lambda)
                .loss(means.chosen().plus(preference).neg(), pairsInStep);
    }

    /// `log p - log(1 - p)` of `log p <= 0`.
    private static Tensor logOdds(Tensor logP) {
        Tensor below = Elementwise.clampMax(logP, -1e-7);
        // expm1 keeps 1 - p exact where p is near 1; what it loses near 0 is below the rounding of log p.
        return below.minus(Elementwise.expm1(below).neg().log());
    }
}

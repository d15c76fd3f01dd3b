package dev.kedge.objective.preference;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Contrastive Preference Optimization (Xu et al. 2024, arXiv:2401.08417): DPO without a reference, and the
/// likelihood of the chosen answer in the reference's place.
public final class Cpo {
    private Cpo() {}

    /// `-(1/pairsInStep) Σ [log σ(beta·(chosen - rejected)) + alpha·chosen/|y_w|]`: the preference of Eq. (3) and
    /// the likelihood that Eq. (5) adds.
    ///
    /// The paper's likelihood is that of the whole answer, a sum: pass ones as `chosenTokens`, and `alpha = 1`.
    /// TRL's is a mean over all chosen tokens of a micro-batch, in which long answers weigh more; `cpo_alpha` is
    /// this alpha. Here every answer weighs the same, however the step is split.
    ///
    /// @param chosen       `log π(y_w|x)`, summed over tokens, nats, `[B]`; gradient flows. `rejected` that of y_l
    /// @param chosenTokens `|y_w|`, tokens, `[B]`; 0 counts as 1
    /// @param beta         scale of the rewards, dimensionless, finite and > 0
    /// @param alpha        weight of the likelihood, dimensionless, finite and >= 0
    /// @param pairsInStep  pairs in the whole optimizer step, at least B
    /// @return the loss; metrics as in [ImplicitRewards#loss], with rewards `beta·log π`
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss cpo(
            Tensor chosen, Tensor rejected, Tensor chosenTokens, double beta, double alpha, long pairsInStep) {
        Require.positive("beta", beta);
        Require.from("alpha", alpha, 0, Double.POSITIVE_INFINITY);
        var lp = PreferenceLogProbs.referenceFree(chosen, rejected);
        Tensor likelihood =
                lp.lengthNormalized(chosenTokens, chosenTokens).chosen().times(alpha);
        ImplicitRewards rewards = ImplicitRewards.of(lp, beta);
        return rewards.loss(
                Functional.logSigmoid(rewards.margin()).plus(likelihood).neg(), pairsInStep);
    }
}

package dev.kedge.objective.preference;

import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.LeaveOneOut;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Hybrid Preference Optimization (Song et al. 2024, arXiv:2406.01462, Algorithm 1): DPO on pairs that somebody
/// collected, and a penalty on `KL(π||π_ref)` measured on the policy's own answers, which need no labels.
///
/// Throughout, `kl = log π(y) - log π_ref(y)` of an online answer. The penalty is a surrogate: with weights A held
/// constant its gradient `A·∇log π(y)` averages to that of the KL over answers drawn from the current policy at
/// temperature 1 from its whole distribution, while its value means nothing. Read the KL off `online/kl`.
///
/// Not the "Hybrid-DPO" of arXiv:2602.11902, nor "HPO" of arXiv:2405.17956.
public final class Hypo {
    private Hypo() {}

    /// `-(1/pairsInStep) Σ log σ(m) + lambda·(1/samplesInStep) Σ A·log π(y)`, `A = kl`, constant; m as in [Dpo].
    ///
    /// @param lp            the offline pairs, `[B]`
    /// @param online        answers of the current policy, `[P, G]`; P need not be B
    /// @param beta          strength of DPO's regulariser, dimensionless, finite and > 0
    /// @param lambda        weight of the online KL of whole answers, dimensionless, finite and >= 0; 0 is DPO
    /// @param pairsInStep   pairs in the whole optimizer step, at least B
    /// @param samplesInStep online answers in the whole optimizer step, at least P·G
    /// @return the loss; metrics of the pairs as in [ImplicitRewards#loss], `loss` being DPO's; of the
    ///         online answers `online/kl` and `online/advantage`, which is A, `[P, G]` each, to be averaged over
    ///         samplesInStep
    /// @throws IllegalArgumentException if an argument is out of range
    public static Loss hypo(
            PreferenceLogProbs lp,
            OnlineLogProbs online,
            double beta,
            double lambda,
            long pairsInStep,
            long samplesInStep) {
        return penalised(lp, online, online.logRatio(), beta, lambda, pairsInStep, samplesInStep);
    }

    /// [#hypo] with the baseline of [LeaveOneOut]: A is an answer's kl less the mean kl of the prompt's others. The
    /// gradient has the same mean; see there for its variance.
    ///
    /// @param online answers of the current policy, `[P, G]` with G >= 2
    public static Loss leaveOneOut(
            PreferenceLogProbs lp,
            OnlineLogProbs online,
            double beta,
            double lambda,
            long pairsInStep,
            long samplesInStep) {
        Tensor advantages = LeaveOneOut.advantages(online.logRatio());
        return penalised(lp, online, advantages, beta, lambda, pairsInStep, samplesInStep);
    }

    private static Loss penalised(
            PreferenceLogProbs lp,
            OnlineLogProbs online,
            Tensor advantages,
            double beta,
            double lambda,
            long pairsInStep,
            long samplesInStep) {
        Require.from("lambda", lambda, 0, Double.POSITIVE_INFINITY);
        Require.denominator("samplesInStep", samplesInStep, online.samples());
        Loss dpo = Dpo.dpo(lp, beta, pairsInStep);
        // Without detach() the gradient would be that of mean kl at fixed answers, which averages to 0.
        Tensor surrogate = advantages.detach().times(online.policy()).sum().div(samplesInStep);
        return new Loss(dpo.value().plus(surrogate.times(lambda)), dpo.metrics())
                .with("online/kl", online.logRatio())
                .with("online/advantage", advantages);
    }
}

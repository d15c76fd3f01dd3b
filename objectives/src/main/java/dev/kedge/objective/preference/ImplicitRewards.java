package dev.kedge.objective.preference;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// The rewards that a policy implies about answer pairs, up to a constant of the prompt: nats, `[B]`.
///
/// A policy that maximises reward less `beta` times a divergence from its reference has the reward
/// `beta·f'(π/π_ref)` (arXiv:2305.18290, Eq. 5, for the reverse KL).
///
/// @param chosen   reward of y_w; gradient flows
/// @param rejected reward of y_l; gradient flows
public record ImplicitRewards(Tensor chosen, Tensor rejected) {
    /// @throws IllegalArgumentException if the two are not vectors of one length
    public ImplicitRewards {
        Require.dims("chosen", chosen, 1, "[B]");
        Require.sameShape("rejected", rejected, "chosen", chosen);
    }

    /// `beta·log π(y|x)/π_ref(y|x)`: those of the reverse KL.
    public static ImplicitRewards of(PreferenceLogProbs lp, double beta) {
        return new ImplicitRewards(
                lp.chosenLogRatio().times(beta), lp.rejectedLogRatio().times(beta));
    }

    /// By how much the chosen answer's reward exceeds the rejected one's, `[B]`.
    public Tensor margin() {
        return chosen.minus(rejected);
    }

    /// `Σ pairLosses / pairsInStep`, with what every preference objective reports.
    ///
    /// @param pairLosses  the loss of each pair, `[B]`; gradient flows
    /// @param pairsInStep pairs in the whole optimizer step, over all micro-batches and ranks, so that the
    ///                    gradients of the parts add up to the gradient of the step
    /// @return the loss; metrics `[B]`: `loss`, `reward/chosen`, `reward/rejected`, and `reward/accuracy`, which
    ///         is 1 where the chosen answer has the higher reward, 1/2 where both have the same, and 0 elsewhere
    /// @throws IllegalArgumentException if pairsInStep is less than B
    public Loss loss(Tensor pairLosses, long pairsInStep) {
        Require.sameShape("pairLosses", pairLosses, "chosen", chosen);
        Require.denominator("pairsInStep", pairsInStep, chosen.size(0));
        Tensor ordered =
                chosen.gt(rejected).to(chosen.dtype()).plus(chosen.ge(rejected).to(chosen.dtype()));
        return Loss.of(pairLosses.sum().div(pairsInStep))
                .with("loss", pairLosses)
                .with("reward/chosen", chosen)
                .with("reward/rejected", rejected)
                .with("reward/accuracy", ordered.div(2));
    }
}

package dev.kedge.objective.variational;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// How far a proposal and a policy are from a target `p = P/Z`, estimated from answers of the proposal (GDC; see
/// [Dpg]). Scalars without gradient. All but the first two are NaN or infinite where no answer has a weight above 0.
///
/// @param normaliser     `Z`, the mean of the weights `w = P/q`, unbiased
/// @param weightStd      the standard deviation of the weights, over B
/// @param klProposal     `KL(p||q) = -log Z + mean(w·log(P/q))/Z`, nats; may be negative for few answers
/// @param klPolicy       `KL(p||π)`, likewise
/// @param tvdProposal    total variation of p and q, `mean|1 - w/Z|/2`
/// @param tvdPolicy      of p and π, `mean|π/q - w/Z|/2`
public record TargetEstimates(
        Tensor normaliser, Tensor weightStd, Tensor klProposal, Tensor klPolicy, Tensor tvdProposal, Tensor tvdPolicy) {

    /// The estimates from log-probabilities of B answers of the proposal.
    ///
    /// @param logTarget   `log P`, unnormalised, nats, `[B]`; `-Infinity` counts as the weight 0
    /// @param logProposal `log q`, finite, `[B]`; `logProbs` under the policy likewise
    /// @throws IllegalArgumentException if the three are not vectors of one length
    public static TargetEstimates of(Tensor logTarget, Tensor logProposal, Tensor logProbs) {
        Tensor weights = Dpg.weights(logTarget, logProposal);
        Require.sameShape("logProbs", logProbs, "logTarget", logTarget);
        Tensor z = weights.mean();
        Tensor share = weights.div(z);
        Tensor importance = logProbs.detach().minus(logProposal.detach()).exp();
        return new TargetEstimates(
                z,
                weights.minus(z).square().mean().sqrt(),
                kl(weights, z, logTarget.detach().minus(logProposal.detach())),
                kl(weights, z, logTarget.detach().minus(logProbs.detach())),
                share.neg().plus(1).abs().mean().div(2),
                importance.minus(share).abs().mean().div(2));
    }

    private static Tensor kl(Tensor weights, Tensor z, Tensor logRatio) {
        Tensor counted = logRatio.whereElse(weights.gt(0), 0).times(weights);
        return counted.mean().div(z).minus(z.log());
    }
}

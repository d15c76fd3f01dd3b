package dev.kedge.objective.policy;

import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;
import java.util.function.BinaryOperator;

/// Where the KL to a reference stands in a policy gradient: in the loss, token by token, or in the reward.
///
/// In the loss an estimator is differentiated at tokens already drawn. Its gradient in expectation, on policy:
///
/// | estimator | in the loss | in the reward |
/// |---|---|---|
/// | k1 | 0: useless | `∇KL(π‖ref)` |
/// | k2 | `∇KL(π‖ref)` | `∇E_π[k2] - ∇KL(π‖ref)` |
/// | k3 | `∇KL(ref‖π)`: of the other KL | `∇KL(π‖ref) - ∇KL(ref‖π)` |
/// | unbiased | `∇KL(π‖ref)` | as k3 |
///
/// Token by token in the loss, a token's effect on the KL of the states after it is left out; in the reward of a whole
/// completion it is there, at a higher variance. Where whole distributions are affordable, take [#exact].
///
/// What is of the reference is a constant whatever graph it carries. All throw [IllegalArgumentException] if shapes do
/// not fit.
public final class ReferenceKl {
    private ReferenceKl() {}

    /// The estimate at each token, nats, `[B, T]`, 0 where masked; gradient flows. To be added to losses of tokens,
    /// times the strength of the regulariser.
    ///
    /// @param refLogProbs `log π_ref(o_t|q, o_<t)`, nats, `[B, T]`
    /// @param estimator   from `log π` and `log π_ref`, such as [SampledKl#k3] or [SampledKl#unbiased]
    public static Tensor inLoss(Rollout rollout, Tensor refLogProbs, BinaryOperator<Tensor> estimator) {
        Require.sameShape("refLogProbs", refLogProbs, "logProbs", rollout.logProbs());
        Tensor mask = rollout.mask();
        return estimator
                .apply(
                        rollout.logProbs().whereElse(mask, 0),
                        refLogProbs.detach().whereElse(mask, 0))
                .whereElse(mask, 0);
    }

    /// [#inLoss] of [SampledKl#unbiased], weighted by `sg[π/π_old]`: value and gradient are those of `KL(π‖ref)` at
    /// each state in expectation although an older policy drew the tokens.
    ///
    /// @param refLogProbs as above
    public static Tensor importanceWeighted(Rollout rollout, Tensor refLogProbs) {
        Tensor ratios = LogRatios.tokens(rollout).detach().exp();
        return inLoss(rollout, refLogProbs, SampledKl::unbiased).times(ratios);
    }

    /// `KL(π‖π_ref)` over the vocabulary at each token, nats, `[B, T]`, 0 where masked; gradient flows.
    ///
    /// @param logits    of the policy, unnormalised, `logits[b][t]` the distribution that token t was drawn from,
    ///                  `[B, T, V]`; gradient flows. Copies of both are held, so it is for small vocabularies
    /// @param refLogits of the reference, `[B, T, V]`
    /// @param mask      boolean `[B, T]`, true at the tokens of the completion
    public static Tensor exact(Tensor logits, Tensor refLogits, Tensor mask) {
        Require.sameShape("refLogits", refLogits, "logits", logits);
        Tensor logP = Entropy.logProbs(logits, mask);
        // Uniform under both where masked: there the KL is exactly 0.
        return new ReverseKl().categorical(logP, Entropy.logProbs(refLogits.detach(), mask));
    }

    /// `r - beta·Σ_t log π_old(o_t)/π_ref(o_t)`, `[B]`: rewards less the k1 of each completion, a constant. A policy
    /// gradient with these is, on policy, that of `E[r] - beta·KL(π‖ref)` over whole completions.
    ///
    /// @param rewards     of completions, `[B]`
    /// @param refLogProbs as above
    /// @param beta        strength, in the unit of the rewards per nat, finite and >= 0
    public static Tensor inReward(Tensor rewards, Rollout rollout, Tensor refLogProbs, double beta) {
        Require.from("beta", beta, 0, Double.POSITIVE_INFINITY);
        Require.sameShape("refLogProbs", refLogProbs, "logProbs", rollout.logProbs());
        Tensor kl = SampledKl.k1(rollout.oldLogProbs().detach(), refLogProbs.detach())
                .whereElse(rollout.mask(), 0)
                .sum(1);
        Require.sameShape("rewards", rewards, "completions", kl);
        return rewards.detach().minus(kl.times(beta));
    }
}

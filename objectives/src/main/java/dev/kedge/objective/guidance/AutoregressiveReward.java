package dev.kedge.objective.guidance;

import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.ImplicitRewards;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// The autoregressive reward model of GenARM (Xu et al. 2024, arXiv:2410.08193): a language model whose log-probability
/// of an answer is the answer's reward, so that every next token has one.
///
/// `z = beta·(chosen - rejected) - margin`. It is DPO without a reference. Log-probabilities are sums over the answer's
/// tokens, the end token among them, not means: longer answers score lower. The model is a reward, not a policy to
/// sample from.
///
/// Throughout, `chosen` is `log π_r(y_w|x)` and `rejected` `log π_r(y_l|x)`, nats, `[B]`; gradient flows. `beta` is
/// dimensionless, finite and > 0; `margin` is how much z must exceed, finite and >= 0; `pairsInStep` counts the pairs
/// of the whole optimizer step, at least B. Metrics are those of [ImplicitRewards#loss], rewards without the margin.
/// All throw [IllegalArgumentException] if an argument is out of range.
public final class AutoregressiveReward {
    private AutoregressiveReward() {}

    /// `-(1/pairsInStep) Σ [(1 - ε) log σ(z) + ε log σ(-z)]`.
    ///
    /// @param flipProbability ε, the smoothing of labels, in [0, 1/2)
    public static Loss logistic(
            Tensor chosen, Tensor rejected, double beta, double margin, double flipProbability, long pairsInStep) {
        Require.from("flipProbability", flipProbability, 0, 0.5);
        ImplicitRewards rewards = rewards(chosen, rejected, beta, margin);
        Tensor z = rewards.margin().minus(margin);
        Tensor right = Functional.logSigmoid(z).times(1 - flipProbability);
        return rewards.loss(
                right.plus(Functional.logSigmoid(z.neg()).times(flipProbability))
                        .neg(),
                pairsInStep);
    }

    /// `(1/pairsInStep) Σ max(0, 1 - z)`.
    public static Loss hinge(Tensor chosen, Tensor rejected, double beta, double margin, long pairsInStep) {
        ImplicitRewards rewards = rewards(chosen, rejected, beta, margin);
        return rewards.loss(Functional.relu(rewards.margin().neg().plus(1 + margin)), pairsInStep);
    }

    private static ImplicitRewards rewards(Tensor chosen, Tensor rejected, double beta, double margin) {
        Require.positive("beta", beta);
        Require.from("margin", margin, 0, Double.POSITIVE_INFINITY);
        return new ImplicitRewards(chosen.times(beta), rejected.times(beta));
    }
}

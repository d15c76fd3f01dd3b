package dev.kedge.objective.preference;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Direct Preference Optimization (Rafailov et al. 2023, arXiv:2305.18290) and its variants on the same margin.
///
/// Throughout, `m = beta·[(chosen - refChosen) - (rejected - refRejected)]` is the margin of the implicit
/// rewards. `beta` is the strength of the KL regulariser: dimensionless, finite and > 0. `pairsInStep` counts
/// the pairs of the whole optimizer step, at least B. Metrics are those of [ImplicitRewards#loss]. All throw
/// [IllegalArgumentException] if an argument is out of range.
public final class Dpo {
    private Dpo() {}

    /// `-(1/pairsInStep) Σ log σ(m)`: Eq. (7).
    public static Loss dpo(PreferenceLogProbs lp, double beta, long pairsInStep) {
        Require.positive("beta", beta);
        ImplicitRewards rewards = ImplicitRewards.of(lp, beta);
        // log σ, never log(σ(.)): at a margin of -800 the latter is -inf and its gradient NaN.
        return rewards.loss(Functional.logSigmoid(rewards.margin()).neg(), pairsInStep);
    }

    /// Conservative DPO: `-(1/pairsInStep) Σ [(1 - ε) log σ(m) + ε log σ(-m)]`, the cross-entropy with labels
    /// smoothed by ε (Mitchell 2023, "A note on DPO with noisy preferences"). Least where `σ(m) = 1 - ε`.
    ///
    /// @param flipProbability ε, the probability that a label is wrong, in [0, 1/2); 0 is DPO
    public static Loss conservative(PreferenceLogProbs lp, double beta, double flipProbability, long pairsInStep) {
        Require.positive("beta", beta);
        Require.from("flipProbability", flipProbability, 0, 0.5);
        ImplicitRewards rewards = ImplicitRewards.of(lp, beta);
        Tensor right = Functional.logSigmoid(rewards.margin()).times(1 - flipProbability);
        Tensor wrong = Functional.logSigmoid(rewards.margin().neg()).times(flipProbability);
        return rewards.loss(right.plus(wrong).neg(), pairsInStep);
    }

    /// Robust DPO: `-(1/pairsInStep) Σ [(1 - ε) log σ(m) - ε log σ(-m)] / (1 - 2ε)` (Chowdhury et al. 2024,
    /// arXiv:2403.00409): under labels flipped with probability ε its expectation is the DPO loss of the true
    /// labels. Unbounded below, unlike [#conservative].
    ///
    /// @param flipProbability ε, in [0, 1/2); 0 is DPO
    public static Loss robust(PreferenceLogProbs lp, double beta, double flipProbability, long pairsInStep) {
        Require.positive("beta", beta);
        Require.from("flipProbability", flipProbability, 0, 0.5);
        ImplicitRewards rewards = ImplicitRewards.of(lp, beta);
        Tensor asLabelled = Functional.logSigmoid(rewards.margin()).times(1 - flipProbability);
        Tensor flipped = Functional.logSigmoid(rewards.margin().neg()).times(flipProbability);
        return rewards.loss(flipped.minus(asLabelled).div(1 - 2 * flipProbability), pairsInStep);
    }

    /// DPO against a reference that finds all answers equally probable: `m = beta·(chosen - rejected)`.
    ///
    /// @param chosen   `log π(y_w|x)`, nats, `[B]`; gradient flows. `rejected` is `log π(y_l|x)`
    public static Loss referenceFree(Tensor chosen, Tensor rejected, double beta, long pairsInStep) {
        return dpo(PreferenceLogProbs.referenceFree(chosen, rejected), beta, pairsInStep);
    }

    /// DPO on log-ratios per token: `m = beta·[(chosen - refChosen)/|y_w| - (rejected - refRejected)/|y_l|]`
    /// (arXiv:2411.15124), so that long answers do not get large rewards for their length. Its `beta`
    /// is larger than that of [#dpo] by about the length of an answer.
    ///
    /// @param chosenTokens `|y_w|`, tokens, `[B]`; `rejectedTokens` is `|y_l|`
    public static Loss lengthNormalized(
            PreferenceLogProbs lp, Tensor chosenTokens, Tensor rejectedTokens, double beta, long pairsInStep) {
        return dpo(lp.lengthNormalized(chosenTokens, rejectedTokens), beta, pairsInStep);
    }
}

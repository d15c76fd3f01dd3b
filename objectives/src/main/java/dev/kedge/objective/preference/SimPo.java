package dev.kedge.objective.preference;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Simple Preference Optimization (Meng et al. 2024, arXiv:2405.14734).
public final class SimPo {
    private SimPo() {}

    /// `-(1/pairsInStep) Σ log σ(beta·chosen/|y_w| - beta·rejected/|y_l| - gamma)`: Eq. (6). No reference: the
    /// reward is what the model samples by, the mean log-probability of a token.
    ///
    /// TRL's `simpo_gamma` is this gamma: it is divided by beta there, and multiplied again. The authors' code asks
    /// for the ratio `gamma/beta`. TRL adds the likelihood of the chosen answer unless `cpo_alpha` is 0.
    ///
    /// @param chosen       `log π(y_w|x)`, summed over tokens, nats, `[B]`; gradient flows. `rejected` that of y_l
    /// @param chosenTokens `|y_w|`, tokens, `[B]`; `rejectedTokens` is `|y_l|`. 0 counts as 1
    /// @param beta         scale of the rewards, finite and > 0; some 2 to 10, since a mean is smaller than a sum
    /// @param gamma        the margin wanted between the rewards, finite and >= 0
    /// @param pairsInStep  pairs in the whole optimizer step, at least B
    /// @return the loss; metrics as in [ImplicitRewards#loss], with rewards `beta·log π/|y|`
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss simPo(
            Tensor chosen,
            Tensor rejected,
            Tensor chosenTokens,
            Tensor rejectedTokens,
            double beta,
            double gamma,
            long pairsInStep) {
        Require.positive("beta", beta);
        Require.from("gamma", gamma, 0, Double.POSITIVE_INFINITY);
        var means = PreferenceLogProbs.referenceFree(chosen, rejected).lengthNormalized(chosenTokens, rejectedTokens);
        ImplicitRewards rewards = ImplicitRewards.of(means, beta);
        return rewards.loss(Functional.logSigmoid(rewards.margin().minus(gamma)).neg(), pairsInStep);
    }
}

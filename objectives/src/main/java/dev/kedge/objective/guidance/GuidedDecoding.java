package dev.kedge.objective.guidance;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;
import java.util.List;

/// Next-token distributions guided by token-level rewards (GenARM, arXiv:2410.08193): the product of the base model's
/// and the reward models', normalised at every step.
///
/// Maximises `Σ α_i·log π_i - KL(π||π_base)` token by token. For a given reward model that differs from tilting whole
/// answers, whose normaliser is one for each prompt; [#rewardOf] gives the reward model that decodes to a given target.
public final class GuidedDecoding {
    private GuidedDecoding() {}

    /// What guides, and how strongly.
    ///
    /// @param logProbs `log π_i` of every next token, nats, up to a constant of the position, or `-Infinity`
    /// @param weight   `α = 1/beta`, finite and >= 0; 0 leaves this reward out
    public record Reward(Tensor logProbs, double weight) {
        /// @throws IllegalArgumentException if the weight is out of range
        public Reward {
            Require.from("weight", weight, 0, Double.POSITIVE_INFINITY);
        }
    }

    /// `log softmax((log π_base + Σ α_i·log π_i)/temperature)`, nats, [..., V]. The temperature divides the whole sum,
    /// and there is no division by the sum of the weights.
    ///
    /// @param base        log-probabilities of the base model up to a constant, nats, [..., V]; `-Infinity` is
    ///                    allowed, though not everywhere at one position
    /// @param rewards     over the same vocabulary, each of the shape of `base`; none gives the base model
    /// @param temperature finite and > 0
    /// @throws IllegalArgumentException if a shape does not fit or the temperature is out of range
    public static Tensor logProbs(Tensor base, List<Reward> rewards, double temperature) {
        Require.positive("temperature", temperature);
        Tensor sum = base;
        for (Reward reward : rewards) {
            Require.sameShape("the log-probabilities of a reward", reward.logProbs(), "base", base);
            // At weight 0 a reward counts nothing, while 0 * -inf is NaN.
            sum = reward.weight() == 0 ? sum : sum.plus(reward.logProbs().times(reward.weight()));
        }
        return sum.div(temperature).logSoftmax(-1);
    }

    /// The reward model that guides the base model to `target`, with weight `1/beta`:
    /// `log softmax(beta·(log target - log π_base))`, nats, [..., V]. Token-level rewards reach every distribution.
    ///
    /// @param logTarget normalised, nats, [..., V]; `-Infinity` wherever the base model has it
    /// @param logBase   likewise, of the same shape
    /// @param beta      finite and > 0
    /// @throws IllegalArgumentException if the shapes differ or beta is out of range
    public static Tensor rewardOf(Tensor logTarget, Tensor logBase, double beta) {
        Require.positive("beta", beta);
        Require.sameShape("logBase", logBase, "logTarget", logTarget);
        Tensor support = logTarget.gt(Double.NEGATIVE_INFINITY);
        return logTarget
                .minus(logBase)
                .times(beta)
                .whereElse(support, Double.NEGATIVE_INFINITY)
                .logSoftmax(-1);
    }
}

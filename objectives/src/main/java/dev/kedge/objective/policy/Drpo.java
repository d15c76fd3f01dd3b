package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;
import java.util.function.BinaryOperator;

/// Decoupled Reward Policy Optimization (arXiv:2510.04474): right answers are raised over wrong ones, and short right
/// answers more than long ones, but never is a right one lowered for its length.
///
/// The reward for length enters the right answers' weights alone, which are those of the KL-regularised optimum
/// `argmax_P E_P[1 - L/longest] - lambda·KL(P ‖ π_old given right)` in closed form. There is no ratio, no clipping and
/// no reference: [#trustRegion], added to the loss, holds the policy near the one that drew the answers.
public final class Drpo {
    private Drpo() {}

    /// `w_i ∝ exp((1 - L_i/longest)/lambda)` over the right answers to a question, else 0: `[P, G]`, rows sum to 1; a
    /// question without answers of both kinds has zeros.
    ///
    /// @param rewards 1 for a right answer, 0 for a wrong one, `[P, G]`
    /// @param lengths tokens, `[P, G]`
    /// @param longest the longest answer allowed, tokens, >= 1
    /// @param lambda  dimensionless, > 0: the smaller, the shorter the answers. `Infinity` gives equal weights,
    ///                which is DisCO (arXiv:2505.12366)
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Tensor positiveWeights(Tensor rewards, Tensor lengths, long longest, double lambda) {
        Require.dims("rewards", rewards, 2, "[P, G]");
        Require.sameShape("lengths", lengths, "rewards", rewards);
        if (longest < 1) {
            throw new IllegalArgumentException("longest must be >= 1, was " + longest);
        }
        if (!(lambda > 0)) {
            throw new IllegalArgumentException("lambda must be > 0, was " + lambda);
        }
        Tensor both = bothKinds(rewards).unsqueeze(1);
        Tensor lengthRewards = lengths.detach().div(longest).neg().plus(1);
        return lengthRewards
                .div(lambda)
                .whereElse(rewards.gt(0), Double.NEGATIVE_INFINITY)
                .softmax(1) // NaN without a right answer; no gradient passes here
                .whereElse(both, 0);
    }

    /// `-(1/questionsInStep) Σ_q [Σ_right w_i s_i - tau·log((1/n) Σ_wrong exp(s_j/tau))]`, s the mean log-probability
    /// of an answer's tokens, n the number of wrong answers.
    ///
    /// A question without answers of both kinds adds 0 and counts. The coefficients of a question's s sum to 0.
    ///
    /// @param rollout         the answers, row `p·G + g` being answer g to question p, `[P·G, T]`
    /// @param rewards         1 for a right answer, 0 for a wrong one, `[P, G]`
    /// @param longest         as in [#positiveWeights], and `lambda` likewise
    /// @param tau             dimensionless, finite and > 0: near 0 the likeliest wrong answer counts, at large
    ///                        tau all
    /// @param questionsInStep questions of the whole optimizer step, at least P
    /// @return the loss; metrics `[P]`: `loss`, `informative`, 1 where there are answers of both kinds, and
    ///         `length/right`, the mean length of right answers under w, tokens, 0 where not informative
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss drpo(
            Rollout rollout, Tensor rewards, long longest, double lambda, double tau, long questionsInStep) {
        Require.positive("tau", tau);
        Require.dims("rewards", rewards, 2, "[P, G]");
        Require.denominator("questionsInStep", questionsInStep, rewards.size(0));
        Tensor lengths = rollout.lengths();
        Require.sameShape("rewards of completions", rewards.reshape(-1), "completions", lengths);
        lengths = lengths.reshape(rewards.shape());
        Tensor weights = positiveWeights(rewards, lengths, longest, lambda);
        Tensor scores = rollout.means(rollout.logProbs()).reshape(rewards.shape());
        Tensor both = bothKinds(rewards);
        Tensor wrong = rewards.gt(0).not();
        Tensor negative = scores.div(tau)
                .whereElse(wrong, Double.NEGATIVE_INFINITY)
                .logSumExp(1)
                .minus(wrong.sum(1).to(scores.dtype()).log())
                .times(tau);
        Tensor losses = negative.minus(weights.times(scores).sum(1)).whereElse(both, 0);
        return Loss.of(losses.sum().div(questionsInStep))
                .with("loss", losses)
                .with("informative", both.to(scores.dtype()))
                .with("length/right", weights.times(lengths).sum(1));
    }

    /// `strength·KL(π_old‖π)`, the KL as a mean over the tokens of the step. With the strength of [#strength] its
    /// gradient is that of `(beta/2)·max(KL - delta, 0)²`.
    ///
    /// @param rollout      all answers, also to questions without both kinds, `[B, T]`
    /// @param estimator    from `log π_old` and `log π`: [dev.kedge.objective.divergence.SampledKl#k1] as the
    ///                     authors', which can be negative, or k3
    /// @param strength     dimensionless, finite and >= 0; the same for all parts of a step
    /// @param tokensInStep tokens of answers in the whole optimizer step, >= 1
    /// @return the loss; metrics `[B]`: `kl/old`, summed over the tokens, nats, and `tokens` (count)
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss trustRegion(
            Rollout rollout, BinaryOperator<Tensor> estimator, double strength, long tokensInStep) {
        Require.from("strength", strength, 0, Double.POSITIVE_INFINITY);
        Tensor mask = rollout.mask();
        Tensor kl = estimator.apply(
                rollout.oldLogProbs().detach().whereElse(mask, 0),
                rollout.logProbs().whereElse(mask, 0));
        return Loss.of(Aggregation.perToken(kl, mask, tokensInStep).times(strength))
                .with("kl/old", kl.whereElse(mask, 0).sum(1))
                .with("tokens", rollout.lengths());
    }

    /// `max(beta·(kl - delta), 0)`.
    ///
    /// @param kl    that of the whole step, nats per token: the sum of the metric `kl/old` of [#trustRegion]
    ///              over that of `tokens`
    /// @param beta  per nat, finite and > 0
    /// @param delta nats per token that are free, finite and >= 0
    /// @throws IllegalArgumentException if beta or delta is out of range
    public static double strength(double kl, double beta, double delta) {
        Require.positive("beta", beta);
        Require.from("delta", delta, 0, Double.POSITIVE_INFINITY);
        return Math.max(beta * (kl - delta), 0);
    }

    /// Boolean `[P]`.
    private static Tensor bothKinds(Tensor rewards) {
        return rewards.amax(1, false).gt(0).and(rewards.amin(1, false).le(0));
    }
}

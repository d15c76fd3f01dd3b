package dev.kedge.objective.variational;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// KL-regularised reward over outcomes that can be enumerated, and the posterior that maximises it (Korbak et al. 2022,
/// "RL with KL penalties is better viewed as Bayesian inference", arXiv:2205.11275).
///
/// Read as Bayes: the prior is the reference model, the evidence that an outcome is optimal has the log-likelihood
/// `reward/beta`. With `Z = Σ π0·exp(r/beta)` and `p* = π0·exp(r/beta)/Z`,
///
/// `J(π) = E_π[r] - beta·KL(π||π0) = beta·log Z - beta·KL(π||p*)`,
///
/// so that `J/beta` bounds the log-evidence from below and is equal to it at `p*` alone.
///
/// Throughout, log-probabilities are normalised over the last dimension, nats, [..., n], `-Infinity` is allowed for the
/// policy and, where the policy has it too, for the prior; rewards are finite, [..., n]; `beta` is the strength of the
/// regulariser, in units of reward per nat, finite and > 0. All throw [IllegalArgumentException] if shapes differ or
/// beta is out of range.
public final class EvidenceBound {
    private EvidenceBound() {}

    /// `log p*`, [..., n]: the prior tilted by the reward.
    public static Tensor logPosterior(Tensor logPrior, Tensor reward, double beta) {
        return unnormalised(logPrior, reward, beta).logSoftmax(-1);
    }

    /// `log Z`, nats, [...]. The best value of [#objective] is beta times it.
    public static Tensor logEvidence(Tensor logPrior, Tensor reward, double beta) {
        return unnormalised(logPrior, reward, beta).logSumExp(-1);
    }

    /// `J(π) = E_π[r] - beta·KL(π||π0)`, [...]; gradient flows to the policy only. That in the logits of a softmax is
    /// `π·(r - beta·log π/π0 - J)`.
    public static Tensor objective(Tensor logPolicy, Tensor logPrior, Tensor reward, double beta) {
        requireSame(logPrior, reward, beta);
        Tensor kl = new ReverseKl().categorical(logPolicy, logPrior.detach());
        return logPolicy.exp().times(reward.detach()).sum(-1).minus(kl.times(beta));
    }

    /// `-(1/rowsInStep) Σ J`, to be minimised exactly, without samples.
    ///
    /// @param logPolicy  `[B, n]`; gradient flows. `logPrior` and `reward` are constants of that shape
    /// @param rowsInStep prompts in the whole optimizer step, at least B
    /// @return the loss; metrics `[B]`: `objective`, `reward` (its expectation) and `kl` (policy to prior, nats)
    public static Loss loss(Tensor logPolicy, Tensor logPrior, Tensor reward, double beta, long rowsInStep) {
        Require.dims("logPolicy", logPolicy, 2, "[B, n]");
        Require.denominator("rowsInStep", rowsInStep, logPolicy.size(0));
        Tensor objective = objective(logPolicy, logPrior, reward, beta);
        Tensor expected = logPolicy.detach().exp().times(reward.detach()).sum(-1);
        return Loss.of(objective.sum().div(rowsInStep).neg())
                .with("objective", objective)
                .with("reward", expected)
                .with("kl", new ReverseKl().categorical(logPolicy.detach(), logPrior.detach()));
    }

    /// `r' = r - beta·log π/π0`, of the shape given: the reward of a sampled outcome whose policy gradient is that of
    /// `J`. A constant: what differentiating it would add has expectation 0. Log-ratios of answers are sums of
    /// their tokens', so that it can be paid token by token.
    ///
    /// @param logProbs `log π` of the outcomes, nats; `refLogProbs` under the prior, `reward` likewise
    public static Tensor rewardWithPenalty(Tensor logProbs, Tensor refLogProbs, Tensor reward, double beta) {
        requireSame(refLogProbs, reward, beta);
        Require.sameShape("logProbs", logProbs, "reward", reward);
        return reward.minus(logProbs.minus(refLogProbs).times(beta)).detach();
    }

    private static Tensor unnormalised(Tensor logPrior, Tensor reward, double beta) {
        requireSame(logPrior, reward, beta);
        return logPrior.plus(reward.div(beta));
    }

    private static void requireSame(Tensor logPrior, Tensor reward, double beta) {
        Require.positive("beta", beta);
        Require.sameShape("logPrior", logPrior, "reward", reward);
    }
}

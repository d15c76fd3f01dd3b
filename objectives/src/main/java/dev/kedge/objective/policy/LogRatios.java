package dev.kedge.objective.policy;

import dev.kedge.tensor.Tensor;

/// Importance ratios `π/π_old` of a rollout, as logs, `[B, T]`, 0 where masked.
///
/// They correct for the policy having moved since it drew the completions. Where it has not, the three have the same
/// value, 0, and the same gradient, that of `log π` at each token.
public final class LogRatios {
    private LogRatios() {}

    /// `log π(o_t)/π_old(o_t)`, token by token (PPO, arXiv:1707.06347).
    public static Tensor tokens(Rollout rollout) {
        return rollout.logRatios();
    }

    /// The mean of [#tokens] over the completion in value, at each of its tokens; in gradient the token's own
    /// `∇log π(o_t)` (GSPO-token, arXiv:2507.18071).
    ///
    /// With one advantage per completion and [Aggregation#perSequence] the gradient is exactly that of the ratio of
    /// the completion, `(π(o)/π_old(o))^(1/L)`.
    public static Tensor sequences(Rollout rollout) {
        Tensor mean = rollout.means(rollout.logRatios().detach());
        return onPolicy(rollout).plus(mean.unsqueeze(1)).whereElse(rollout.mask(), 0);
    }

    /// 0 in value, `∇log π(o_t)` in gradient: no correction.
    public static Tensor onPolicy(Rollout rollout) {
        Tensor logProbs = rollout.logProbs();
        return logProbs.minus(logProbs.detach()).whereElse(rollout.mask(), 0);
    }
}

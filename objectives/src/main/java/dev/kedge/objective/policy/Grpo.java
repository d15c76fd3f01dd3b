package dev.kedge.objective.policy;

import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Group Relative Policy Optimization (DeepSeekMath, arXiv:2402.03300, Eq. 3 and 4).
///
/// | advantage | ratio and clipping | aggregation | KL |
/// |---|---|---|---|
/// | [GroupRelative#normalized] | of tokens, clipped to `1 ± clip` | mean of means over completions | k3 in the loss |
///
/// The gradient of that KL is in expectation the one of `KL(π_ref‖π)`; see [ReferenceKl].
public final class Grpo {
    /// What is added to the std of a group.
    public static final double STD_EPSILON = 1e-6;

    private Grpo() {}

    /// `A_i = (r_i - mean)/(std + 1e-6)`, `[P·G]`, prompt by prompt.
    ///
    /// @param rewards of the G completions to each prompt, `[P, G]` with G >= 2
    /// @throws IllegalArgumentException if rewards is no matrix or has a single column
    public static Tensor advantages(Tensor rewards) {
        return GroupRelative.normalized(rewards, STD_EPSILON).reshape(-1);
    }

    /// `(1/completionsInStep) Σ_i (1/L_i) Σ_t [max(-A·ρ, -A·clip(ρ, 1 - clip, 1 + clip)) + beta·k3]`.
    ///
    /// @param rollout           `[B, T]`
    /// @param refLogProbs       `log π_ref(o_t|q, o_<t)`, nats, `[B, T]`, a constant whatever graph it carries
    /// @param advantages        `[B]`, or per token `[B, T]`; constants likewise
    /// @param clip              dimensionless, in (0, 1), customarily 0.2
    /// @param beta              strength of the KL regulariser, dimensionless, finite and >= 0
    /// @param completionsInStep completions of the whole optimizer step, at least B
    /// @return the loss; metrics as in [Surrogate#loss], where `loss` is without the KL, and `kl/ref`, the mean
    ///         k3 per token, nats, `[B]`
    /// @throws IllegalArgumentException if shapes do not fit or a number is out of range
    public static Loss grpo(
            Rollout rollout, Tensor refLogProbs, Tensor advantages, double clip, double beta, long completionsInStep) {
        Require.between("clip", clip, 0, 1);
        Require.from("beta", beta, 0, Double.POSITIVE_INFINITY);
        var surrogate = Surrogate.clipped(rollout, LogRatios.tokens(rollout), advantages, clip, clip);
        Tensor kl = ReferenceKl.inLoss(rollout, refLogProbs, SampledKl::k3);
        Tensor losses = surrogate.losses().plus(kl.times(beta));
        return surrogate
                .loss(Aggregation.perSequence(losses, rollout.mask(), completionsInStep))
                .with("kl/ref", rollout.means(kl));
    }

    /// [#grpo] without a reference, for which none need be held.
    public static Loss withoutReference(Rollout rollout, Tensor advantages, double clip, long completionsInStep) {
        Require.between("clip", clip, 0, 1);
        var surrogate = Surrogate.clipped(rollout, LogRatios.tokens(rollout), advantages, clip, clip);
        return surrogate.loss(Aggregation.perSequence(surrogate.losses(), rollout.mask(), completionsInStep));
    }
}

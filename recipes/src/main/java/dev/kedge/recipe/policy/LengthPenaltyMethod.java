package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.objective.policy.Rloo;
import dev.kedge.tensor.Tensor;

/// GRPO or RLOO on rewards `r·(1 - alpha·L/longest)`: what DRPO is measured against (arXiv:2510.04474). The mean of the
/// group holds wrong answers too, so that a right one that is long can have a negative advantage. Clipping and
/// aggregation are GRPO's for both.
///
/// @param alpha      how much of its reward the longest right answer loses, in \[0, 1\]; none at 0
/// @param normalized whether advantages are divided by the standard deviation of the group (GRPO), so that where all
///                   answers are right only their lengths count, however small alpha is; else RLOO's, in which alpha
///                   weighs
/// @param clip       dimensionless, in (0, 1), customarily 0.2; matters where rollouts serve several steps
@Kind("length_penalty")
public record LengthPenaltyMethod(double alpha, boolean normalized, double clip) implements PolicyMethod {
    public LengthPenaltyMethod {
        if (!(alpha >= 0 && alpha <= 1)) {
            throw new IllegalArgumentException("alpha must be in [0, 1], was " + alpha);
        }
        Range.requireShare("clip", clip);
    }

    @Override
    public String title() {
        return (normalized ? "GRPO" : "RLOO") + ", length penalty " + alpha;
    }

    @Override
    public Learner learner(Decoder start) {
        return batch -> {
            Tensor rewards = penalized(batch.rollouts(), alpha);
            Tensor advantages = normalized ? Grpo.advantages(rewards) : Rloo.advantages(rewards);
            Tensor punished = advantages.lt(0).and(batch.rewards().reshape(-1).ge(1));
            return microBatch -> Grpo.withoutReference(
                            microBatch.rollout(), microBatch.of(advantages), clip, batch.completions())
                    .with("right/punished", microBatch.of(punished.to(advantages.dtype())));
        };
    }

    /// `r·(1 - alpha·L/longest)`, `[P, G]` float64.
    static Tensor penalized(Rollouts rollouts, double alpha) {
        Tensor left = rollouts.lengths()
                .times(-alpha / rollouts.sampler().maxTokens())
                .plus(1);
        return rollouts.rewards().times(left);
    }
}

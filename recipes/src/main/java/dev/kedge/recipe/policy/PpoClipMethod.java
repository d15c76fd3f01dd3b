package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.GroupRelative;
import dev.kedge.objective.policy.PpoClip;
import dev.kedge.tensor.Tensor;

/// [PpoClip] without a critic: the advantage of a completion is its reward, whitened over the batch (REINFORCE++,
/// arXiv:2501.03262), whatever question it answers.
///
/// @param clip dimensionless, in (0, 1), customarily 0.2
@Kind("ppo_clip")
public record PpoClipMethod(double clip) implements PolicyMethod {
    private static final double EPSILON = 1e-6;

    public PpoClipMethod {
        Range.requireShare("clip", clip);
    }

    @Override
    public String title() {
        return "PPO-clip";
    }

    @Override
    public Learner learner(Decoder start) {
        return batch -> {
            Tensor advantages = GroupRelative.whitened(batch.rewards(), EPSILON).reshape(-1);
            return microBatch -> PpoClip.ppoClip(microBatch.rollout(), microBatch.of(advantages), clip, batch.tokens());
        };
    }
}

package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.DrGrpo;
import dev.kedge.tensor.Tensor;

/// [DrGrpo], its constant the longest completion allowed.
///
/// @param clip dimensionless, in (0, 1), customarily 0.2
@Kind("dr_grpo")
public record DrGrpoMethod(double clip) implements PolicyMethod {
    public DrGrpoMethod {
        Range.requireShare("clip", clip);
    }

    @Override
    public String title() {
        return "Dr. GRPO";
    }

    @Override
    public Learner learner(Decoder start) {
        return batch -> {
            Tensor advantages = DrGrpo.advantages(batch.rewards());
            int longest = batch.rollouts().sampler().maxTokens();
            return microBatch ->
                    DrGrpo.drGrpo(microBatch.rollout(), microBatch.of(advantages), clip, longest, batch.completions());
        };
    }
}

package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.tensor.Tensor;

/// [Grpo].
///
/// @param clip dimensionless, in (0, 1), customarily 0.2; matters where rollouts serve several steps
/// @param beta strength of the KL in the loss, >= 0; at 0 no reference is asked
@Kind("grpo")
public record GrpoMethod(double clip, double beta) implements PolicyMethod {
    public GrpoMethod {
        Range.requireShare("clip", clip);
        Range.requireFinite("beta", beta);
    }

    @Override
    public String title() {
        return "GRPO";
    }

    @Override
    public Learner learner(Decoder start) {
        return batch -> {
            Tensor advantages = Grpo.advantages(batch.rewards());
            return microBatch -> beta == 0
                    ? Grpo.withoutReference(microBatch.rollout(), microBatch.of(advantages), clip, batch.completions())
                    : Grpo.grpo(
                            microBatch.rollout(),
                            microBatch.refLogProbs(),
                            microBatch.of(advantages),
                            clip,
                            beta,
                            batch.completions());
        };
    }
}

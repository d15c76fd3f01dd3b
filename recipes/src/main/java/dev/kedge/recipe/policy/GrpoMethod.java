package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.tensor.Tensor;

/// [Grpo]. A truncated completion is what the verifier says of it.
///
/// @param clip dimensionless, in (0, 1), customarily 0.2; matters where a draw serves several steps
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
        return step -> {
            Tensor advantages = Grpo.advantages(step.rewards());
            return part -> beta == 0
                    ? Grpo.withoutReference(part.rollout(), part.of(advantages), clip, step.completions())
                    : Grpo.grpo(
                            part.rollout(), part.refLogProbs(), part.of(advantages), clip, beta, step.completions());
        };
    }
}

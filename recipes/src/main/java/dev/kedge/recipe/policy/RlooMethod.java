package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.objective.policy.Rloo;
import dev.kedge.tensor.Tensor;

/// [Rloo], the KL to the reference in the reward. A truncated completion is what the verifier says of it.
///
/// @param beta strength of the KL, in the unit of the rewards per nat, >= 0
@Kind("rloo")
public record RlooMethod(double beta) implements PolicyMethod {
    public RlooMethod {
        Range.requireFinite("beta", beta);
    }

    @Override
    public String title() {
        return "RLOO";
    }

    @Override
    public Learner learner(Decoder start) {
        return step -> {
            Tensor advantages = Rloo.advantages(lessKl(step, beta));
            return part -> Rloo.rloo(part.rollout(), part.of(advantages), step.completions());
        };
    }

    /// Rewards less `beta` times the k1 of each completion, [P, G] float64: see
    /// [dev.kedge.objective.policy.ReferenceKl#inReward].
    static Tensor lessKl(RolloutBatch step, double beta) {
        return lessKl(step.rewards(), step, beta);
    }

    /// The same of other rewards of the step's completions, [P, G] float64.
    static Tensor lessKl(Tensor rewards, RolloutBatch step, double beta) {
        if (beta == 0) {
            return rewards;
        }
        Tensor kl = SampledKl.k1(step.oldLogProbs(), step.refLogProbs()).sum(1); // masked tokens have 0 in both
        return rewards.minus(kl.to(rewards.dtype())
                .to(rewards.device())
                .reshape(rewards.shape())
                .times(beta));
    }
}

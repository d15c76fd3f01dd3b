package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.objective.policy.Rloo;
import dev.kedge.tensor.Tensor;

/// [Rloo], the KL to the reference in the reward.
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
        return batch -> {
            Tensor advantages = Rloo.advantages(lessKl(batch, beta));
            return microBatch -> Rloo.rloo(microBatch.rollout(), microBatch.of(advantages), batch.completions());
        };
    }

    /// Rewards less `beta` times the k1 of each completion, `[P, G]` float64: see
    /// [dev.kedge.objective.policy.ReferenceKl#inReward].
    static Tensor lessKl(RolloutBatch batch, double beta) {
        return lessKl(batch.rewards(), batch, beta);
    }

    /// The same of other rewards of the batch's completions, `[P, G]` float64.
    static Tensor lessKl(Tensor rewards, RolloutBatch batch, double beta) {
        if (beta == 0) {
            return rewards;
        }
        Tensor kl = SampledKl.k1(batch.oldLogProbs(), batch.refLogProbs()).sum(1); // masked tokens have 0 in both
        return rewards.minus(kl.to(rewards.dtype())
                .to(rewards.device())
                .reshape(rewards.shape())
                .times(beta));
    }
}

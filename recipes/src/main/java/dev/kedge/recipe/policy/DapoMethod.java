package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.Dapo;
import dev.kedge.tensor.Tensor;

/// [Dapo]: clips higher above than below, counts tokens, asks on where a group's rewards do not differ, and takes
/// reward off completions near the limit. A truncated one loses 1.
///
/// @param clipLow        dimensionless, >= 0, customarily 0.2
/// @param clipHigh       dimensionless, >= 0, customarily 0.28
/// @param overlongMargin tokens before the limit over which the reward for length falls from 0 to -1, at most the
///                       limit; 0: none is taken
/// @param resamplings    how many times at most questions are asked anew, >= 0
@Kind("dapo")
public record DapoMethod(double clipLow, double clipHigh, int overlongMargin, int resamplings) implements PolicyMethod {
    public DapoMethod {
        Range.requireFinite("clip_low", clipLow);
        Range.requireFinite("clip_high", clipHigh);
        if (overlongMargin < 0 || resamplings < 0) {
            throw new IllegalArgumentException(
                    "overlong_margin and resamplings must be >= 0, were " + overlongMargin + " and " + resamplings);
        }
    }

    @Override
    public String title() {
        return "DAPO";
    }

    @Override
    public Learner learner(Decoder start) {
        return batch -> {
            Tensor rewards = batch.rewards();
            if (overlongMargin > 0) {
                int longest = batch.rollouts().sampler().maxTokens();
                rewards = rewards.plus(Dapo.overlong(batch.rollouts().lengths(), longest, overlongMargin));
            }
            Tensor advantages = Dapo.advantages(rewards);
            return microBatch ->
                    Dapo.dapo(microBatch.rollout(), microBatch.of(advantages), clipLow, clipHigh, batch.tokens());
        };
    }
}

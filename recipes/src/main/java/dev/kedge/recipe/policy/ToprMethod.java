package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.objective.policy.Topr;
import dev.kedge.objective.policy.Topr.Truncation;
import dev.kedge.tensor.Tensor;

/// [Topr] and the family that its intervals span, for rollouts that are learnt from after the policy has moved on
/// (arXiv:2503.14286). A reward r from 0 to 1 counts as `2r - 1 - baseline`.
///
/// @param taper            what becomes of the ratio of a completion
/// @param baseline         c, in \[-1, 1\], 0 in the paper's main runs: below 0 good completions weigh more, above 0
///                         bad ones do, see [Topr#effectiveGoodShare]
/// @param lengthNormalized whether the log-prob of a completion is divided by its tokens, as in the paper's experiments
@Kind("topr")
public record ToprMethod(Taper taper, double baseline, boolean lengthNormalized) implements PolicyMethod {
    /// The intervals that have a name.
    public enum Taper {
        CANONICAL("TOPR", Truncation.CANONICAL),
        ALWAYS_ONE("Naive REINFORCE", Truncation.ALWAYS_ONE),
        GOOD_ONLY("Positives only", Truncation.GOOD_ONLY),
        AT_MOST_ONE("TIS", Truncation.AT_MOST_ONE),
        FULL_RATIO("Importance sampling", Truncation.FULL_RATIO);

        private final String title;
        private final Truncation truncation;

        Taper(String title, Truncation truncation) {
            this.title = title;
            this.truncation = truncation;
        }
    }

    public ToprMethod {
        if (!(baseline >= -1 && baseline <= 1)) {
            throw new IllegalArgumentException("baseline must be in [-1, 1], was " + baseline);
        }
    }

    @Override
    public String title() {
        return taper.title;
    }

    @Override
    public Learner learner(Decoder start) {
        return batch -> {
            Tensor advantages = batch.rewards().times(2).minus(1 + baseline).reshape(-1);
            return microBatch -> {
                Rollout rollout = microBatch.rollout();
                Tensor logProbs = rollout.logProbs().sum(1); // masked tokens have 0
                Tensor behaviour = rollout.oldLogProbs().sum(1);
                Tensor mine = microBatch.of(advantages);
                return lengthNormalized
                        ? Topr.lengthNormalized(
                                logProbs, behaviour, mine, rollout.lengths(), taper.truncation, batch.completions())
                        : Topr.truncated(logProbs, behaviour, mine, taper.truncation, batch.completions());
            };
        };
    }
}

package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.objective.policy.Aggregation;
import dev.kedge.objective.policy.GroupRelative;
import dev.kedge.objective.policy.Grpo;
import dev.kedge.objective.policy.LeaveOneOut;
import dev.kedge.objective.policy.LogRatios;
import dev.kedge.objective.policy.ReferenceKl;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.objective.policy.Surrogate;
import dev.kedge.tensor.Tensor;
import java.util.function.BinaryOperator;

/// A policy gradient of four choices that do not depend on each other: the whole family that REINFORCE, GRPO, DAPO and
/// the others are points of.
///
/// @param advantage   what a reward is measured against
/// @param ratio       how rollouts of an older policy are corrected for, and how far
/// @param aggregation what weighs the same
/// @param kl          where the KL to the reference stands
@Kind("policy_gradient")
public record PolicyGradientMethod(Advantage advantage, Ratio ratio, Weighing aggregation, Kl kl)
        implements PolicyMethod {
    /// What a reward is measured against.
    public enum Advantage {
        /// Nothing.
        REWARD,
        /// The mean of the question's other completions.
        LEAVE_ONE_OUT,
        /// The mean of the question's completions.
        CENTRED,
        /// The same, divided by their standard deviation.
        NORMALIZED,
        /// Mean and standard deviation of the batch.
        WHITENED;

        Tensor of(Tensor rewards) {
            return switch (this) {
                case REWARD -> rewards;
                case LEAVE_ONE_OUT -> LeaveOneOut.advantages(rewards);
                case CENTRED -> GroupRelative.centred(rewards);
                case NORMALIZED -> GroupRelative.normalized(rewards, Grpo.STD_EPSILON);
                case WHITENED -> GroupRelative.whitened(rewards, Grpo.STD_EPSILON);
            };
        }
    }

    /// How far rollouts of an older policy are corrected for.
    public sealed interface Ratio {
        /// Not at all.
        @Kind("none")
        record None() implements Ratio {}

        /// The ratio of tokens as it is.
        @Kind("unclipped")
        record Unclipped() implements Ratio {}

        /// The ratio of tokens within `1 - clipLow` and `1 + clipHigh`.
        @Kind("tokens")
        record Tokens(double clipLow, double clipHigh) implements Ratio {}

        /// The same, and losses of bad completions at most `cap` times their advantage.
        @Kind("dual_clip")
        record DualClip(double clipLow, double clipHigh, double cap) implements Ratio {}

        /// The ratio of whole completions, per token, within those bounds.
        @Kind("sequences")
        record Sequences(double clipLow, double clipHigh) implements Ratio {}

        private Surrogate of(Rollout rollout, Tensor advantages) {
            return switch (this) {
                case None() -> Surrogate.scoreFunction(rollout, advantages);
                case Unclipped() -> Surrogate.unclipped(rollout, LogRatios.tokens(rollout), advantages);
                case Tokens(double low, double high) ->
                    Surrogate.clipped(rollout, LogRatios.tokens(rollout), advantages, low, high);
                case DualClip(double low, double high, double cap) ->
                    Surrogate.dualClipped(rollout, LogRatios.tokens(rollout), advantages, low, high, cap);
                case Sequences(double low, double high) ->
                    Surrogate.clipped(rollout, LogRatios.sequences(rollout), advantages, low, high);
            };
        }
    }

    /// What weighs the same.
    public enum Weighing {
        /// Every token.
        PER_TOKEN,
        /// Every completion, its tokens averaged.
        PER_SEQUENCE,
        /// Every completion, its tokens added up.
        SEQUENCE_SUM,
        /// The same, divided by the longest completion allowed.
        CONSTANT_LENGTH;

        private Tensor of(Tensor losses, Rollout rollout, RolloutBatch batch) {
            return switch (this) {
                case PER_TOKEN -> Aggregation.perToken(losses, rollout.mask(), batch.tokens());
                case PER_SEQUENCE -> Aggregation.perSequence(losses, rollout.mask(), batch.completions());
                case SEQUENCE_SUM -> Aggregation.sequenceSum(losses, rollout.mask(), batch.completions());
                case CONSTANT_LENGTH ->
                    Aggregation.constantLength(
                            losses, rollout.mask(), batch.rollouts().sampler().maxTokens(), batch.completions());
            };
        }
    }

    /// Where the KL to the reference stands; see [ReferenceKl] for what each is worth.
    public sealed interface Kl {
        /// Nowhere.
        @Kind("none")
        record None() implements Kl {}

        /// Taken off the reward of a completion.
        @Kind("in_reward")
        record InReward(double beta) implements Kl {
            public InReward {
                Range.requireFinite("beta", beta);
            }
        }

        /// Added to the losses of tokens.
        @Kind("in_loss")
        record InLoss(Estimator estimator, double beta) implements Kl {
            public InLoss {
                Range.requireFinite("beta", beta);
            }
        }
    }

    /// Estimators of a KL from one sample.
    public enum Estimator {
        K1(SampledKl::k1),
        K2(SampledKl::k2),
        K3(SampledKl::k3),
        /// Of k3's value and k2's gradient: unbiased in both.
        UNBIASED(SampledKl::unbiased);

        private final BinaryOperator<Tensor> function;

        Estimator(BinaryOperator<Tensor> function) {
            this.function = function;
        }

        BinaryOperator<Tensor> function() {
            return function;
        }
    }

    @Override
    public String title() {
        return "policy gradient";
    }

    @Override
    public Learner learner(Decoder start) {
        return batch -> {
            double inReward = kl instanceof Kl.InReward(double beta) ? beta : 0;
            Tensor advantages = advantage.of(RlooMethod.lessKl(batch, inReward)).reshape(-1);
            return microBatch -> {
                Rollout rollout = microBatch.rollout();
                Surrogate surrogate = ratio.of(rollout, microBatch.of(advantages));
                Tensor losses = surrogate.losses();
                if (kl instanceof Kl.InLoss(Estimator estimator, double beta)) {
                    losses = losses.plus(ReferenceKl.inLoss(rollout, microBatch.refLogProbs(), estimator.function)
                            .times(beta));
                }
                return surrogate.loss(aggregation.of(losses, rollout, batch));
            };
        };
    }
}

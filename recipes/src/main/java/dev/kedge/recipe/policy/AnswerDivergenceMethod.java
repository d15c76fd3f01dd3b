package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.occupancy.AnswerDivergence;
import dev.kedge.objective.policy.Aggregation;
import dev.kedge.objective.policy.LeaveOneOut;
import dev.kedge.objective.policy.LogRatios;
import dev.kedge.objective.policy.Rollout;
import dev.kedge.objective.policy.Surrogate;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Tensor;

/// PPO on a reward that is only a proxy, held to the start (Correlated Proxies, arXiv:2403.03185): the root of the χ²
/// of whole answers is added to the loss ([AnswerDivergence]), or what it is compared with.
///
/// Otherwise than in the paper there is no critic: the advantage of an answer is its reward, clipped to ±10, less the
/// mean of the question's other answers, and each of its tokens has it. Losses of tokens are added up, so that the
/// gradient on policy is that of the mean reward, and a weight is in the reward's unit. The log-ratio of a masked
/// completion counts as 0.
///
/// @param regularizer what holds the policy
/// @param clip        of the ratios of tokens, dimensionless, in (0, 1); 0.4 in the paper
@Kind("answer_divergence")
public record AnswerDivergenceMethod(Regularizer regularizer, double clip) implements PolicyMethod {
    private static final double LIMIT = 10; // of log-ratios, nats
    private static final double FLOOR = 1e-4; // of χ²
    private static final double LARGEST_REWARD = 10;

    public AnswerDivergenceMethod {
        Range.requireShare("clip", clip);
    }

    /// What holds a policy to its start. Weights are in the unit of rewards, finite and > 0.
    public sealed interface Regularizer {
        /// Nothing.
        @Kind("none")
        record None() implements Regularizer {}

        /// `weight·sqrt(χ²)` of answers in the loss: the paper's.
        @Kind("root_chi_squared")
        record RootChiSquared(double weight) implements Regularizer {
            public RootChiSquared {
                requireWeight(weight);
            }
        }

        /// `weight·KL` of answers in the loss: what the paper compares it with.
        @Kind("kl")
        record Kl(double weight) implements Regularizer {
            public Kl {
                requireWeight(weight);
            }
        }

        /// `weight·log π/start` of an answer taken off its reward, as is customary in RLHF.
        @Kind("kl_in_reward")
        record KlInReward(double weight) implements Regularizer {
            public KlInReward {
                requireWeight(weight);
            }
        }

        private static void requireWeight(double weight) {
            if (!(weight > 0 && weight < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "weight must be finite and > 0, was " + weight + "; kind: none has no weight");
            }
        }
    }

    @Override
    public String title() {
        return switch (regularizer) {
            case Regularizer.None _ -> "PPO";
            case Regularizer.RootChiSquared _ -> "PPO, root chi-squared";
            case Regularizer.Kl _ -> "PPO, KL";
            case Regularizer.KlInReward _ -> "PPO, KL in the reward";
        };
    }

    @Override
    public Learner learner(Decoder start) {
        return batch -> {
            Tensor rewards = Elementwise.clamp(batch.rewards(), -LARGEST_REWARD, LARGEST_REWARD);
            Tensor kept = regularizer instanceof Regularizer.KlInReward(double weight)
                    ? RlooMethod.lessKl(rewards, batch, weight)
                    : rewards;
            Tensor advantages = LeaveOneOut.advantages(kept).reshape(-1);
            double chiSquared = regularizer instanceof Regularizer.RootChiSquared ? chiSquared(batch) : 0;
            return microBatch -> {
                Rollout rollout = microBatch.rollout();
                AnswerDivergence divergence =
                        AnswerDivergence.of(rollout.logProbs(), microBatch.refLogProbs(), rollout.mask(), LIMIT);
                Surrogate surrogate =
                        Surrogate.clipped(rollout, LogRatios.tokens(rollout), microBatch.of(advantages), clip, clip);
                Tensor value = Aggregation.sequenceSum(surrogate.losses(), rollout.mask(), batch.completions());
                Tensor held =
                        switch (regularizer) {
                            case Regularizer.None _, Regularizer.KlInReward _ -> value;
                            case Regularizer.RootChiSquared(double weight) ->
                                value.plus(divergence
                                        .rootChiSquaredPenalty(weight, FLOOR, chiSquared, batch.completions())
                                        .value());
                            case Regularizer.Kl(double weight) ->
                                value.plus(divergence
                                        .klPenalty(weight, batch.completions())
                                        .value());
                        };
                return surrogate
                        .loss(held)
                        .with("chi-squared", divergence.chiSquared())
                        .with("kl/answer", divergence.kl());
            };
        };
    }

    /// The mean over all answers of a batch, at the present policy.
    private static double chiSquared(RolloutBatch batch) {
        return AnswerDivergence.of(batch.logProbs(), batch.refLogProbs(), batch.mask(), LIMIT)
                .chiSquared()
                .mean()
                .item();
    }
}

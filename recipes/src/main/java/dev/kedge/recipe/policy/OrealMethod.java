package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.objective.policy.LeaveOneOut;
import dev.kedge.objective.policy.Oreal;
import dev.kedge.objective.policy.Oreal.Strengths;
import dev.kedge.objective.policy.TokenRewardModel;
import dev.kedge.objective.policy.TokenRewardModel.Weights;
import dev.kedge.tensor.Tensor;
import java.util.Optional;
import java.util.function.Function;

/// [Oreal] (arXiv:2502.06781): correct completions are cloned, wrong ones pushed away, both by their leave-one-out
/// advantage among rewards +1 and -1, the policy is held to its start, and a [TokenRewardModel] that learns along
/// weighs the tokens. A completion is correct where it has the whole reward.
///
/// @param wrong  c-, the weight of wrong completions beside that of the correct ones, >= 0; 0.5 in the paper
/// @param kl     beta, strength of the KL to the start, nats a token, >= 0; 0.01 in the paper
/// @param kept   which completions are learnt from; advantages are those of the whole group either way
/// @param tokens how tokens are weighed; all alike where it is left out
@Kind("oreal")
public record OrealMethod(double wrong, double kl, Kept kept, Optional<TokenWeights> tokens) implements PolicyMethod {
    public OrealMethod {
        Range.requireFinite("wrong", wrong);
        Range.requireFinite("kl", kl);
    }

    /// Which completions are learnt from.
    public enum Kept {
        ALL,
        /// Of each question a correct one and a wrong one, none where all are the same: the paper's, with token
        /// weights.
        ONE_OF_EACH
    }

    /// A reward model of tokens.
    ///
    /// @param learningRate its own, > 0
    /// @param alone        steps at the beginning in which only it learns, >= 0: before, its weights are 0
    /// @param weighing     how scores become weights
    public record TokenWeights(double learningRate, int alone, Weighing weighing) {
        public TokenWeights {
            if (!(learningRate > 0 && learningRate < Double.POSITIVE_INFINITY) || alone < 0) {
                throw new IllegalArgumentException(
                        "a finite learning_rate > 0 and alone >= 0 expected, were " + learningRate + " and " + alone);
            }
        }
    }

    /// How scores of tokens become weights.
    public sealed interface Weighing {
        /// [TokenRewardModel#aboveThreshold]; 0.5 for both in the paper.
        @Kind("threshold")
        record Threshold(double correct, double wrong) implements Weighing {
            public Threshold {
                if (!(correct >= 0 && correct < 1 && wrong >= 0 && wrong < 1)) {
                    throw new IllegalArgumentException(
                            "thresholds must be in [0, 1), were " + correct + " and " + wrong);
                }
            }
        }

        /// [TokenRewardModel#largest]: the share of tokens that count.
        @Kind("largest")
        record Largest(double correct, double wrong) implements Weighing {
            public Largest {
                if (!(correct > 0 && correct <= 1 && wrong > 0 && wrong <= 1)) {
                    throw new IllegalArgumentException("shares must be in (0, 1], were " + correct + " and " + wrong);
                }
            }
        }

        private Weights of(Tensor scores, Tensor mask) {
            return switch (this) {
                case Threshold(double correct, double wrong) ->
                    TokenRewardModel.aboveThreshold(scores, mask, correct, wrong);
                case Largest(double correct, double wrong) -> TokenRewardModel.largest(scores, mask, correct, wrong);
            };
        }
    }

    @Override
    public String title() {
        return tokens.isPresent() ? "OREAL" : "OREAL without token weights";
    }

    @Override
    public Learner learner(Decoder start) {
        if (tokens.isEmpty()) {
            return batch -> {
                Outcomes outcomes = Outcomes.of(batch, kept);
                return microBatch -> {
                    Oreal.Answers answers = outcomes.of(microBatch);
                    Weights ones = Weights.ones(answers.logProbs());
                    return Oreal.oreal(answers, ones, new Strengths(1, wrong, kl), SampledKl::k3, outcomes.tokens());
                };
            };
        }
        OutcomeModel model = new OutcomeModel(start, tokens.get().learningRate());
        return Learner.remembering(model::state, model::close, batch -> loss(batch, tokens.get(), model));
    }

    /// The policy learns from the weights that the reward model gives before it has learnt from the batch's outcomes.
    private Function<MicroBatch, Loss> loss(RolloutBatch batch, TokenWeights tokens, OutcomeModel model) {
        boolean alone = model.steps() < tokens.alone();
        Strengths strengths = alone ? new Strengths(0, 0, 0) : new Strengths(1, wrong, kl);
        Outcomes outcomes = Outcomes.of(batch, kept);
        OutcomeModel.Predictions predicted = model.learn(batch, outcomes.correct());
        Weights all = tokens.weighing()
                .of(predicted.scores(), batch.mask().to(predicted.scores().device()));
        return microBatch -> {
            Weights weights = new Weights(microBatch.of(all.correct()), microBatch.of(all.wrong()));
            return Oreal.oreal(outcomes.of(microBatch), weights, strengths, SampledKl::k3, outcomes.tokens())
                    .with("reward-model/loss", microBatch.of(predicted.losses()))
                    .with("reward-model/score", microBatch.of(predicted.means()));
        };
    }

    /// What the verifier found in a whole batch, and which completions count.
    ///
    /// @param correct    boolean `[P·G]`
    /// @param advantages `[P·G]`
    /// @param kept       boolean `[P·G]`
    /// @param tokens     of the completions that count
    record Outcomes(Tensor correct, Tensor advantages, Tensor kept, Oreal.StepTokens tokens) {
        static Outcomes of(RolloutBatch batch, Kept which) {
            Tensor rewards = batch.rewards();
            Tensor correct = rewards.ge(1);
            Tensor signs = correct.to(rewards.dtype()).times(2).minus(1);
            boolean[] right = correct.toBooleans();
            boolean[] kept = new boolean[right.length];
            long[] tokens = new long[2];
            for (int i = 0; i < kept.length; i++) {
                kept[i] = which == Kept.ALL
                        || isFirstOfMixed(right, i, batch.rollouts().group());
                tokens[right[i] ? 0 : 1] += kept[i] ? batch.rollouts().learnt(i) : 0;
            }
            return new Outcomes(
                    correct.reshape(-1),
                    LeaveOneOut.advantages(signs).reshape(-1),
                    Tensor.mask(kept, kept.length),
                    new Oreal.StepTokens(tokens[0], tokens[1]));
        }

        /// Whether a completion is the first of its group with its outcome, and the group has both. As completions are
        /// sampled alike, the first is as random as any.
        private static boolean isFirstOfMixed(boolean[] right, int i, int group) {
            int from = i / group * group;
            boolean same = false;
            boolean other = false;
            for (int j = from; j < from + group; j++) {
                same |= j < i && right[j] == right[i];
                other |= right[j] != right[i];
            }
            return other && !same;
        }

        Oreal.Answers of(MicroBatch microBatch) {
            var rollout = microBatch.rollout();
            Tensor mask = rollout.mask().and(microBatch.of(kept).unsqueeze(1));
            return new Oreal.Answers(
                    rollout.logProbs(),
                    microBatch.refLogProbs(),
                    mask,
                    microBatch.of(correct),
                    microBatch.of(advantages));
        }
    }
}

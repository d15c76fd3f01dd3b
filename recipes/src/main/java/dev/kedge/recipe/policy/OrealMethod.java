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
import java.util.Map;
import java.util.Optional;

/// [Oreal] (arXiv:2502.06781): correct completions are cloned, wrong ones pushed away, both by their leave-one-out
/// advantage among rewards +1 and -1, the policy is held to its start, and a [TokenRewardModel] that learns along
/// weighs the tokens. A completion is correct where it has the whole reward; a truncated one is what the verifier says
/// of it.
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
        return tokens.isPresent()
                ? new Weighed(tokens.get(), new OutcomeModel(start, tokens.get().learningRate()))
                : step -> {
                    Outcomes outcomes = Outcomes.of(step, kept);
                    return part -> {
                        Oreal.Answers answers = outcomes.of(part);
                        return Oreal.oreal(
                                answers,
                                Weights.ones(answers.logProbs()),
                                new Strengths(1, wrong, kl),
                                SampledKl::k3,
                                outcomes.tokens());
                    };
                };
    }

    /// The policy learns from the weights that the reward model gives before it has learnt from the step's outcomes.
    private final class Weighed implements Learner {
        private final TokenWeights weights;
        private final OutcomeModel model;

        Weighed(TokenWeights weights, OutcomeModel model) {
            this.weights = weights;
            this.model = model;
        }

        @Override
        public PolicyMethod.PartLoss plan(RolloutBatch step) {
            boolean alone = model.steps() < weights.alone();
            Strengths strengths = alone ? new Strengths(0, 0, 0) : new Strengths(1, wrong, kl);
            Outcomes outcomes = Outcomes.of(step, kept);
            OutcomeModel.Judgement judged = model.learn(step, outcomes.correct());
            Weights of = weights.weighing()
                    .of(judged.scores(), step.mask().to(judged.scores().device()));
            return part -> {
                Weights mine = new Weights(part.of(of.correct()), part.of(of.wrong()));
                Loss loss = Oreal.oreal(outcomes.of(part), mine, strengths, SampledKl::k3, outcomes.tokens());
                return loss.with("reward-model/loss", part.of(judged.losses()))
                        .with("reward-model/score", part.of(judged.means()));
            };
        }

        @Override
        public Map<String, Tensor> state() {
            return model.state();
        }

        @Override
        public void close() {
            model.close();
        }
    }

    /// What the verifier found in a whole step, and which completions count.
    ///
    /// @param correct    boolean [P·G]
    /// @param advantages [P·G]
    /// @param kept       boolean [P·G]
    /// @param tokens     of the completions that count
    record Outcomes(Tensor correct, Tensor advantages, Tensor kept, Oreal.StepTokens tokens) {
        static Outcomes of(RolloutBatch step, Kept which) {
            Tensor rewards = step.rewards();
            Tensor correct = rewards.ge(1);
            Tensor signs = correct.to(rewards.dtype()).times(2).minus(1);
            boolean[] right = correct.toBooleans();
            boolean[] kept = new boolean[right.length];
            long[] tokens = new long[2];
            for (int i = 0; i < kept.length; i++) {
                kept[i] = which == Kept.ALL
                        || isFirstOfMixed(right, i, step.draw().group());
                tokens[right[i] ? 0 : 1] += kept[i] ? step.draw().learnt(i) : 0;
            }
            return new Outcomes(
                    correct.reshape(-1),
                    LeaveOneOut.advantages(signs).reshape(-1),
                    Tensor.mask(kept, kept.length),
                    new Oreal.StepTokens(tokens[0], tokens[1]));
        }

        /// Whether a completion is the first of its group with its outcome, and the group has both. As completions are
        /// drawn alike, the first is as random as any.
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

        Oreal.Answers of(MicroBatch part) {
            var rollout = part.rollout();
            Tensor mask = rollout.mask().and(part.of(kept).unsqueeze(1));
            return new Oreal.Answers(
                    rollout.logProbs(), part.refLogProbs(), mask, part.of(correct), part.of(advantages));
        }
    }
}

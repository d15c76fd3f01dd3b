package dev.kedge.recipe.policy;

import dev.kedge.config.Kind;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.Rloo;
import dev.kedge.objective.selection.Calibration;
import dev.kedge.objective.selection.QuantileTransform;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// InfAlign-CTRL (arXiv:2412.19792): the reward of a completion is replaced by its quantile among answers
/// of the start to the same question, that quantile is transformed for how the policy will be used, and RLOO learns
/// from what comes out, the KL to the start in the reward.
///
/// A question's answers to calibrate by are the start's, sampled when it first comes up, with a seed of its own, and
/// never again: a resumed run has the same. One of the start's answers that has no reward counts 0.
///
/// @param transform    what a quantile is worth
/// @param beta         strength of the KL, in the unit of the transform per nat, >= 0: not comparable between
///                     transforms
/// @param draws        K, the start's answers to a question to calibrate by, >= 1; 32 or more, for quantiles move in
///                     steps of 1/(2K)
/// @param selectedFrom N, >= 2: policies are evaluated by the best and by the worst of N answers beside a single one
@Kind("infalign")
public record InfalignMethod(QuantileTransform transform, double beta, int draws, int selectedFrom)
        implements PolicyMethod {
    public InfalignMethod {
        Range.requireFinite("beta", beta);
        if (draws < 1 || selectedFrom < 2) {
            throw new IllegalArgumentException(
                    "draws >= 1 and selected_from >= 2 expected, were " + draws + " and " + selectedFrom);
        }
    }

    @Override
    public String title() {
        return "InfAlign "
                + switch (transform) {
                    case QuantileTransform.Identity _ -> "identity";
                    case QuantileTransform.Exponential _ -> "exponential";
                    case QuantileTransform.NegativeExponential _ -> "negative exponential";
                    case QuantileTransform.Logarithm _ -> "logarithm";
                };
    }

    @Override
    public Learner learner(Decoder start) {
        Map<Question, double[]> calibration = new IdentityHashMap<>();
        return batch -> {
            Tensor quantiles = quantiles(batch, calibration);
            Tensor advantages = Rloo.advantages(RlooMethod.lessKl(transform.apply(floored(quantiles)), batch, beta));
            Tensor all = quantiles.reshape(-1);
            return microBatch -> Rloo.rloo(microBatch.rollout(), microBatch.of(advantages), batch.completions())
                    .with("quantile", microBatch.of(all));
        };
    }

    /// `Ĉ` of the batch's completions, `[P, G]` float64: their mean is the win rate against the start. Where none
    /// of the start's answers has a reward there is nothing to win against: all completions tie.
    private Tensor quantiles(RolloutBatch batch, Map<Question, double[]> calibration) {
        List<Question> questions = batch.rollouts().questions();
        Tensor rewards = batch.rewards();
        return Tensor.cat(
                IntStream.range(0, questions.size())
                        .mapToObj(q -> {
                            double[] base = calibration.computeIfAbsent(questions.get(q), asked -> base(batch, asked));
                            Tensor own = rewards.narrow(0, q, 1);
                            return base.length == 0
                                    ? own.zerosLike().plus(0.5)
                                    : Calibration.empirical(Tensor.of(base, 1, base.length), own);
                        })
                        .toList(),
                0);
    }

    /// Rewards of those of the start's answers that have one: a function of the question alone, whatever else is in the
    /// batch.
    private double[] base(RolloutBatch batch, Question question) {
        Sampler sampler = batch.rollouts().sampler().withGroup(draws);
        return sampler
                .sample(batch.reference(), List.of(question), Arrays.hashCode(question.prompt()))
                .scores()
                .stream()
                .filter(Score::hasReward)
                .mapToDouble(Score::reward)
                .toArray();
    }

    /// The logarithm has no value where an answer is worse than all of them: there its quantile is the smallest step.
    private Tensor floored(Tensor quantiles) {
        return transform instanceof QuantileTransform.Logarithm
                ? Elementwise.clampMin(quantiles, 0.5 / draws)
                : quantiles;
    }
}

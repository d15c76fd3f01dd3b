package dev.kedge.recipe.policy;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// What a policy is worth on questions that it has not learnt from, by G completions to each.
///
/// @param rollouts the completions
/// @param kl       of each question, nats: the mean over its completions of the sum over tokens of k3, an estimate of
///                 `KL(π‖ref)` of whole completions without bias
public record HeldOut(Rollouts rollouts, double[] kl) {
    /// @param reference what the divergence is from; the policy itself has none
    /// @param padId     fills batches
    public static HeldOut of(
            Decoder policy, Decoder reference, Sampler sampler, List<Question> questions, int padId, long seed) {
        Rollouts rollouts = sampler.sample(policy, questions, seed);
        try (Scope _ = new Scope()) {
            RolloutBatch batch = new RolloutBatch(rollouts, policy, reference, true, padId, 16);
            double[] each = SampledKl.k3(batch.oldLogProbs(), batch.refLogProbs())
                    .to(DType.FLOAT64)
                    .sum(1)
                    .toDoubles();
            return new HeldOut(rollouts, rollouts.means(i -> each[i]));
        }
    }

    /// The mean of [#kl].
    double divergence() {
        return Bootstrap.mean(kl);
    }

    /// The mean reward of each question's completions that have one.
    public PerQuestion rewards() {
        return means(Score::reward);
    }

    /// The mean true reward of each question's completions that have one, where rewards are proxies.
    public PerQuestion truths() {
        return means(score -> score.truth().orElse(Double.NaN));
    }

    private PerQuestion means(ToDoubleFunction<Score> number) {
        return new PerQuestion(rollouts.means(i -> number.applyAsDouble(score(i))));
    }

    private Score score(int completion) {
        return rollouts.scores().get(completion);
    }

    /// The reward of one completion, where it has one.
    public Optional<Double> reward(int completion) {
        return Optional.of(score(completion)).filter(Score::hasReward).map(Score::reward);
    }

    /// Of each question, 1 if any of its judged completions has the whole reward, else 0: pass@G. Where some of them
    /// could not be judged it is a lower bound, as the others had fewer draws.
    public PerQuestion passes() {
        return new PerQuestion(IntStream.range(0, rollouts.questions().size())
                .mapToDouble(q -> rollouts.rows(q)
                        .mapToObj(this::score)
                        .filter(Score::isJudged)
                        .mapToDouble(score -> score.isRight() ? 1 : 0)
                        .max()
                        .orElse(Double.NaN))
                .toArray());
    }

    /// Mean tokens of the completions to each question.
    public PerQuestion lengths() {
        return new PerQuestion(rollouts.means(i -> rollouts.completions().get(i).tokens().length));
    }

    /// The completions without a reward or, where rewards are proxies, without a true one.
    List<Score> unjudged() {
        return rollouts.scores().stream()
                .filter(score -> !score.hasReward() || !score.isJudged())
                .toList();
    }

    /// A summary with how many answers could not be judged, and why the first could not, where there are any.
    ///
    /// @param policies by who wrote them
    public static Summary unjudged(Summary summary, SequencedMap<String, List<HeldOut>> policies) {
        List<HeldOut> all = policies.values().stream().flatMap(List::stream).toList();
        List<Score> unjudged = all.stream().flatMap(p -> p.unjudged().stream()).toList();
        if (unjudged.isEmpty()) {
            return summary;
        }
        String counts = policies.entrySet().stream()
                .map(e -> e.getKey() + " " + ofAll(e.getValue()))
                .collect(Collectors.joining(", "));
        return summary.fact(
                        "held_out_answers_not_judged",
                        "held-out answers not judged",
                        unjudged.size(),
                        "",
                        ofAll(all) + "; first: " + unjudged.getFirst().failure())
                .note("Held-out answers that could not be judged: " + counts + " (first: "
                        + unjudged.getFirst().failure()
                        + "). Means are over the others; a question of which no answer was judged drops out, and what"
                        + " is solved among judged draws alone is a lower bound.");
    }

    private static String ofAll(List<HeldOut> policies) {
        return policies.stream().mapToInt(p -> p.unjudged().size()).sum() + " of "
                + policies.stream().mapToInt(p -> p.rollouts().scores().size()).sum();
    }

    /// See [Rollouts#metrics].
    double metric(String name) {
        return rollouts.metrics().get(name);
    }

    /// The rewards of those of a question's completions that have one, ascending.
    double[] sortedRewards(int question) {
        return rollouts.rows(question)
                .mapToDouble(i -> score(i).reward())
                .filter(Double::isFinite)
                .sorted()
                .toArray();
    }

    /// Mean reward and divergence of the best policy that has seen only these completions: for each strength
    /// `1/beta`, they are weighted with `exp(r/beta)`. With many completions this is the optimum of all; where a
    /// tilt is strong, it knows no better answer than the best that was sampled.
    ///
    /// Questions of which no completion has a reward are left out.
    ///
    /// @param tilt `1/beta`, >= 0
    /// @return mean KL, nats, and mean reward; empty where no completion has a reward
    public Optional<double[]> tilted(double tilt) {
        List<double[]> judged = IntStream.range(0, rollouts.questions().size())
                .mapToObj(this::sortedRewards)
                .filter(rewards -> rewards.length > 0)
                .toList();
        if (judged.isEmpty()) {
            return Optional.empty();
        }
        double reward = 0;
        double divergence = 0;
        for (double[] rewards : judged) {
            double best = rewards[rewards.length - 1];
            double[] weights =
                    Arrays.stream(rewards).map(r -> Math.exp(tilt * (r - best))).toArray();
            double total = Arrays.stream(weights).sum();
            double mean = IntStream.range(0, rewards.length)
                            .mapToDouble(i -> weights[i] * rewards[i])
                            .sum()
                    / total;
            reward += mean / judged.size();
            // KL(tilted || ref) = tilt * mean - log E_ref[exp(tilt r)]
            divergence += (tilt * (mean - best) - Math.log(total / rewards.length)) / judged.size();
        }
        return Optional.of(new double[] {divergence, reward});
    }
}

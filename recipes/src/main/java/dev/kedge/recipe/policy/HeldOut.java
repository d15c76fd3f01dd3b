package dev.kedge.recipe.policy;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/// What a policy is worth on questions that it has not learnt from, by drawing G completions to each.
///
/// @param draw the completions
/// @param kl   of each question, nats: the mean over its completions of the sum over tokens of k3, an estimate of
///             `KL(π‖ref)` of whole completions without bias
public record HeldOut(Rollouts draw, double[] kl) {
    /// @param reference what the divergence is from; the policy itself has none
    /// @param padId     fills batches
    public static HeldOut of(
            Decoder policy, Decoder reference, Sampler sampler, List<Question> questions, int padId, long seed) {
        Rollouts draw = sampler.draw(policy, questions, seed);
        try (Scope _ = new Scope();
                RolloutBatch step = new RolloutBatch(draw, policy, reference, true, padId, 16)) {
            double[] each = SampledKl.k3(step.oldLogProbs(), step.refLogProbs())
                    .to(DType.FLOAT64)
                    .sum(1)
                    .toDoubles();
            return new HeldOut(draw, mean(draw, i -> each[i]));
        }
    }

    /// The mean reward of each question's completions; one without a reward counts 0.
    public double[] rewards() {
        return mean(
                draw, i -> draw.scores().get(i).isThere() ? draw.scores().get(i).reward() : 0);
    }

    /// The mean true reward of each question's completions, where rewards are proxies; one without counts 0.
    public double[] truths() {
        return mean(
                draw, i -> draw.scores().get(i).isProxy() ? draw.scores().get(i).truth() : 0);
    }

    /// Of each question, 1 if any of its completions has the whole reward, else 0: pass@G.
    public double[] passes() {
        return IntStream.range(0, draw.questions().size())
                .mapToDouble(
                        q -> rows(draw, q).anyMatch(i -> draw.scores().get(i).isRight()) ? 1 : 0)
                .toArray();
    }

    /// Mean tokens of the completions to each question.
    public double[] lengths() {
        return mean(draw, i -> draw.completions().get(i).tokens().length);
    }

    /// The share of completions from which no answer could be read off.
    public double unanswered() {
        return draw.metrics().get("unanswered");
    }

    /// Mean entropy of a token, nats.
    public double entropy() {
        return draw.metrics().get("entropy");
    }

    /// Mean reward and divergence of the best policy that has seen only these completions: for each strength
    /// `1/beta`, they are weighted with `exp(r/beta)`. With many completions this is the optimum of all; where a
    /// tilt is strong, it knows no better answer than the best that was drawn.
    ///
    /// @param tilt `1/beta`, >= 0
    /// @return mean KL, nats, and mean reward
    public double[] tilted(double tilt) {
        double reward = 0;
        double divergence = 0;
        for (int q = 0; q < draw.questions().size(); q++) {
            double[] rewards = rows(draw, q)
                    .mapToDouble(i -> draw.scores().get(i).reward())
                    .filter(Double::isFinite)
                    .toArray();
            double best = Arrays.stream(rewards).max().orElse(0);
            double[] weights =
                    Arrays.stream(rewards).map(r -> Math.exp(tilt * (r - best))).toArray();
            double total = Arrays.stream(weights).sum();
            double mean = IntStream.range(0, rewards.length)
                            .mapToDouble(i -> weights[i] * rewards[i])
                            .sum()
                    / total;
            reward += mean / draw.questions().size();
            // KL(tilted || ref) = tilt * mean - log E_ref[exp(tilt r)]
            divergence += (tilt * (mean - best) - Math.log(total / rewards.length))
                    / draw.questions().size();
        }
        return new double[] {divergence, reward};
    }

    private static double[] mean(Rollouts draw, ToDoubleFunction<Integer> of) {
        List<Double> means = new ArrayList<>();
        for (int q = 0; q < draw.questions().size(); q++) {
            means.add(rows(draw, q).boxed().mapToDouble(of).average().orElse(0));
        }
        return means.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static IntStream rows(Rollouts draw, int question) {
        return IntStream.range(question * draw.group(), (question + 1) * draw.group());
    }
}

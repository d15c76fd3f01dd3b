package dev.kedge.recipe.policy;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Scope;
import java.util.Arrays;
import java.util.List;
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

    /// The mean reward of each question's completions; one without a reward counts 0.
    public double[] rewards() {
        return rollouts.means(i -> finite(score(i).reward()));
    }

    /// The mean true reward of each question's completions, where rewards are proxies; one without counts 0.
    public double[] truths() {
        return rollouts.means(i -> finite(score(i).truth()));
    }

    private Score score(int completion) {
        return rollouts.scores().get(completion);
    }

    private static double finite(double reward) {
        return Double.isFinite(reward) ? reward : 0;
    }

    /// Of each question, 1 if any of its completions has the whole reward, else 0: pass@G.
    public double[] passes() {
        return IntStream.range(0, rollouts.questions().size())
                .mapToDouble(q -> rollouts.rows(q).anyMatch(i -> score(i).isRight()) ? 1 : 0)
                .toArray();
    }

    /// Mean tokens of the completions to each question.
    public double[] lengths() {
        return rollouts.means(i -> rollouts.completions().get(i).tokens().length);
    }

    /// See [Rollouts#metrics].
    double metric(String name) {
        return rollouts.metrics().get(name);
    }

    /// The rewards of a question's completions, ascending; one without a reward counts 0.
    double[] sortedRewards(int question) {
        return rollouts.rows(question)
                .mapToDouble(i -> finite(score(i).reward()))
                .sorted()
                .toArray();
    }

    /// Mean reward and divergence of the best policy that has seen only these completions: for each strength
    /// `1/beta`, they are weighted with `exp(r/beta)`. With many completions this is the optimum of all; where a
    /// tilt is strong, it knows no better answer than the best that was sampled.
    ///
    /// @param tilt `1/beta`, >= 0
    /// @return mean KL, nats, and mean reward
    public double[] tilted(double tilt) {
        int questions = rollouts.questions().size();
        double reward = 0;
        double divergence = 0;
        for (int q = 0; q < questions; q++) {
            double[] rewards = rollouts.rows(q)
                    .mapToDouble(i -> score(i).reward())
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
            reward += mean / questions;
            // KL(tilted || ref) = tilt * mean - log E_ref[exp(tilt r)]
            divergence += (tilt * (mean - best) - Math.log(total / rewards.length)) / questions;
        }
        return new double[] {divergence, reward};
    }
}

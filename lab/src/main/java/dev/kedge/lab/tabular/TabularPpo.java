package dev.kedge.lab.tabular;

import dev.kedge.objective.divergence.BarrierDivergence;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;

/// The two stages that preference losses on the policy itself do without: a table of rewards learned from the pairs,
/// and then PPO (Schulman et al. 2017, arXiv:1707.06347, Eq. 7) on that reward less a divergence from the reference.
///
/// An iteration draws outcomes of every context from the policy and takes four steps on them. The advantage of an
/// outcome is its learned reward less `beta·f'(π/ref)`, which makes the policy gradient that of
/// `reward - beta·D_f(π||ref)`, relative to the mean over the outcomes drawn of its context.
public final class TabularPpo {
    private static final int STEPS_PER_ROLLOUT = 4;
    private static final int SAMPLES = 64;
    private static final double CLIP = 0.2;

    private TabularPpo() {}

    /// Bradley-Terry's maximum likelihood: a reward for every outcome, up to a constant of the context, `[X, n]`.
    public static double[][] reward(Bandit task, Bandit.Pairs pairs, TabularTraining training) {
        // DPO's reward is beta·log π/ref: with beta 1 and a uniform reference, a table of its own.
        var uniform = new double[task.contexts()][task.outcomes()];
        Arrays.stream(uniform).forEach(row -> Arrays.fill(row, -Math.log(task.outcomes())));
        return training.onPairs(new Bandit(uniform, task.reward()), pairs, (lp, count) -> Dpo.dpo(lp, 1, count));
    }

    /// The policy that PPO makes of the reference, `[X, n]`.
    ///
    /// @param reward learned, `[X, n]`
    /// @param beta   strength of the penalty, >= 0
    public static double[][] train(
            Bandit task,
            double[][] reward,
            BarrierDivergence divergence,
            double beta,
            long seed,
            TabularTraining training) {
        try (var rng = Rng.seeded(Streams.of(seed, "rollouts"))) {
            return training.train(
                    task.logRef(), new Surrogate(task, reward, divergence, beta, rng, new Surrogate.Drawn[1]));
        }
    }

    /// The clipped surrogate on outcomes that are drawn anew every few steps.
    private record Surrogate(
            Bandit task, double[][] reward, BarrierDivergence divergence, double beta, Rng rng, Drawn[] last)
            implements TabularTraining.Objective {
        /// @param outcomes numbered through all contexts, with the policy's log-probs and advantages: [X·64]
        private record Drawn(long[] outcomes, double[] logProbs, double[] advantages) {}

        @Override
        public Tensor loss(Tensor logProbs, int step) {
            if (step % STEPS_PER_ROLLOUT == 0) {
                last[0] = draw(logProbs.detach());
            }
            Drawn drawn = last[0];
            Tensor advantage = Tensor.of(drawn.advantages);
            Tensor ratio = logProbs.reshape(-1)
                    .indexSelect(0, Tensor.of(drawn.outcomes, drawn.outcomes.length))
                    .minus(Tensor.of(drawn.logProbs))
                    .exp();
            Tensor clipped = Elementwise.clamp(ratio, 1 - CLIP, 1 + CLIP);
            return Elementwise.minimum(ratio.times(advantage), clipped.times(advantage))
                    .mean()
                    .neg();
        }

        private Drawn draw(Tensor logProbs) {
            long contexts = task.contexts();
            long outcomes = task.outcomes();
            Tensor rows = logProbs.exp().unsqueeze(1).expand(contexts, SAMPLES, outcomes);
            Tensor drawn =
                    rng.categorical(rows.reshape(contexts * SAMPLES, outcomes)).reshape(contexts, SAMPLES);
            Tensor logRatio = logProbs.minus(Tensor.of(task.logRef()));
            Tensor value = Tensor.of(reward)
                    .minus(divergence.score(logRatio).times(beta))
                    .gather(1, drawn);
            Tensor first = Creation.arange(0, contexts, logProbs.device())
                    .times(outcomes)
                    .unsqueeze(1);
            return new Drawn(
                    drawn.plus(first).to(DType.INT64).reshape(-1).toLongs(),
                    logProbs.gather(1, drawn).reshape(-1).toDoubles(),
                    value.minus(value.mean(1, true)).reshape(-1).toDoubles());
        }
    }
}

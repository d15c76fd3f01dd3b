package dev.kedge.env.mdp;

import dev.kedge.tensor.Streams;
import java.util.Arrays;
import java.util.SplittableRandom;

/// Random processes without structure, known as Garnets: each state and action has so many different successors, drawn
/// uniformly, whose probabilities are uniform on the simplex.
public final class Garnet {
    private Garnet() {}

    /// A kernel.
    ///
    /// @param branching successors of each state and action, from 1 to `states`
    public static Transitions transitions(int states, int actions, int branching, long seed) {
        if (branching < 1 || branching > states) {
            throw new IllegalArgumentException("branching must be from 1 to " + states + ", was " + branching);
        }
        var random = new SplittableRandom(Streams.of(seed, "kernel"));
        int[] shuffled = new int[states];
        for (int s = 0; s < states; s++) {
            shuffled[s] = s;
        }
        double[] weight = new double[branching];
        return Transitions.of(states, actions, (_, _, row) -> {
            double sum = 0;
            for (int i = 0; i < branching; i++) {
                weight[i] = -Math.log(1 - random.nextDouble());
                sum += weight[i];
            }
            for (int i = 0; i < branching; i++) {
                int j = random.nextInt(i, states);
                int drawn = shuffled[j];
                shuffled[j] = shuffled[i];
                shuffled[i] = drawn;
                row.add(drawn, weight[i] / sum);
            }
        });
    }

    /// A process that starts anywhere, with rewards uniform in [0, 1).
    public static Mdp mdp(int states, int actions, int branching, double discount, long seed) {
        double[] start = new double[states];
        Arrays.fill(start, 1.0 / states);
        return new Mdp(transitions(states, actions, branching, seed), rewards(states, actions, seed), start, discount);
    }

    /// Rewards uniform in [0, 1), independent of the kernel of the same seed: `[S][A]`.
    public static double[][] rewards(int states, int actions, long seed) {
        var random = new SplittableRandom(Streams.of(seed, "rewards"));
        double[][] reward = new double[states][actions];
        for (double[] row : reward) {
            Arrays.setAll(row, _ -> random.nextDouble());
        }
        return reward;
    }

    /// A policy with standard normal logits.
    public static MdpPolicy policy(int states, int actions, long seed) {
        var random = new SplittableRandom(Streams.of(seed, "policy"));
        double[][] logits = new double[states][actions];
        for (double[] row : logits) {
            Arrays.setAll(row, _ -> random.nextGaussian());
        }
        return MdpPolicy.softmax(logits);
    }
}

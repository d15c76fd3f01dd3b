package dev.kedge.env.mdp;

import dev.kedge.tensor.Streams;
import java.util.Arrays;
import java.util.SplittableRandom;

/// A random process that is linear in known features, as the theory of linear decision processes supposes:
/// `P(s'|s,a) = Σ_i φ_i(s,a)·μ_i(s')` and `r(s,a) = Σ_i φ_i(s,a)·θ_i`. There are d ways to go on, and every state and
/// action mixes them in its own way.
///
/// @param mdp      the same kernel and rewards in every stage, from state 0
/// @param features φ(s, a), a distribution over the d ways: `[S][A][d]`
public record LowRank(FiniteHorizonMdp mdp, double[][][] features) {
    /// A draw: the mixtures uniform on the simplex but for an exponent that makes them uneven, the ways uniform on it,
    /// each with a reward of its own in [0, 1).
    ///
    /// @param rank d, at least 1
    public static LowRank random(int states, int actions, int rank, int horizon, long seed) {
        if (rank < 1) {
            throw new IllegalArgumentException("rank must be at least 1, was " + rank);
        }
        var random = new SplittableRandom(Streams.of(seed, "low rank"));
        double[][] ways = new double[rank][];
        Arrays.setAll(ways, _ -> simplex(states, 1, random));
        double[] worth = random.doubles(rank).toArray();
        double[][][] features = new double[states][actions][];
        double[][] reward = new double[states][actions];
        double[][][] kernel = new double[states][actions][states];
        for (int s = 0; s < states; s++) {
            for (int a = 0; a < actions; a++) {
                features[s][a] = simplex(rank, 3, random);
                reward[s][a] = ValueIteration.expectation(features[s][a], worth);
                for (int i = 0; i < rank; i++) {
                    for (int to = 0; to < states; to++) {
                        kernel[s][a][to] += features[s][a][i] * ways[i][to];
                    }
                }
            }
        }
        return new LowRank(
                FiniteHorizonMdp.stationary(Transitions.dense(kernel), reward, Mdp.startAt(0, states), horizon),
                features);
    }

    private static double[] simplex(int size, double exponent, SplittableRandom random) {
        double[] weights = random.doubles(size)
                .map(u -> Math.pow(-Math.log(1 - u), exponent))
                .toArray();
        double sum = Arrays.stream(weights).sum();
        return Arrays.stream(weights).map(w -> w / sum).toArray();
    }
}

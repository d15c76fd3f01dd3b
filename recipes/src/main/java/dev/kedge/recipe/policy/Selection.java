package dev.kedge.recipe.policy;

import java.util.Arrays;
import java.util.stream.IntStream;

/// Which of N answers to a question is used: that of the highest or of the lowest reward, or any of them.
public enum Selection {
    ANY,
    BEST,
    WORST;

    /// How often an answer that is selected so among N of a policy has a higher reward than one selected so
    /// among N of a rival, equal rewards counting one half: of each question. Exact over all choices of N of
    /// the K answers that each has, and so without bias where the two were sampled independently
    /// (arXiv:2412.19792, inference-time win rate).
    ///
    /// An answer without a reward is none of the K; NaN where that leaves one of the two fewer than N.
    ///
    /// @param n of both, from 1 to K
    /// @throws IllegalArgumentException if n is out of range, or the two answered different numbers of questions
    public double[] winRates(int n, HeldOut policy, HeldOut rival) {
        int questions = policy.rollouts().questions().size();
        if (rival.rollouts().questions().size() != questions) {
            throw new IllegalArgumentException("a rival that answers the same " + questions
                    + " questions expected, answered "
                    + rival.rollouts().questions().size());
        }
        int answers = Math.min(policy.rollouts().group(), rival.rollouts().group());
        if (n < 1 || n > answers) {
            throw new IllegalArgumentException("from 1 to " + answers + " answers to select from expected, was " + n);
        }
        return IntStream.range(0, questions)
                .mapToDouble(q -> winRate(n, policy.sortedRewards(q), rival.sortedRewards(q)))
                .toArray();
    }

    /// @param mine   ascending, like `theirs`
    private double winRate(int n, double[] mine, double[] theirs) {
        if (Math.min(mine.length, theirs.length) < n) {
            return Double.NaN;
        }
        double[] p = law(n, mine.length);
        double[] q = law(n, theirs.length);
        double wins = 0;
        for (int i = 0; i < mine.length; i++) {
            for (int j = 0; j < theirs.length; j++) {
                wins += p[i] * q[j] * (1 + Math.signum(mine[i] - theirs[j])) / 2;
            }
        }
        return wins;
    }

    /// The chance of each of K answers, the worst first, to be selected from N of them: `C(i-1, N-1)/C(K, N)` for the
    /// i-th as the best.
    private double[] law(int n, int answers) {
        double[] law = new double[answers];
        if (this == ANY) {
            Arrays.fill(law, 1.0 / answers);
            return law;
        }
        double chance = (double) n / answers; // the extreme one is selected whenever it is among the N
        for (int i = answers; i >= n; i--) {
            law[this == BEST ? i - 1 : answers - i] = chance;
            chance *= i > n ? (double) (i - n) / (i - 1) : 0;
        }
        return law;
    }
}

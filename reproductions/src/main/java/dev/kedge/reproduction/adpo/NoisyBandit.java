package dev.kedge.reproduction.adpo;

import dev.kedge.tensor.DType;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.SplittableRandom;

/// A contextual bandit with training data that are corrupted in one of several ways, and fresh clean contexts to judge
/// by: after the first experiment of ADPO (arXiv:2510.18913), whose details are not published.
///
/// The reward of action a in context x, 8 standard normal numbers, is `2 tanh(x·w_a)`, `w_a ~ N(0, I/8)`.
///
/// @param contexts      of each of the C corruptions, `[C, n, 8]`
/// @param rewards       as the learner sees them, `[C, n, 4]`
/// @param pairs         two different actions of each context, for who sees only two, int64 `[n, 2]`
/// @param cleanContexts what the corruptions started from, `[n, 8]`
/// @param cleanBest     the best action there, int64 `[n]`
/// @param freshContexts `[m, 8]`
/// @param freshBest     the best action there, int64 `[m]`
record NoisyBandit(
        Tensor contexts,
        Tensor rewards,
        Tensor pairs,
        Tensor cleanContexts,
        Tensor cleanBest,
        Tensor freshContexts,
        Tensor freshBest) {
    static final int INPUTS = 8;
    static final int ACTIONS = 4;

    /// What is wrong with the training data.
    enum Corruption {
        /// Normal noise of deviation 1.5 on every reward; one in ten is 10 too high or too low besides.
        OUTLIERS("normal noise and outliers"),
        /// Contexts moved by 3 in one direction; their rewards are right.
        SHIFT("shifted contexts"),
        /// In 30 % of the contexts all rewards have the wrong sign.
        FLIPS("flipped rewards"),
        /// Cauchy noise of scale 1 on every reward.
        CAUCHY("Cauchy noise");

        final String title;

        Corruption(String title) {
            this.title = title;
        }
    }

    /// A bandit of a seed, with every corruption in their order, all of the same clean contexts.
    static NoisyBandit random(int train, int fresh, long seed) {
        var random = new SplittableRandom(Streams.of(seed, "noisy bandit"));
        double[][] weights = normal(random, ACTIONS, 1 / Math.sqrt(INPUTS));
        double[][] clean = normal(random, train, 1);
        double[][] judged = normal(random, fresh, 1);
        double[] direction = normal(random, 1, 1)[0];
        double length = Math.sqrt(dot(direction, direction));

        int cases = Corruption.values().length;
        double[][] contexts = new double[cases * train][];
        double[][] rewards = new double[cases * train][];
        for (int row = 0; row < contexts.length; row++) {
            var corruption = Corruption.values()[row / train];
            double moved = corruption == Corruption.SHIFT ? 3 / length : 0;
            contexts[row] = sum(clean[row % train], direction, moved);
            rewards[row] = seen(corruption, rewards(weights, contexts[row]), random);
        }
        return new NoisyBandit(
                floats(contexts).reshape(cases, train, INPUTS),
                floats(rewards).reshape(cases, train, ACTIONS),
                pairs(train, random),
                floats(clean),
                best(weights, clean),
                floats(judged),
                best(weights, judged));
    }

    /// The rewards as the learner sees them.
    private static double[] seen(Corruption corruption, double[] rewards, SplittableRandom random) {
        boolean flipped = corruption == Corruption.FLIPS && random.nextDouble() < 0.3;
        return Arrays.stream(rewards)
                .map(r -> switch (corruption) {
                    case OUTLIERS -> r + 1.5 * random.nextGaussian() + outlier(random);
                    case SHIFT -> r;
                    case FLIPS -> flipped ? -r : r;
                    case CAUCHY -> r + Math.tan(Math.PI * (random.nextDouble() - 0.5));
                })
                .toArray();
    }

    private static Tensor pairs(int contexts, SplittableRandom random) {
        long[] pairs = new long[2 * contexts];
        for (int i = 0; i < pairs.length; i += 2) {
            pairs[i] = random.nextInt(ACTIONS);
            pairs[i + 1] = (pairs[i] + 1 + random.nextInt(ACTIONS - 1)) % ACTIONS;
        }
        return Tensor.of(pairs, contexts, 2);
    }

    private static double outlier(SplittableRandom random) {
        double u = random.nextDouble();
        return u < 0.05 ? 10 : u < 0.1 ? -10 : 0;
    }

    private static double[] rewards(double[][] weights, double[] context) {
        return Arrays.stream(weights)
                .mapToDouble(w -> 2 * Math.tanh(dot(w, context)))
                .toArray();
    }

    private static Tensor best(double[][] weights, double[][] contexts) {
        return Ordering.argmax(
                floats(Arrays.stream(contexts).map(x -> rewards(weights, x)).toArray(double[][]::new)), 1);
    }

    private static double[][] normal(SplittableRandom random, int rows, double deviation) {
        double[][] normal = new double[rows][INPUTS];
        for (double[] row : normal) {
            Arrays.setAll(row, _ -> deviation * random.nextGaussian());
        }
        return normal;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static double[] sum(double[] a, double[] b, double times) {
        double[] sum = a.clone();
        Arrays.setAll(sum, i -> a[i] + times * b[i]);
        return sum;
    }

    private static Tensor floats(double[][] rows) {
        return Tensor.of(rows).to(DType.FLOAT32);
    }
}

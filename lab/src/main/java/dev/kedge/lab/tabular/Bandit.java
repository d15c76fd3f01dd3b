package dev.kedge.lab.tabular;

import dev.kedge.objective.divergence.Divergence;
import dev.kedge.objective.divergence.RegularizedOptimum;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.run.result.Frontier;
import dev.kedge.tensor.Streams;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/// A task whose every outcome can be enumerated: contexts, equally likely, each with outcomes of known reward and a
/// reference policy over them. What a policy is worth on it is exact, and so is the best that can be had.
///
/// A policy is its log-probabilities, normalised, nats: `[X, n]`, X contexts, n outcomes.
///
/// @param logRef the reference policy
/// @param reward of each outcome: `[X, n]`
public record Bandit(double[][] logRef, double[][] reward) {
    private static final int BISECTIONS = 80;

    /// The log of a strength at which the optimum is the reference; at its inverse the optimum is deterministic.
    private static final double EXTREME = Math.log(1e8);

    /// Strengths between which the optimum is drawn, and the points less one.
    private static final double WEAKEST = 0.02;

    private static final double STRONGEST = 20;
    private static final int DRAWN = 40;

    /// Where a policy stands.
    ///
    /// @param kl        `KL(π||ref)`, nats, mean over contexts
    /// @param reward    its expectation
    /// @param entropy   nats, mean over contexts
    /// @param shortfall how much less reward than the best policy of the same divergence: `>= 0` up to rounding
    public record Evaluation(double kl, double reward, double entropy, double shortfall) {
        /// Where there is no policy, or one that diverged.
        static final Evaluation NONE = new Evaluation(Double.NaN, Double.NaN, Double.NaN, Double.NaN);

        /// Whether all is finite: of a policy that diverged all is NaN.
        public boolean isFinite() {
            return Double.isFinite(kl + reward + entropy + shortfall);
        }
    }

    /// Comparisons of outcomes, which are numbered through all contexts: `x·n + y`.
    ///
    /// @param chosen   the outcome preferred in each pair: `[P]`
    /// @param rejected the other: `[P]`
    public record Pairs(long[] chosen, long[] rejected) {
        public int count() {
            return chosen.length;
        }
    }

    /// Rankings of outcomes, numbered as in [Pairs].
    ///
    /// @param outcomes of each ranking, the best first: [R·size]
    /// @param size     outcomes in each
    public record Rankings(long[] outcomes, int size) {
        public int count() {
            return outcomes.length / size;
        }
    }

    /// References that are the softmax of standard normal logits, and standard normal rewards.
    public static Bandit random(int contexts, int outcomes, long seed) {
        var random = new SplittableRandom(Streams.of(seed, "bandit"));
        var logRef = new double[contexts][];
        var reward = new double[contexts][];
        for (int x = 0; x < contexts; x++) {
            logRef[x] = normalised(normal(random, outcomes));
            reward[x] = normal(random, outcomes);
        }
        return new Bandit(logRef, reward);
    }

    public int contexts() {
        return reward.length;
    }

    public int outcomes() {
        return reward[0].length;
    }

    /// Pairs of different outcomes drawn from the reference, with labels from Bradley-Terry: y beats z with
    /// probability `σ(reward(y) - reward(z))`. The contexts take turns. The draws are independent of those of
    /// [#random] with the same seed.
    public Pairs pairs(int count, long seed) {
        var random = new SplittableRandom(Streams.of(seed, "pairs"));
        var chosen = new long[count];
        var rejected = new long[count];
        for (int i = 0; i < count; i++) {
            int x = i % contexts();
            int y = draw(random, logRef[x]);
            int z = y;
            while (z == y) {
                z = draw(random, logRef[x]);
            }
            boolean wins = random.nextDouble() < 1 / (1 + Math.exp(reward[x][z] - reward[x][y]));
            chosen[i] = (long) x * outcomes() + (wins ? y : z);
            rejected[i] = (long) x * outcomes() + (wins ? z : y);
        }
        return new Pairs(chosen, rejected);
    }

    /// Different outcomes drawn from the reference, ranked as Plackett and Luce have it: the next one is y with
    /// probability in proportion to `exp(reward(y))`. Of two outcomes that is Bradley-Terry. The contexts take
    /// turns.
    ///
    /// @param size outcomes in each, from 2 to n
    /// @throws IllegalArgumentException if there are not so many
    public Rankings rankings(int count, int size, long seed) {
        if (size < 2 || size > outcomes()) {
            throw new IllegalArgumentException("size must be from 2 to " + outcomes() + ", was " + size);
        }
        var random = new SplittableRandom(Streams.of(seed, "rankings"));
        var outcomes = new long[count * size];
        for (int i = 0; i < count; i++) {
            int x = i % contexts();
            double[] noisy = new double[outcomes()];
            var drawn = new LinkedHashSet<Integer>();
            while (drawn.size() < size) {
                drawn.add(draw(random, logRef[x]));
            }
            for (int y : drawn) { // sorting by reward and standard Gumbel noise is that ranking
                noisy[y] = reward[x][y] - Math.log(-Math.log(1 - random.nextDouble()));
            }
            int at = i * size;
            for (int y : drawn.stream()
                    .sorted(Comparator.comparingDouble(y -> -noisy[y]))
                    .toList()) {
                outcomes[at++] = (long) x * outcomes() + y;
            }
        }
        return new Rankings(outcomes, size);
    }

    /// Where a policy `[X, n]` stands.
    public Evaluation evaluate(double[][] logPolicy) {
        double kl = divergence(logPolicy);
        double gained = mean(logPolicy, x -> y -> reward[x][y]);
        double entropy = mean(logPolicy, x -> y -> -logPolicy[x][y]);
        return new Evaluation(kl, gained, entropy, Double.isFinite(kl) ? best(kl) - gained : Double.NaN);
    }

    /// The policy that maximises `E_π[reward] - beta·D(π||ref)` in every context: `[X, n]`.
    public double[][] optimum(Divergence divergence, double beta) {
        return IntStream.range(0, contexts())
                .mapToObj(x -> RegularizedOptimum.optimalPolicy(divergence, logRef[x], reward[x], beta))
                .map(p -> Arrays.stream(p).map(Math::log).toArray())
                .toArray(double[][]::new);
    }

    /// The most reward that a policy of this divergence can have: that of `π ~ ref·exp(reward/beta)` at the beta where
    /// `KL(π||ref)` is `kl`.
    ///
    /// @param kl nats; below 0 it counts as 0, beyond the divergence of the best outcomes it wins no more
    public double best(double kl) {
        double low = -EXTREME;
        double high = EXTREME;
        for (int i = 0; i < BISECTIONS; i++) {
            double middle = (low + high) / 2;
            if (divergence(optimum(new ReverseKl(), Math.exp(middle))) > kl) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return mean(optimum(new ReverseKl(), Math.exp(high)), x -> y -> reward[x][y]);
    }

    /// The optimum's reward over its divergence, to be drawn beside what was reached.
    public List<Frontier.Point> frontier() {
        return IntStream.rangeClosed(0, DRAWN)
                .mapToObj(i -> optimum(new ReverseKl(), WEAKEST * Math.pow(STRONGEST / WEAKEST, (double) i / DRAWN)))
                .map(p -> Frontier.Point.of(divergence(p), mean(p, x -> y -> reward[x][y])))
                .toList();
    }

    private double divergence(double[][] logPolicy) {
        return mean(logPolicy, x -> y -> logPolicy[x][y] - logRef[x][y]);
    }

    private interface Quantity {
        IntToDoubleFunction in(int context);
    }

    /// The expectation of a quantity over contexts and the policy's outcomes.
    private static double mean(double[][] logPolicy, Quantity quantity) {
        double sum = 0;
        for (int x = 0; x < logPolicy.length; x++) {
            var of = quantity.in(x);
            for (int y = 0; y < logPolicy[x].length; y++) {
                double p = Math.exp(logPolicy[x][y]);
                sum += p == 0 ? 0 : p * of.applyAsDouble(y); // 0 log 0 is 0
            }
        }
        return sum / logPolicy.length;
    }

    private static double[] normal(SplittableRandom random, int count) {
        return IntStream.range(0, count).mapToDouble(_ -> random.nextGaussian()).toArray();
    }

    private static double[] normalised(double[] logits) {
        double log = Math.log(Arrays.stream(logits).map(Math::exp).sum());
        return Arrays.stream(logits).map(l -> l - log).toArray();
    }

    private static int draw(SplittableRandom random, double[] logProbs) {
        double left = random.nextDouble();
        for (int y = 0; y < logProbs.length - 1; y++) {
            left -= Math.exp(logProbs[y]);
            if (left < 0) {
                return y;
            }
        }
        return logProbs.length - 1;
    }
}

package dev.kedge.reproduction.infalign;

import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.objective.selection.BestOfN;
import dev.kedge.objective.selection.Calibration;
import dev.kedge.objective.selection.QuantileTransform;
import dev.kedge.run.result.Frontier;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/// The experiment behind InfAlign's claims where everything is exact: prompts with a finite number of answers,
/// rewards on a scale of each prompt's own, and the optimum of KL-regularised learning for each transform, `π ∝
/// ref·exp(Φ(C)/beta)`, at one beta for all prompts.
public final class InfalignTabular {
    /// Of the picture; claims read [#AT].
    private static final double[] DIVERGENCES = {0.1, 0.25, 0.5, 1.0};

    /// Nats at which transforms are compared.
    static final double AT = 0.5;

    /// Answers to select from.
    static final int N = 4;

    private static final double RATE = 10;

    private InfalignTabular() {}

    /// How large the experiment is.
    ///
    /// @param cells of the quantile's range, in which optimal transforms are found
    public record Scale(int prompts, int answers, int cells) {
        static final Scale PUBLISHED = new Scale(50, 200, 500);
    }

    /// What an answer is worth.
    enum Arm {
        REWARD("reward as it is"),
        IDENTITY("u"),
        EXPONENTIAL("exp(10u)"),
        NEGATIVE("-exp(-10u)"),
        LOGARITHM("log u"),
        OPTIMAL_BEST("optimum for the best"),
        OPTIMAL_WORST("optimum for the worst");

        final String title;

        Arm(String title) {
            this.title = title;
        }
    }

    /// Win rates against the base, both sides selecting alike.
    ///
    /// @param single of one answer, `best` and `worst` of [#N]
    record Wins(double single, double best, double worst) {}

    static String number(InfalignPolicies.Use use, Arm arm) {
        return use.title + ", " + arm.title;
    }

    static Experiment experiment(Scale s) {
        var description = "" + s.prompts + " prompts with " + s.answers + " answers each; the base's logits are "
                + "normal, rewards normal times 10 to a power that is uniform from -1 to 1 for each prompt. "
                + "Each transform's exact optimum at one beta for all prompts, which makes the mean KL " + AT
                + " nats; win rates against the base, best and worst of " + N + ", are exact. The optimal "
                + "transforms are those of the continuous limit, by fixed point.";
        return new Experiment("tabular", description, 12, seed -> outcome(new Problem(s, seed)));
    }

    private static Outcome outcome(Problem problem) {
        var outcome = Outcome.NOTHING;
        List<Frontier.Arm> best = new ArrayList<>();
        List<Frontier.Arm> worst = new ArrayList<>();
        for (var arm : Arm.values()) {
            List<Frontier.Point> bestPoints = new ArrayList<>();
            List<Frontier.Point> worstPoints = new ArrayList<>();
            for (double kl : DIVERGENCES) {
                var wins = problem.wins(arm, kl);
                bestPoints.add(Frontier.Point.of(kl, wins.best));
                worstPoints.add(Frontier.Point.of(kl, wins.worst));
                if (kl == AT) {
                    outcome = outcome.with(number(InfalignPolicies.Use.SINGLE, arm), wins.single)
                            .with(number(InfalignPolicies.Use.BEST, arm), wins.best)
                            .with(number(InfalignPolicies.Use.WORST, arm), wins.worst);
                }
            }
            best.add(new Frontier.Arm(arm.title, bestPoints));
            worst.add(new Frontier.Arm(arm.title, worstPoints));
        }
        return outcome.with(frontier("Best of " + N, best)).with(frontier("Worst of " + N, worst));
    }

    private static Frontier frontier(String title, List<Frontier.Arm> arms) {
        return new Frontier(title + " against that of the base", "KL, nats", "win rate", arms);
    }

    /// Prompts and answers of one seed.
    static final class Problem {
        private final int prompts;
        private final int answers;
        private final int cells;
        private final double[] base;
        private final double[] reward;
        private final double[] quantile;

        Problem(Scale s, long seed) {
            prompts = s.prompts;
            answers = s.answers;
            cells = s.cells;
            base = new double[prompts * answers];
            reward = new double[base.length];
            var random = new SplittableRandom(Streams.of(seed, "problem"));
            for (int p = 0; p < prompts; p++) {
                double scale = Math.pow(10, random.nextDouble(-1, 1));
                double total = 0;
                for (int i = p * answers; i < (p + 1) * answers; i++) {
                    base[i] = Math.exp(random.nextGaussian());
                    reward[i] = scale * random.nextGaussian();
                    total += base[i];
                }
                for (int i = p * answers; i < (p + 1) * answers; i++) {
                    base[i] /= total;
                }
            }
            try (var _ = new Scope()) {
                quantile = Calibration.exact(matrix(base), matrix(reward)).toDoubles();
            }
        }

        private Tensor matrix(double[] values) {
            return Tensor.of(values, prompts, answers);
        }

        /// Of the optimum at a mean divergence from the base.
        Wins wins(Arm arm, double kl) {
            double[] policy = tilted(worth(arm, kl), kl);
            try (var _ = new Scope()) {
                Tensor r = matrix(reward);
                Tensor mine = matrix(policy);
                Tensor theirs = matrix(base);
                return new Wins(
                        wins(mine, theirs, r),
                        wins(BestOfN.best(N, mine, r), BestOfN.best(N, theirs, r), r),
                        wins(BestOfN.worst(N, mine, r), BestOfN.worst(N, theirs, r), r));
            }
        }

        private static double wins(Tensor mine, Tensor theirs, Tensor r) {
            return Arrays.stream(BestOfN.winRate(mine, r, theirs, r).toDoubles())
                    .average()
                    .orElseThrow();
        }

        private double[] worth(Arm arm, double kl) {
            return switch (arm) {
                case REWARD -> reward;
                case IDENTITY -> transformed(new QuantileTransform.Identity());
                case EXPONENTIAL -> transformed(new QuantileTransform.Exponential(RATE, Math.exp(RATE)));
                case NEGATIVE -> transformed(new QuantileTransform.NegativeExponential(RATE));
                case LOGARITHM -> transformed(new QuantileTransform.Logarithm());
                case OPTIMAL_BEST ->
                    Arrays.stream(quantile).map(optimal(true, kl, cells)).toArray();
                case OPTIMAL_WORST ->
                    Arrays.stream(quantile).map(optimal(false, kl, cells)).toArray();
            };
        }

        private double[] transformed(QuantileTransform transform) {
            try (var _ = new Scope()) {
                return transform.apply(Tensor.of(quantile, quantile.length)).toDoubles();
            }
        }

        /// The base re-weighted by `exp(tilt·worth)`, the tilt found by halving: the divergence grows with it.
        private double[] tilted(double[] worth, double kl) {
            double[] policy = base;
            double low = Math.log(1e-4);
            double high = Math.log(1e8);
            for (int i = 0; i < 60; i++) {
                double middle = (low + high) / 2;
                policy = reweighted(worth, base, answers, Math.exp(middle));
                if (divergence(policy) < kl) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            return policy;
        }

        private double divergence(double[] policy) {
            return IntStream.range(0, base.length)
                            .filter(i -> policy[i] > 0)
                            .mapToDouble(i -> policy[i] * Math.log(policy[i] / base[i]))
                            .sum()
                    / prompts;
        }
    }

    /// Row by row.
    private static double[] reweighted(double[] worth, double[] base, int width, double tilt) {
        double[] policy = new double[base.length];
        for (int from = 0; from < base.length; from += width) {
            double top = Arrays.stream(worth, from, from + width).max().orElseThrow();
            double total = 0;
            for (int i = from; i < from + width; i++) {
                policy[i] = base[i] * Math.exp(tilt * (worth[i] - top));
                total += policy[i];
            }
            for (int i = from; i < from + width; i++) {
                policy[i] /= total;
            }
        }
        return policy;
    }

    /// The optimal transform of the continuous limit at a divergence: `Φ(u) = N² ∫_0^u (v F(v))^(N-1) dv` for
    /// the best of N, `N² ∫_0^u ((1-v)(1-F(v)))^(N-1) dv` for the worst, F the distribution of the quantile
    /// under the policy that Φ makes. Both are found together: the tilt is halved towards the divergence while
    /// the density, by half in its logarithm, follows.
    static DoubleUnaryOperator optimal(boolean best, double kl, int cells) {
        double[] worth = new double[cells];
        double low = Math.log(1e-2);
        double high = Math.log(1e3);
        for (int i = 0; i < 40; i++) {
            double middle = (low + high) / 2;
            double[] logDensity = settled(best, Math.exp(middle), cells);
            worth = transform(best, logDensity);
            double divergence = 0;
            for (double d : logDensity) {
                divergence += Math.exp(d) * d / cells;
            }
            if (divergence < kl) {
                low = middle;
            } else {
                high = middle;
            }
        }
        double[] found = worth;
        return u -> found[Math.min(cells - 1, (int) (u * cells))];
    }

    private static double[] settled(boolean best, double tilt, int cells) {
        double[] logDensity = new double[cells];
        double[] flat = new double[cells];
        Arrays.fill(flat, 1.0 / cells);
        for (int i = 0; i < 60; i++) {
            double[] next = reweighted(transform(best, logDensity), flat, cells, tilt);
            double total = 0;
            for (int k = 0; k < cells; k++) {
                logDensity[k] = (logDensity[k] + Math.log(Math.max(next[k] * cells, 1e-300))) / 2;
                total += Math.exp(logDensity[k]) / cells;
            }
            for (int k = 0; k < cells; k++) {
                logDensity[k] -= Math.log(total);
            }
        }
        return logDensity;
    }

    private static double[] transform(boolean best, double[] logDensity) {
        int cells = logDensity.length;
        double[] worth = new double[cells];
        double below = 0;
        double sum = 0;
        for (int k = 0; k < cells; k++) {
            double cell = Math.exp(logDensity[k]) / cells;
            double v = (k + 0.5) / cells;
            double f = below + cell / 2;
            double slope = N * N * Math.pow(best ? v * f : (1 - v) * (1 - f), N - 1);
            worth[k] = sum + slope / cells / 2;
            sum += slope / cells;
            below += cell;
        }
        return worth;
    }
}

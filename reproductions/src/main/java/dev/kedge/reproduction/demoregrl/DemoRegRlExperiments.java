package dev.kedge.reproduction.demoregrl;

import dev.kedge.env.mdp.BackwardInduction;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.VisitBonus;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.recipe.demonstration.Cloning;
import dev.kedge.recipe.demonstration.DemoRegRlBench;
import dev.kedge.recipe.demonstration.DemoRegRlBench.Demonstrations;
import dev.kedge.recipe.demonstration.DemoRegRlBench.PlannedPolicy;
import dev.kedge.recipe.demonstration.DemoRegRlBench.Trial;
import dev.kedge.recipe.demonstration.DemoRegRlConfig;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Arm;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Preferences;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Strength;
import dev.kedge.recipe.demonstration.FiniteEnvironment;
import dev.kedge.recipe.demonstration.UcbviEnt.Planner;
import dev.kedge.run.result.Frontier;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.hipparchus.stat.regression.SimpleRegression;

/// The experiments behind the claims of demonstration-regularized learning beside [DemoRegRlRiver]: clones, rewards
/// from preferences, linear processes. Values are exact, demonstrations and episodes are drawn.
public final class DemoRegRlExperiments {
    /// Of rewards learnt from preferences: the best of 0.1, 0.2, 0.3, 0.5 and 1 for 200 pairs, seed 1001.
    static final double STRENGTH = 0.5;

    static final FiniteEnvironment RIVER = new FiniteEnvironment.RiverSwim(8, 12, 0.9, 0.05, 1);
    static final Cloning LAPLACE = new Cloning.Counts(1);
    private static final Planner LIGHT = new Planner.Tabular(new VisitBonus.Light(0.1));

    private DemoRegRlExperiments() {}

    /// How large the experiments are.
    ///
    /// @param repetitions of a seed, whose mean and spread count
    /// @param at          episodes after which policies are judged, five, rising; the last is when learning ends
    /// @param draws       of demonstrations for a clone
    /// @param judged      repetitions of learning rewards
    /// @param pairs       numbers of labelled pairs, three, rising
    /// @param linear      episodes in a linear environment
    public record Scale(int repetitions, List<Integer> at, int draws, int judged, List<Integer> pairs, int linear) {
        static final Scale PUBLISHED = new Scale(6, List.of(10, 25, 50, 100, 400), 10, 3, List.of(50, 200, 1000), 60);

        int episodes() {
            return at.getLast();
        }
    }

    static DemoRegRlConfig config(
            FiniteEnvironment environment,
            List<Integer> demonstrations,
            Cloning cloning,
            Planner planner,
            int episodes,
            Optional<Preferences> preferences) {
        return new DemoRegRlConfig(
                environment,
                0.05,
                demonstrations,
                cloning,
                planner,
                List.of(new Arm.Clone()),
                episodes,
                Optional.empty(),
                List.of(),
                preferences,
                2,
                1,
                0);
    }

    /// How the divergence of a clone falls.
    static Experiment cloning(Scale s) {
        var description = "A random process a seed, 8 states, 3 actions with 3 successors each, 8 stages; the expert "
                + "is the best policy with 5 % of random actions. KLtraj(expert||clone), Laplace's rule, after "
                + "20, 80, 320 and 1280 demonstrations, mean of " + s.draws + " draws.";
        return new Experiment("cloning", description, 12, seed -> cloning(s, seed));
    }

    private static Outcome cloning(Scale s, long seed) {
        List<Integer> numbers = List.of(20, 80, 320, 1280);
        FiniteEnvironment environment = new FiniteEnvironment.Garnet(8, 3, 3, 8, seed);
        DemoRegRlBench bench = DemoRegRlBench.of(config(environment, numbers, LAPLACE, LIGHT, 1, Optional.empty()));
        double[] kl = new double[numbers.size()];
        for (int draw = 0; draw < s.draws; draw++) {
            Demonstrations demonstrations = bench.demonstrate(Streams.of(seed, "draw", draw));
            for (int i = 0; i < kl.length; i++) {
                List<MdpPolicy> clone = bench.clone(demonstrations.expert().subList(0, numbers.get(i)));
                kl[i] += BackwardInduction.trajectoryKl(bench.environment(), bench.expert(), clone) / s.draws;
            }
        }
        var slope = new SimpleRegression();
        double largest = 0;
        List<Frontier.Point> points = new ArrayList<>();
        for (int i = 0; i < kl.length; i++) {
            slope.addData(Math.log(numbers.get(i)), Math.log(kl[i]));
            largest = Math.max(largest, kl[i] * numbers.get(i) / (8 * 3 * 8));
            points.add(Frontier.Point.of(Math.log(numbers.get(i)), Math.log(kl[i])));
        }
        return Outcome.NOTHING
                .with("slope", slope.getSlope())
                .with("KLtraj over S·A·H/N", largest)
                .with(new Frontier(
                        "Divergence of a clone",
                        "log of the demonstrations",
                        "log KLtraj(expert||clone)",
                        List.of(new Frontier.Arm("clone", points))));
    }

    static String value(double lambda, int pairs) {
        return "value, λ " + lambda + ", " + pairs + " pairs";
    }

    static String lowValue(double lambda, int pairs) {
        return value(lambda, pairs) + ", unseen rewards 0";
    }

    static String exploredValue(double lambda, int pairs) {
        return value(lambda, pairs) + ", explored";
    }

    /// Rewards from preferences.
    static Experiment preferences(Scale s) {
        var description = "The same river swim; rewards are not known but learnt: Bradley-Terry labels on pairs of "
                + "trajectories of the clone of 20 demonstrations, the likeliest rewards in [0, 1], 1/2 (or 0, "
                + "where it says so) where pairs tell nothing. Planned on the true transitions, or explored "
                + "for " + s.at.get(3) + " episodes. Values are true ones. λ " + STRENGTH + " was the best for "
                + "200 pairs on other seeds. Each seed is the mean of " + s.judged + " repetitions.";
        return new Experiment("preferences", description, 12, seed -> preferences(s, seed));
    }

    private static Outcome preferences(Scale s, long seed) {
        List<Double> strengths = List.of(0.0, STRENGTH);
        List<Double> picture = List.of(0.0, 0.03, 0.1, STRENGTH, 1.0);
        Map<String, List<PlannedPolicy>> known =
                judged(s, new Preferences(20, s.pairs, picture, 0.5, 0), seed, p -> value(p.lambda(), p.pairs()));
        Map<String, List<PlannedPolicy>> low =
                judged(s, new Preferences(20, s.pairs, strengths, 0, 0), seed, p -> lowValue(p.lambda(), p.pairs()));
        Map<String, List<PlannedPolicy>> explored = judged(
                s,
                new Preferences(20, List.of(s.pairs.get(1)), strengths, 0.5, s.at.get(3)),
                seed,
                p -> exploredValue(p.lambda(), p.pairs()));
        Outcome outcome = Outcome.NOTHING;
        for (var results : List.of(known, low, explored)) {
            for (var entry : results.entrySet()) {
                outcome = outcome.with(entry.getKey(), mean(numbers(entry.getValue(), PlannedPolicy::value)));
            }
        }
        Map<Integer, List<Frontier.Point>> arms = new LinkedHashMap<>();
        known.values().forEach(some -> arms.computeIfAbsent(some.getFirst().pairs(), _ -> new ArrayList<>())
                .add(new Frontier.Point(
                        mean(numbers(some, PlannedPolicy::kl)),
                        Estimate.of(mean(numbers(some, PlannedPolicy::value))),
                        "λ " + some.getFirst().lambda())));
        return outcome.with(new Frontier(
                "Value of a plan for learnt rewards",
                "KLtraj(policy||clone), nats",
                "true value",
                arms.entrySet().stream()
                        .map(e -> new Frontier.Arm(e.getKey() + " pairs", e.getValue()))
                        .toList()));
    }

    private static Map<String, List<PlannedPolicy>> judged(
            Scale s, Preferences preferences, long seed, Function<PlannedPolicy, String> name) {
        DemoRegRlBench bench =
                DemoRegRlBench.of(config(RIVER, List.of(20), LAPLACE, LIGHT, 1, Optional.of(preferences)));
        Map<String, List<PlannedPolicy>> results = new LinkedHashMap<>();
        for (int i = 0; i < s.judged; i++) {
            long repetition = Streams.of(seed, "repetition", i);
            Demonstrations demonstrations = bench.demonstrate(repetition);
            bench.plan(preferences, demonstrations, repetition)
                    .forEach(one -> results.computeIfAbsent(name.apply(one), _ -> new ArrayList<>())
                            .add(one));
        }
        return results;
    }

    /// A process that is linear in features, which the linear learner and the linear clone are told.
    static Experiment linear(Scale s) {
        var description = "A random process of rank 4 a seed, 30 states, 4 actions, 6 stages; 20 demonstrations of the "
                + "best policy with 5 % of random actions, ε 0.3, " + s.linear + " episodes, mean of "
                + s.judged + " repetitions. Linear: ridge regression on the process's 4 features, ridge 0.1, "
                + "bonus " + LINEAR_BONUS + " (H - h) ||φ||; softmax-linear clone, ridge 0.1, 5 % uniform. "
                + "Tabular: bonus " + TABULAR_BONUS + " (H - h)/sqrt(n), Laplace's clone. Gaps are in parts of "
                + "that of the uniform policy.";
        return new Experiment("linear", description, 12, seed -> linear(s, seed));
    }

    private static final Arm HELD = new Arm.Regularized(new Strength.Matched(0.3));

    /// Each the best of 0.01, 0.03, 0.1 and 0.3 in the environments of seeds 1001 to 1003.
    private static final double LINEAR_BONUS = 0.01;

    private static final double TABULAR_BONUS = 0.1;

    private static Outcome linear(Scale s, long seed) {
        FiniteEnvironment environment = new FiniteEnvironment.Linear(30, 4, 4, 6, seed);
        Outcome outcome = Outcome.NOTHING;
        for (boolean linear : new boolean[] {true, false}) {
            Planner planner = linear
                    ? new Planner.Linear(false, 0.1, LINEAR_BONUS)
                    : new Planner.Tabular(new VisitBonus.Hoeffding(TABULAR_BONUS));
            Cloning cloning = linear ? new Cloning.SoftmaxLinear(0.1, 0.05) : LAPLACE;
            DemoRegRlBench bench =
                    DemoRegRlBench.of(config(environment, List.of(20), cloning, planner, s.linear, Optional.empty()));
            double uniform = bench.best()
                    - bench.value(
                            DemoRegRlBench.of(config(environment, List.of(20), LAPLACE, planner, 1, Optional.empty()))
                                    .clone(List.of()));
            List<Trial> trials = new ArrayList<>();
            for (int i = 0; i < s.judged; i++) {
                long repetition = Streams.of(seed, "repetition", i);
                Demonstrations demonstrations = bench.demonstrate(repetition);
                trials.add(bench.trial(HELD, 20, demonstrations, repetition));
            }
            String name = linear ? "linear" : "tabular";
            outcome = outcome.with(
                            name + " gap",
                            mean(numbers(trials, t -> (bench.best() - t.result().value()[s.linear]) / uniform)))
                    .with(name + " divergence", mean(numbers(trials, Trial::divergence)));
        }
        return outcome;
    }

    static <T> double[] numbers(List<T> some, ToDoubleFunction<T> number) {
        return some.stream().mapToDouble(number).toArray();
    }

    static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }
}

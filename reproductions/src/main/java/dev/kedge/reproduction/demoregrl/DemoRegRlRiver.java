package dev.kedge.reproduction.demoregrl;

import static dev.kedge.reproduction.demoregrl.DemoRegRlExperiments.LAPLACE;
import static dev.kedge.reproduction.demoregrl.DemoRegRlExperiments.RIVER;
import static dev.kedge.reproduction.demoregrl.DemoRegRlExperiments.config;
import static dev.kedge.reproduction.demoregrl.DemoRegRlExperiments.mean;
import static dev.kedge.reproduction.demoregrl.DemoRegRlExperiments.numbers;

import dev.kedge.env.mdp.VisitBonus;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.recipe.demonstration.DemoRegRlBench;
import dev.kedge.recipe.demonstration.DemoRegRlBench.Demonstrations;
import dev.kedge.recipe.demonstration.DemoRegRlBench.Trial;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Arm;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Strength;
import dev.kedge.recipe.demonstration.UcbviEnt.Planner;
import dev.kedge.reproduction.demoregrl.DemoRegRlExperiments.Scale;
import dev.kedge.run.result.Frontier;
import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.hipparchus.stat.descriptive.moment.StandardDeviation;
import org.hipparchus.stat.regression.SimpleRegression;

/// Demonstration-regularized learning and what it competes with on a river swim: the experiments behind claims about
/// episodes.
final class DemoRegRlRiver {
    static final Arm UCBVI = new Arm.Greedy(false);
    static final Arm EXPLORING = new Arm.Greedy(true);
    static final Arm UNIFORM = new Arm.Uniform(0.1);
    static final Arm TIGHT = new Arm.Regularized(new Strength.Matched(0.3));
    static final Arm LOOSE = new Arm.Regularized(new Strength.Matched(1));
    static final Arm SHRINKING = new Arm.Regularized(new Strength.Shrinking(1, 10));
    static final Arm COUNTED = new Arm.Counted(true);
    static final Arm MISLED = new Arm.Misled(new Strength.Matched(0.3));
    static final Arm CLONE = new Arm.Clone();

    private static final Map<Arm, Double> BONUSES =
            Map.of(UCBVI, 0.02, EXPLORING, 0.01, UNIFORM, 0.01, TIGHT, 0.01, SHRINKING, 0.005, COUNTED, 0.005);

    /// Of the arms in the names of numbers, of which there are many.
    private static final Map<Arm, String> CODES = Map.of(
            UCBVI, "ucbvi",
            EXPLORING, "exploring",
            UNIFORM, "uniform",
            TIGHT, "eps 0.3",
            LOOSE, "eps 1",
            SHRINKING, "shrinking",
            COUNTED, "counted",
            MISLED, "misled",
            CLONE, "clone");

    private DemoRegRlRiver() {}

    static String gap(Arm arm, int demonstrations, int episodes) {
        return "gap at " + episodes + ", " + CODES.get(arm) + ", N " + demonstrations;
    }

    static String spread(Arm arm, int demonstrations, int episodes) {
        return "spread at " + episodes + ", " + CODES.get(arm) + ", N " + demonstrations;
    }

    static String episodes(Arm arm, int demonstrations, double gap) {
        return "episodes to " + gap + ", " + CODES.get(arm) + ", N " + demonstrations;
    }

    static String name(Arm arm, int demonstrations) {
        return arm.needsDemonstrations() ? arm.title() + ", " + demonstrations + " demonstrations" : arm.title();
    }

    /// The river swim with one bonus for all.
    static Experiment river(Scale s) {
        Map<Arm, List<Integer>> arms = new LinkedHashMap<>();
        arms.put(UCBVI, List.of(0));
        arms.put(EXPLORING, List.of(0));
        arms.put(UNIFORM, List.of(0));
        arms.put(TIGHT, List.of(5, 20, 80));
        arms.put(LOOSE, List.of(20, 80));
        arms.put(SHRINKING, List.of(5, 20, 80));
        arms.put(COUNTED, List.of(20, 80));
        arms.put(MISLED, List.of(20));
        arms.put(CLONE, List.of(5, 20, 80));
        String description = description(s) + " The bonus's scale is 0.1 for all.";
        return new Experiment("river-swim", description, 12, seed -> river(s, arms, _ -> 0.1, seed));
    }

    /// The river swim with the bonus that suits each method best.
    static Experiment tuned(Scale s) {
        Map<Arm, List<Integer>> arms = new LinkedHashMap<>();
        arms.put(UCBVI, List.of(0));
        arms.put(EXPLORING, List.of(0));
        arms.put(UNIFORM, List.of(0));
        arms.put(TIGHT, List.of(5, 20, 80));
        arms.put(SHRINKING, List.of(5, 20, 80));
        arms.put(COUNTED, List.of(20, 80));
        String description = description(s)
                + arms.keySet().stream()
                        .map(arm -> arm.title() + " " + BONUSES.get(arm))
                        .collect(Collectors.joining(
                                ", ",
                                " The bonus's scale is for each method the one of 0.005, 0.01, 0.02, 0.05, 0.1 and"
                                        + " 0.2 with the highest mean of values after 24, 48, 102 and 396 episodes with"
                                        + " 20 demonstrations, on other seeds: ",
                                "."));
        return new Experiment("river-swim-tuned", description, 12, seed -> river(s, arms, BONUSES::get, seed));
    }

    private static String description(Scale s) {
        return "River swim of 8 states and 12 stages, strokes succeed with probability 0.9, rewards 1 and "
                + "0.05; the expert is the best policy with 5 % of random actions. " + s.episodes()
                + " episodes; the bonus is a scale times (sqrt(Var L/n) + (H - h) L/n), L = 1 + log(1 + n); "
                + "values are clipped at H - h. ε over the exact KLtraj(expert||clone) is the strength, which "
                + "an oracle knows; shrinking over 10: after t episodes divided by 1 + t/10. Ties are broken "
                + "at random. Each seed is the mean of " + s.repetitions() + " repetitions; the spread is the "
                + "standard deviation among them. Episodes to a gap are counted until it is below for good, as "
                + "one more than there were where it never is.";
    }

    private static Outcome river(Scale s, Map<Arm, List<Integer>> arms, ToDoubleFunction<Arm> bonus, long seed) {
        DemoRegRlBench bench = riverBench(s, 0.1);
        List<Demonstrations> lessons = new ArrayList<>();
        for (int i = 0; i < s.repetitions(); i++) {
            lessons.add(bench.demonstrate(Streams.of(seed, "repetition", i)));
        }
        Outcome outcome = Outcome.NOTHING;
        List<Frontier.Arm> curves = new ArrayList<>();
        var slope = new SimpleRegression();
        for (var entry : arms.entrySet()) {
            Arm arm = entry.getKey();
            DemoRegRlBench own = riverBench(s, bonus.applyAsDouble(arm));
            for (int n : entry.getValue()) {
                List<Trial> trials = new ArrayList<>();
                for (int i = 0; i < s.repetitions(); i++) {
                    trials.add(own.trial(arm, n, lessons.get(i), Streams.of(seed, "repetition", i)));
                }
                List<Frontier.Point> points = new ArrayList<>();
                for (int t : s.at()) {
                    double[] gaps = numbers(
                            trials, trial -> bench.best() - trial.result().value()[t]);
                    outcome = outcome.with(gap(arm, n, t), mean(gaps));
                    if (t == s.at().get(1)) {
                        outcome = outcome.with(spread(arm, n, t), new StandardDeviation().evaluate(gaps));
                    }
                    points.add(Frontier.Point.of(t, mean(gaps)));
                }
                for (double gap : new double[] {1, 0.3}) {
                    double wanted = bench.best() - gap;
                    double count = mean(numbers(trials, trial -> trial.result().episodesTo(wanted)));
                    outcome = outcome.with(episodes(arm, n, gap), count);
                    if (gap == 0.3 && arm.equals(SHRINKING)) {
                        slope.addData(Math.log(n), Math.log(count));
                    }
                }
                if (arm.equals(EXPLORING) || arm.equals(TIGHT) || arm.equals(UNIFORM)) {
                    curves.add(new Frontier.Arm(name(arm, n), points));
                }
            }
        }
        return outcome.with("what the inequality allows", 1.0)
                .with("slope", slope.getSlope())
                .with(new Frontier("Gap to the best policy", "episodes", "V* - V", curves));
    }

    private static DemoRegRlBench riverBench(Scale s, double bonus) {
        Planner planner = new Planner.Tabular(new VisitBonus.Light(bonus));
        return DemoRegRlBench.of(config(RIVER, List.of(5, 20, 80), LAPLACE, planner, s.episodes(), Optional.empty()));
    }
}

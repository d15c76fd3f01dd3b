package dev.kedge.recipe.demonstration;

import dev.kedge.env.mdp.BackwardInduction;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.Regularizer;
import dev.kedge.recipe.demonstration.DemoRegRlBench.PlannedPolicy;
import dev.kedge.recipe.demonstration.DemoRegRlBench.Trial;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Arm;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Strength;
import dev.kedge.run.Run;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Streams;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What a run of [DemoRegRlRecipe] found: curves of the gap, episodes until it is small, and the frontier of value and
/// divergence.
///
/// @param clones by number of demonstrations, one a repetition
/// @param trials by title, one a repetition
/// @param planned likewise
record DemoRegRlSummary(
        DemoRegRlConfig config,
        DemoRegRlBench bench,
        Map<Integer, List<List<MdpPolicy>>> clones,
        Map<String, List<Trial>> trials,
        Map<String, List<PlannedPolicy>> planned) {
    private static final int POINTS = 60;

    /// Writes the means over repetitions to metrics.jsonl, episode by episode, an arm a phase.
    void log(Run run) {
        int every = Math.max(1, config.episodes() / POINTS);
        trials.forEach((title, some) -> {
            for (int t = 0; t <= config.episodes(); t += every) {
                int episode = t;
                Map<String, Double> metrics = new LinkedHashMap<>();
                metrics.put("value", mean(some, trial -> trial.result().value()[episode]));
                metrics.put("gap", mean(some, trial -> gap(trial, episode)));
                if (some.stream()
                        .allMatch(trial -> Double.isFinite(trial.result().bound()[episode]))) {
                    metrics.put("gap_bound", mean(some, trial -> trial.result().bound()[episode]));
                }
                run.log(title, t, metrics);
            }
        });
    }

    /// The policy that the first regularised arm came to with the most demonstrations in the first repetition, as
    /// `policy.csv`: a line for each stage, state and action, with its probability.
    void save(Path folder) {
        if (own().isEmpty()) {
            return;
        }
        StringBuilder lines = new StringBuilder("stage,state,action,probability\n");
        List<MdpPolicy> policies = own().get().getFirst().result().policies();
        for (int h = 0; h < policies.size(); h++) {
            for (int s = 0; s < policies.get(h).states(); s++) {
                for (int a = 0; a < policies.get(h).actions(); a++) {
                    lines.append(h).append(',').append(s).append(',').append(a).append(',');
                    lines.append(policies.get(h).probability(s, a)).append('\n');
                }
            }
        }
        try {
            Files.writeString(folder.resolve("policy.csv"), lines);
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": policy.csv cannot be written", e);
        }
    }

    private Optional<List<Trial>> own() {
        Optional<Arm> first = first(Arm.Regularized.class);
        return trials.values().stream()
                .filter(some -> first.equals(Optional.of(some.getFirst().arm())))
                .max(Comparator.comparingInt(some -> some.getFirst().demonstrations()));
    }

    Summary of(double seconds) {
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, Streams.of(config.seed(), "bootstrap"));
        double expert = bench.value(bench.expert());
        Summary summary = Summary.of("demo-reg-rl", Summary.Status.FINISHED, seconds)
                .title("Reinforcement learning held to a clone of demonstrations")
                .verdict(verdict(own(), expert))
                .frontier(curves(bootstrap, expert));
        if (!config.demonstrations().isEmpty()) {
            for (double threshold : config.thresholds()) {
                Frontier complexity = complexity(bootstrap, threshold);
                summary = complexity.arms().isEmpty() ? summary : summary.frontier(complexity);
            }
            summary = summary.frontier(frontier(bootstrap));
        }
        if (!planned.isEmpty()) {
            summary = summary.frontier(preferences(bootstrap));
        }
        summary = summary.fact("value_of_the_best_policy", "value of the best policy", bench.best(), "", "exact")
                .fact("value_of_the_expert", "value of the expert", expert, "", "exact");
        for (int n : config.demonstrations()) {
            List<List<MdpPolicy>> ofN = clones.get(n);
            summary = summary.fact(
                            Summary.key("value_of_the_clone_of", n),
                            "value of the clone of " + n,
                            interval(bootstrap, ofN, bench::value),
                            "",
                            "mean over repetitions")
                    .fact(
                            Summary.key("trajectory_kl_of_the_clone_of", n),
                            "KLtraj(expert||clone of " + n + ")",
                            interval(
                                    bootstrap,
                                    ofN,
                                    clone ->
                                            BackwardInduction.trajectoryKl(bench.environment(), bench.expert(), clone)),
                            "nats",
                            "S·A·H/N is " + cells() / n);
        }
        for (var entry : trials.entrySet()) {
            List<Trial> some = entry.getValue();
            summary = summary.fact(
                    Summary.key("gap", key(some.getFirst())),
                    "gap of " + entry.getKey(),
                    interval(bootstrap, some, trial -> gap(trial, config.episodes())),
                    "",
                    String.format(
                            Locale.ROOT,
                            "after %.0f episodes%s",
                            mean(some, trial -> trial.result().played()),
                            some.getFirst().lambda() == 0
                                    ? ""
                                    : String.format(
                                            Locale.ROOT,
                                            "; lambda %.3g, lambda·KLtraj %.3g",
                                            mean(some, Trial::lambda),
                                            mean(some, trial -> trial.lambda() * trial.divergence()))));
        }
        return summary.note("Strengths by ε are ε over the exact KLtraj(expert||clone): an oracle's choice, but for"
                        + " those `by the bound`.")
                .note("Gaps and divergences are exact; intervals are over repetitions. Episodes are counted until the"
                        + " gap is small for good; where it never is, as one more than there were.");
    }

    private String verdict(Optional<List<Trial>> own, double expert) {
        String others = trials.values().stream()
                .filter(some -> some.getFirst().arm() instanceof Arm.Greedy)
                .findFirst()
                .map(some ->
                        String.format(Locale.ROOT, " UCBVI without demonstrations has %.2f.", mean(some, this::end)))
                .orElse("");
        return own.map(some -> String.format(
                                Locale.ROOT,
                                "The best policy is worth %.2f, the expert %.2f, the clone of %d demonstrations %.2f;"
                                        + " %d episodes later the policy held to that clone is worth %.2f.",
                                bench.best(),
                                expert,
                                some.getFirst().demonstrations(),
                                mean(clones.get(some.getFirst().demonstrations()), bench::value),
                                config.episodes(),
                                mean(some, this::end)))
                        .orElse(String.format(Locale.ROOT, "The best policy is worth %.2f.", bench.best()))
                + others;
    }

    /// The gap at a few episodes of the methods that explore: of those that are regularised, the first strength with
    /// every number of demonstrations.
    private Frontier curves(Bootstrap bootstrap, double expert) {
        List<Frontier.Arm> arms = new ArrayList<>();
        shown().forEach((title, some) -> arms.add(new Frontier.Arm(
                title,
                episodes()
                        .mapToObj(t -> new Frontier.Point(t, interval(bootstrap, some, trial -> gap(trial, t)), ""))
                        .toList())));
        if (!config.demonstrations().isEmpty()) {
            arms.add(new Frontier.Arm(
                    "the clones",
                    config.demonstrations().stream()
                            .map(n -> new Frontier.Point(
                                    0, Estimate.of(bench.best() - mean(clones.get(n), bench::value)), "of " + n))
                            .toList()));
        }
        double gap = bench.best() - expert;
        return new Frontier(
                "Gap to the best policy"
                        + first(Arm.Regularized.class)
                                .map(arm -> ", " + arm.title())
                                .orElse(""),
                "episodes",
                "V* - V",
                arms,
                List.of(
                        new Frontier.Point(0, Estimate.of(gap), "the expert"),
                        new Frontier.Point(config.episodes(), Estimate.of(gap), "")));
    }

    private IntStream episodes() {
        return Stream.of(0, 10, 25, 50, 100, 200, 400, 1000, 2000, config.episodes())
                .mapToInt(t -> t)
                .filter(t -> t <= config.episodes())
                .distinct();
    }

    private Map<String, List<Trial>> shown() {
        Optional<Arm> own = first(Arm.Regularized.class);
        Optional<Arm> greedy = first(Arm.Greedy.class);
        Map<String, List<Trial>> shown = new LinkedHashMap<>();
        trials.forEach((title, some) -> {
            Optional<Arm> arm = Optional.of(some.getFirst().arm());
            if (arm.equals(own)) {
                shown.put("clone of " + some.getFirst().demonstrations(), some);
            } else if (arm.equals(greedy) || arm.get() instanceof Arm.Uniform) {
                shown.put(title, some);
            }
        });
        return shown;
    }

    private Optional<Arm> first(Class<? extends Arm> kind) {
        return config.arms().stream().filter(kind::isInstance).findFirst();
    }

    /// Episodes until the gap is below a threshold, against the number of demonstrations.
    private Frontier complexity(Bootstrap bootstrap, double threshold) {
        List<Frontier.Arm> arms = config.arms().stream()
                .filter(arm -> arm instanceof Arm.Regularized || arm instanceof Arm.Counted)
                .map(arm -> new Frontier.Arm(
                        arm.title(),
                        trials.values().stream()
                                .filter(some -> some.getFirst().arm().equals(arm))
                                .map(some -> new Frontier.Point(
                                        some.getFirst().demonstrations(), episodes(bootstrap, some, threshold), ""))
                                .toList()))
                .toList();
        List<Frontier.Point> without = trials.entrySet().stream()
                .filter(entry -> entry.getValue().getFirst().arm() instanceof Arm.Greedy)
                .limit(1)
                .flatMap(entry -> IntStream.concat(
                                IntStream.of(0),
                                config.demonstrations().stream().mapToInt(n -> n))
                        .mapToObj(n -> new Frontier.Point(
                                n,
                                Estimate.of(mean(entry.getValue(), trial -> trial.result()
                                        .episodesTo(bench.best() - threshold))),
                                entry.getKey())))
                .toList();
        return new Frontier(
                "Episodes until the gap is below " + threshold + " for good",
                "demonstrations",
                "episodes",
                arms,
                without);
    }

    private Estimate episodes(Bootstrap bootstrap, List<Trial> some, double threshold) {
        return interval(bootstrap, some, trial -> trial.result().episodesTo(bench.best() - threshold));
    }

    /// Value and divergence from the clone of the most demonstrations at the end, beside what is best at each
    /// divergence.
    private Frontier frontier(Bootstrap bootstrap) {
        int most = config.demonstrations().stream().mapToInt(n -> n).max().orElseThrow();
        List<List<MdpPolicy>> references = clones.get(most);
        Map<String, List<Frontier.Point>> arms = new LinkedHashMap<>();
        trials.forEach(
                (title, some) -> arms.computeIfAbsent(some.getFirst().arm().title(), _ -> new ArrayList<>())
                        .add(new Frontier.Point(
                                meanKl(
                                        some.stream()
                                                .map(trial -> trial.result().policies())
                                                .toList(),
                                        references),
                                interval(bootstrap, some, this::end),
                                some.getFirst().demonstrations() == 0
                                        ? ""
                                        : "N " + some.getFirst().demonstrations())));
        List<Frontier.Point> optimum = new ArrayList<>();
        for (double lambda = 100; lambda > 0.005; lambda /= 1.6) {
            Regularizer regularizer = new Regularizer.Kl(lambda);
            List<List<MdpPolicy>> held = references.stream()
                    .map(clone -> BackwardInduction.optimal(bench.environment(), clone, regularizer)
                            .policies())
                    .toList();
            optimum.add(Frontier.Point.of(meanKl(held, references), mean(held, bench::value)));
        }
        return new Frontier(
                "Value against divergence from the clone of " + most,
                "KLtraj(policy || clone), nats",
                "value",
                Frontier.arms(arms),
                optimum);
    }

    /// `KLtraj` of policies from their references, one each: the mean.
    private double meanKl(List<List<MdpPolicy>> policies, List<List<MdpPolicy>> references) {
        return IntStream.range(0, policies.size())
                .mapToDouble(
                        i -> BackwardInduction.trajectoryKl(bench.environment(), policies.get(i), references.get(i)))
                .average()
                .orElseThrow();
    }

    /// Policies planned on learnt rewards: a line for each number of pairs, a point for each strength.
    private Frontier preferences(Bootstrap bootstrap) {
        Map<String, List<Frontier.Point>> arms = new LinkedHashMap<>();
        planned.values()
                .forEach(some -> arms.computeIfAbsent(some.getFirst().pairs() + " pairs", _ -> new ArrayList<>())
                        .add(new Frontier.Point(
                                mean(some, PlannedPolicy::kl),
                                interval(bootstrap, some, PlannedPolicy::value),
                                "λ " + some.getFirst().lambda())));
        return new Frontier(
                "Rewards learnt from preferences: true value against divergence from the clone",
                "KLtraj(policy || clone), nats",
                "value",
                Frontier.arms(arms),
                List.of());
    }

    private int cells() {
        return bench.environment().horizon()
                * bench.environment().states()
                * bench.environment().actions();
    }

    private double gap(Trial trial, int episode) {
        return bench.best() - trial.result().value()[episode];
    }

    private double end(Trial trial) {
        return trial.result().value()[config.episodes()];
    }

    private static <T> double mean(List<T> some, ToDoubleFunction<T> number) {
        return some.stream().mapToDouble(number).average().orElseThrow();
    }

    private static <T> Estimate interval(Bootstrap bootstrap, List<T> some, ToDoubleFunction<T> number) {
        return bootstrap.bca(some.stream().mapToDouble(number).toArray());
    }

    /// What the facts about an arm are found by.
    private static String key(Trial trial) {
        String arm =
                switch (trial.arm()) {
                    case Arm.Greedy(boolean explores) -> explores ? "greedy_explores" : "greedy";
                    case Arm.Uniform(double lambda) -> "uniform_" + lambda;
                    case Arm.Regularized(Strength strength) -> "regularized_" + key(strength);
                    case Arm.Misled(Strength strength) -> "misled_" + key(strength);
                    case Arm.Clone _ -> "clone";
                    case Arm.Counted(boolean explores) -> explores ? "counted_explores" : "counted";
                };
        return trial.arm().needsDemonstrations() ? arm + "_n_" + trial.demonstrations() : arm;
    }

    private static String key(Strength strength) {
        return switch (strength) {
            case Strength.Given(double lambda) -> "given_" + lambda;
            case Strength.Matched(double eps) -> "matched_" + eps;
            case Strength.Bound(double eps) -> "bound_" + eps;
            case Strength.Shrinking(double eps, int half) -> "shrinking_" + eps + "_" + half;
        };
    }
}

package dev.kedge.lab.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.config.ConfigException;
import dev.kedge.lab.Jobs;
import dev.kedge.lab.compare.MethodComparison.Entry;
import dev.kedge.lab.report.Page;
import dev.kedge.lab.tabular.Bandit.Evaluation;
import dev.kedge.lab.tabular.Sweep;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.Terminal;
import dev.kedge.run.result.Frontier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Trains methods on the same tasks and compares them at equal divergence.
public final class Compare {
    /// Below this many seeds a bootstrap interval says next to nothing.
    public static final int FEWEST_SEEDS = 5;

    private Compare() {}

    /// Runs what is not done yet of every method, strength and seed, on all processors, and writes `results.json` and
    /// `report.html` into the folder. Other methods' results there stay.
    ///
    /// @param methods all different
    /// @throws ConfigException    if a method is not for the task or there twice, or the seeds are too few
    /// @throws RunFailedException if a method diverged at all of its strengths
    public static MethodComparison run(
            ComparisonTask task, List<ComparedMethod> methods, int seeds, Path folder, Terminal terminal) {
        methods.stream().filter(m -> !m.isFor(task)).findFirst().ifPresent(m -> {
            throw new ConfigException(refusal(task, m));
        });
        if (methods.stream().map(ComparedMethod::name).distinct().count() < methods.size()) {
            throw new ConfigException("a method is there twice: "
                    + String.join(
                            " ", methods.stream().map(ComparedMethod::name).toList()));
        }
        if (seeds < FEWEST_SEEDS) {
            throw new ConfigException("at least " + FEWEST_SEEDS + " seeds are needed, was " + seeds);
        }
        var jobs = new ArrayList<Jobs.Job>();
        for (var method : methods) {
            for (int seed = 1; seed <= seeds; seed++) {
                for (double strength : method.strengths()) {
                    jobs.add(job(task, method, strength, seed));
                }
            }
        }
        var comparison = comparison(task, methods, seeds, Jobs.run(folder, jobs, "compare", terminal));
        MethodComparisonJson.save(comparison, folder.resolve("results.json"));
        Page.write(folder.resolve("report.html"), MethodComparisonPage.html(comparison));
        return comparison;
    }

    private static String refusal(ComparisonTask task, ComparedMethod method) {
        return method.name() + " learns from rankings by reward, which the task `" + task.title()
                + "` does not have; for it there are: "
                + ComparedMethods.all().stream()
                        .filter(m -> m.isFor(task))
                        .map(m -> "`" + m.name() + "`")
                        .collect(Collectors.joining(", "));
    }

    private static Jobs.Job job(ComparisonTask task, ComparedMethod method, double strength, int seed) {
        return new Jobs.Job(
                method.name() + "-" + strength + "-seed-" + seed,
                method.description() + ". " + ComparedMethods.training(task),
                () -> {
                    var arena = task.arena(seed);
                    double[][] policy = method.training().policy(arena, strength, seed);
                    var json = write(arena.bandit().evaluate(policy));
                    return showsGap(task, method) ? json.put("gap", arena.dualityGap(policy, strength)) : json;
                });
    }

    private static boolean showsGap(ComparisonTask task, ComparedMethod method) {
        return task == ComparisonTask.GAME && method.aim() == ComparedMethod.Aim.WIN_RATE;
    }

    private static ObjectNode write(Evaluation s) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("kl", s.kl())
                .put("reward", s.reward())
                .put("entropy", s.entropy())
                .put("shortfall", s.shortfall());
    }

    private static Evaluation read(JsonNode json) {
        return new Evaluation(
                number(json, "kl"), number(json, "reward"), number(json, "entropy"), number(json, "shortfall"));
    }

    /// NaN, of a policy that diverged, is no number in JSON.
    private static double number(JsonNode json, String key) {
        return json.path(key).isNumber() ? json.path(key).doubleValue() : Double.NaN;
    }

    private static MethodComparison comparison(
            ComparisonTask task, List<ComparedMethod> methods, int seeds, List<Jobs.Done> done) {
        var results = done.stream().map(Jobs.Done::result).iterator();
        var entries = new ArrayList<Entry>();
        for (var method : methods) {
            var sweeps = new ArrayList<Sweep>();
            var gaps = new ArrayList<double[]>();
            for (int seed = 1; seed <= seeds; seed++) {
                var sweep = Stream.generate(results::next)
                        .limit(method.strengths().length)
                        .toList();
                sweeps.add(new Sweep(
                        method.strengths(), sweep.stream().map(Compare::read).toList()));
                gaps.add(sweep.stream().mapToDouble(r -> number(r, "gap")).toArray());
                if (sweeps.getLast().evaluations().stream().noneMatch(Evaluation::isFinite)) {
                    throw new RunFailedException(method.name() + " diverged at every strength with seed " + seed);
                }
            }
            entries.add(new Entry(method, sweeps, showsGap(task, method) ? gaps : List.of()));
        }
        return new MethodComparison(
                task,
                entries,
                IntStream.rangeClosed(1, seeds)
                        .<List<Frontier.Point>>mapToObj(
                                seed -> task.arena(seed).bandit().frontier())
                        .toList());
    }
}

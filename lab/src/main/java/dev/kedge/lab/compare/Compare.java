package dev.kedge.lab.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.kedge.lab.Frontier;
import dev.kedge.lab.Jobs;
import dev.kedge.lab.Page;
import dev.kedge.lab.compare.Contest.Entry;
import dev.kedge.lab.tabular.Bandit;
import dev.kedge.lab.tabular.Bandit.Standing;
import dev.kedge.lab.tabular.Sweep;
import dev.kedge.recipe.run.ConfigException;
import dev.kedge.recipe.run.Names;
import dev.kedge.recipe.run.RunFailedException;
import dev.kedge.recipe.run.Terminal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// Trains methods on the same tasks and compares them at equal divergence.
public final class Compare {
    /// The tasks that there are, by name.
    public static final List<String> TASKS = List.of("bandit");

    /// Below this many seeds a bootstrap interval says next to nothing.
    public static final int FEWEST_SEEDS = 5;

    private static final int CONTEXTS = 4;
    private static final int OUTCOMES = 50;

    private Compare() {}

    /// What a method is trained on and how, in words.
    public static String description() {
        return String.format(
                Locale.ROOT,
                "A bandit with %d contexts of %d outcomes, a random reference (softmax of standard normal "
                        + "logits) and standard normal rewards. Methods learn from the same %d pairs, drawn from the "
                        + "reference with Bradley-Terry labels; policies are tables of logits, trained from the "
                        + "reference by %d steps of AdamW on all pairs (learning rate %s, falling to 0). Reward, KL "
                        + "and the optimum are exact.",
                CONTEXTS,
                OUTCOMES,
                Methods.PAIRS,
                Methods.TRAINING.steps(),
                Methods.TRAINING.learningRate());
    }

    /// Runs what is not done yet of every method, strength and seed, on all processors, and writes `results.json` and
    /// `report.html` into the folder. Other methods' results there stay.
    ///
    /// @param methods all different
    /// @throws ConfigException    if the task is unknown, a method is there twice, or the seeds are too few
    /// @throws RunFailedException if a method diverged at all of its strengths
    public static Contest run(String task, List<Method> methods, int seeds, Path folder, Terminal terminal) {
        if (!TASKS.contains(task)) {
            throw new ConfigException("no task `" + task + "`" + Names.advice(task, TASKS));
        }
        if (methods.stream().map(Method::name).distinct().count() < methods.size()) {
            throw new ConfigException("a method is there twice: "
                    + String.join(" ", methods.stream().map(Method::name).toList()));
        }
        if (seeds < FEWEST_SEEDS) {
            throw new ConfigException("at least " + FEWEST_SEEDS + " seeds are needed, was " + seeds);
        }
        var jobs = new ArrayList<Jobs.Job>();
        for (var method : methods) {
            for (int seed = 1; seed <= seeds; seed++) {
                for (double strength : method.strengths()) {
                    jobs.add(job(method, strength, seed));
                }
            }
        }
        var contest = contest(methods, seeds, Jobs.run(folder, jobs, "compare", terminal));
        ContestJson.save(contest, folder.resolve("results.json"));
        Page.write(folder.resolve("report.html"), ContestPage.html(contest));
        return contest;
    }

    private static Bandit task(long seed) {
        return Bandit.random(CONTEXTS, OUTCOMES, seed);
    }

    private static Jobs.Job job(Method method, double strength, int seed) {
        return new Jobs.Job(
                method.name() + "-" + strength + "-seed-" + seed,
                method.description() + ". " + description(),
                () -> write(task(seed).standing(method.training().policy(task(seed), strength, seed))));
    }

    private static JsonNode write(Standing s) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("kl", s.kl())
                .put("reward", s.reward())
                .put("entropy", s.entropy())
                .put("shortfall", s.shortfall());
    }

    private static Standing read(JsonNode json) {
        return new Standing(
                number(json, "kl"), number(json, "reward"), number(json, "entropy"), number(json, "shortfall"));
    }

    /// NaN, of a policy that diverged, is no number in JSON.
    private static double number(JsonNode json, String key) {
        return json.path(key).isNumber() ? json.path(key).doubleValue() : Double.NaN;
    }

    private static Contest contest(List<Method> methods, int seeds, List<Jobs.Done> done) {
        var standings = done.iterator();
        var entries = new ArrayList<Entry>();
        for (var method : methods) {
            var sweeps = new ArrayList<Sweep>();
            for (int seed = 1; seed <= seeds; seed++) {
                var sweep = new Sweep(
                        method.strengths(),
                        IntStream.range(0, method.strengths().length)
                                .mapToObj(_ -> read(standings.next().result()))
                                .toList());
                if (sweep.standings().stream().noneMatch(Standing::isFinite)) {
                    throw new RunFailedException(method.name() + " diverged at every strength with seed " + seed);
                }
                sweeps.add(sweep);
            }
            entries.add(new Entry(method, sweeps));
        }
        return new Contest(
                entries,
                IntStream.rangeClosed(1, seeds)
                        .<List<Frontier.Point>>mapToObj(seed -> task(seed).frontier())
                        .toList());
    }
}

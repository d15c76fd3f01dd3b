package dev.kedge.cli;

import dev.kedge.lab.Jobs;
import dev.kedge.lab.compare.Compare;
import dev.kedge.lab.compare.ComparedMethod;
import dev.kedge.lab.compare.ComparedMethods;
import dev.kedge.lab.compare.ComparisonTask;
import dev.kedge.lab.compare.MethodComparison;
import dev.kedge.lab.compare.MethodComparisonJson;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.run.Terminal;
import dev.kedge.statistics.Estimate;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Draws methods on the frontier of reward and divergence.
@Command(
        name = "compare",
        description = "Train methods on the same task, each at many strengths, and draw what they reach.",
        mixinStandardHelpOptions = true,
        footer = {"", "A call that was stopped goes on where it stood when it is given again."})
final class CompareCommand implements Callable<Integer> {
    @Parameters(arity = "0..*", paramLabel = "METHOD", description = "Methods; without any, those there are.")
    List<String> names = List.of();

    @Option(
            names = "--task",
            defaultValue = "bandit",
            paramLabel = "TASK",
            description = {
                "bandit: outcomes with rewards, or game: preferences that go in cycles, measured by wins against the "
                        + "reference (${DEFAULT-VALUE})."
            })
    String task;

    @Option(names = "--seeds", defaultValue = "5", paramLabel = "N", description = "Seeds (${DEFAULT-VALUE}).")
    int seeds;

    @Option(names = "--fresh", description = "Forget what was trained before, as after a change of the code.")
    boolean fresh;

    @Option(
            names = "--out",
            defaultValue = "runs",
            paramLabel = "DIR",
            description = "Results go to DIR/compare-TASK (${DEFAULT-VALUE}).")
    Path out;

    @Option(names = "--json", description = "One JSON object, alone on the last line.")
    boolean json;

    @Option(names = "--quiet", description = "No progress.")
    boolean quiet;

    @Override
    public Integer call() {
        if (names.isEmpty()) {
            ComparedMethods.all()
                    .forEach(m -> System.out.printf(Locale.ROOT, "%-18s  %s%n", m.name(), m.description()));
            System.out.println("\nNot here: " + ComparedMethods.NO_RRPO + ".");
            return 0;
        }
        List<ComparedMethod> methods =
                names.stream().map(ComparedMethods::named).toList();
        ComparisonTask on = ComparisonTask.named(task);
        Path folder = out.resolve("compare-" + on.title());
        if (fresh) {
            Jobs.forget(folder);
        }
        Terminal terminal = quiet ? Terminal.quiet() : Terminal.standardError();
        MethodComparison comparison = Compare.run(on, methods, seeds, folder, terminal);
        print(comparison);
        System.out.println("report: " + folder.resolve("report.html"));
        if (json) {
            System.out.println(MethodComparisonJson.write(comparison));
        }
        return 0;
    }

    private static void print(MethodComparison comparison) {
        System.out.println(comparison.sentence() + "\n");
        String measure = comparison.task().measure();
        System.out.printf(
                Locale.ROOT, "%-18s  %-28s  %s%n", "method", measure + " missing, equal KL", "most " + measure);
        for (MethodComparison.Place place : comparison.places()) {
            System.out.printf(
                    Locale.ROOT,
                    "%-18s  %-28s  %s at %s nats%n",
                    place.method().name(),
                    words(place.missing()),
                    Quantity.number(place.mostReward().value()),
                    Quantity.number(place.kl().value()));
        }
        System.out.println();
        for (MethodComparison.Pairing pairing : comparison.pairings()) {
            System.out.printf(
                    Locale.ROOT,
                    "%s over %s: %s. %s%n",
                    pairing.first().name(),
                    pairing.second().name(),
                    words(pairing.advantage()),
                    pairing.dominance().sentence());
        }
        System.out.println(
                comparison.pairings().isEmpty()
                        ? ""
                        : "\nIn brackets 95 % intervals over " + comparison.seeds() + " seeds, paired.");
    }

    private static String words(Optional<Estimate> estimate) {
        return estimate.map(e -> Quantity.number(e.value()) + " (" + Quantity.interval(e, "") + ")")
                .orElse("no KL in common");
    }
}

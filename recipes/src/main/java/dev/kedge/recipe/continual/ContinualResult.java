package dev.kedge.recipe.continual;

import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.statistics.Forgetting;
import dev.kedge.statistics.Proportions;
import dev.kedge.task.TaskSequence;
import dev.kedge.task.TaskSequence.Answers;
import dev.kedge.tensor.Streams;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// What a method's policies were worth after each task of a [TaskSequence].
///
/// @param name      of the method, as in file names
/// @param title     of the method, for readers
/// @param afterTask what its policies answered to the held-out problems of all tasks, after each task
record ContinualResult(String name, String title, List<Answers> afterTask) {
    private Answers end() {
        return afterTask.getLast();
    }

    /// The policy at the end, in words.
    String words() {
        return title + ": " + end().words();
    }

    private double backwardTransfer() {
        return Forgetting.of(afterTask.stream().map(Answers::accuracies).toArray(double[][]::new))
                .backwardTransfer();
    }

    private Frontier.Arm arm(Bootstrap bootstrap) {
        return new Frontier.Arm(
                title,
                IntStream.range(0, afterTask.size())
                        .mapToObj(task -> new Frontier.Point(
                                task + 1, bootstrap.bca(afterTask.get(task).upTo(task)), ""))
                        .toList());
    }

    /// The methods on one page.
    ///
    /// @param results the one that is shown first
    static Summary summary(TaskSequence tasks, List<ContinualResult> results, long seed, double seconds) {
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, Streams.of(seed, "bootstrap"));
        ContinualResult first = results.getFirst();
        Summary summary = Summary.of("recap", Summary.Status.FINISHED, seconds)
                .title(tasks.count() + " tasks one after another, with and without replay")
                .verdict("Right on held-out problems when all tasks are learnt, and by task. "
                        + results.stream().map(ContinualResult::words).collect(Collectors.joining(". "))
                        + ".")
                .frontier(new Frontier(
                        "Accuracy as tasks are added",
                        "tasks learnt",
                        "mean accuracy on the tasks learnt so far",
                        results.stream().map(c -> c.arm(bootstrap)).toList(),
                        List.of()));
        for (ContinualResult result : results) {
            for (int k = 0; k < tasks.count() - 1; k++) {
                summary = summary.comparison(
                        tasks.name(k) + ", " + result.title,
                        "%",
                        accuracy(result.afterTask.get(k).right().get(k)),
                        accuracy(result.end().right().get(k)));
            }
        }
        for (ContinualResult result : results) {
            summary = summary.fact(
                            Summary.key("mean_accuracy_at_the_end", result.name),
                            "mean accuracy at the end, " + result.title,
                            bootstrap.bca(result.end().all()),
                            "%",
                            "interval over problems, not over trainings")
                    .fact(
                            Summary.key("backward_transfer", result.name),
                            "backward transfer, " + result.title,
                            result.backwardTransfer(),
                            "%",
                            "accuracy at the end less accuracy when just learnt, mean over all tasks but the last;"
                                    + " negative is forgetting");
        }
        for (ContinualResult result : results.subList(1, results.size())) {
            summary = summary.fact(
                    Summary.key("accuracy_less", result.name),
                    "accuracy, " + first.title + " less " + result.title,
                    bootstrap.pairedBca(result.end().all(), first.end().all()),
                    "%",
                    "paired by problem; interval over problems, not over trainings");
        }
        return tasks.withSamples(
                summary.note("A comparison shows a task's accuracy when it had just been learnt, and at the end."),
                first.afterTask.getFirst(),
                first.end());
    }

    private static Estimate accuracy(double[] right) {
        return Proportions.wilson((int) Arrays.stream(right).sum(), right.length, 0.95);
    }
}

package dev.kedge.recipe;

import dev.kedge.objective.continual.Forgetting;
import dev.kedge.recipe.TaskSequence.Answers;
import dev.kedge.recipe.run.Summary;
import dev.kedge.recipe.statistics.Bootstrap;
import dev.kedge.recipe.statistics.Bootstraps;
import dev.kedge.recipe.statistics.Proportions;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A method on its way through a [TaskSequence].
///
/// @param title     of the method
/// @param afterTask what its policies answered to the held-out problems of all tasks, after each task
record TaskCourse(String title, List<Answers> afterTask) {
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

    private Summary.Arm arm(Bootstrap bootstrap) {
        return new Summary.Arm(
                title,
                IntStream.range(0, afterTask.size())
                        .mapToObj(task -> new Summary.Point(
                                task + 1,
                                Bootstraps.of(bootstrap, afterTask.get(task).upTo(task)),
                                ""))
                        .toList());
    }

    /// The methods on one page.
    ///
    /// @param courses the one that is shown first
    static Summary summary(TaskSequence tasks, List<TaskCourse> courses, long seed, double seconds) {
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, seed);
        TaskCourse shown = courses.getFirst();
        Summary summary = Summary.of("recap", Summary.Status.FINISHED, seconds)
                .title(tasks.count() + " tasks one after another, with and without replay")
                .verdict("Right on held-out problems when all tasks are learnt, and by task. "
                        + courses.stream().map(TaskCourse::words).collect(Collectors.joining(". "))
                        + ".")
                .frontier(new Summary.Frontier(
                        "Accuracy as tasks are added",
                        "tasks learnt",
                        "mean accuracy on the tasks learnt so far",
                        courses.stream().map(c -> c.arm(bootstrap)).toList(),
                        List.of()));
        for (TaskCourse course : courses) {
            for (int k = 0; k < tasks.count() - 1; k++) {
                summary = summary.comparison(
                        tasks.name(k) + ", " + course.title,
                        "%",
                        accuracy(course.afterTask.get(k).right().get(k)),
                        accuracy(course.end().right().get(k)));
            }
        }
        for (TaskCourse course : courses) {
            summary = summary.fact(
                            "mean accuracy at the end, " + course.title,
                            Bootstraps.of(bootstrap, course.end().all()),
                            "%",
                            "interval over problems, not over trainings")
                    .fact(
                            "backward transfer, " + course.title,
                            Summary.Estimate.of(course.backwardTransfer()),
                            "%",
                            "accuracy at the end less accuracy when just learnt, mean over all tasks but the last;"
                                    + " negative is forgetting");
        }
        for (TaskCourse course : courses.subList(1, courses.size())) {
            summary = summary.fact(
                    "accuracy, " + shown.title + " less " + course.title,
                    Bootstraps.of(
                            bootstrap.pairedBca(course.end().all(), shown.end().all())),
                    "%",
                    "paired by problem; interval over problems, not over trainings");
        }
        return tasks.withSamples(
                summary.note("A comparison shows a task's accuracy when it had just been learnt, and at the end."),
                shown.afterTask.getFirst(),
                shown.end());
    }

    private static Summary.Estimate accuracy(double[] right) {
        return Bootstraps.of(Proportions.wilson((int) Arrays.stream(right).sum(), right.length, 0.95));
    }
}

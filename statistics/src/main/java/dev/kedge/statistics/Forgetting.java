package dev.kedge.statistics;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// How much a model kept of tasks learned one after another, as MLLM-CTBench counts it (arXiv:2508.08275).
///
/// @param averagePerformance mean over the N tasks of the score after the last one
/// @param perTask            score after the last task less that just after the task itself, of all but the last:
///                           negative is forgetting
/// @param backwardTransfer   mean of perTask, over N - 1 tasks; NaN if there is one task only
public record Forgetting(double averagePerformance, List<Double> perTask, double backwardTransfer) {
    public Forgetting {
        perTask = List.copyOf(perTask);
    }

    /// @param scores `scores[i][j]` on task j after training on task i; those with j > i are not looked at and may be
    ///               absent
    /// @throws IllegalArgumentException if there is no task, or a row is too short
    public static Forgetting of(double[][] scores) {
        int tasks = scores.length;
        if (tasks == 0) {
            throw new IllegalArgumentException("scores of no tasks");
        }
        for (int i = 0; i < tasks; i++) {
            if (scores[i].length <= i) {
                throw new IllegalArgumentException(
                        "row " + i + " of scores must have " + (i + 1) + " or more entries, has " + scores[i].length);
            }
        }
        double[] last = scores[tasks - 1];
        double[] changes = IntStream.range(0, tasks - 1)
                .mapToDouble(j -> last[j] - scores[j][j])
                .toArray();
        return new Forgetting(
                Arrays.stream(last, 0, tasks).sum() / tasks,
                Arrays.stream(changes).boxed().toList(),
                Arrays.stream(changes).sum() / changes.length);
    }
}

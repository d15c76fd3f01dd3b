package dev.kedge.nn.merge;

import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Tensor;

/// MagMax (Marczak et al. 2024, arXiv:2407.06322): models that were trained from one base, each on a task, become one.
public final class MagMax {
    private MagMax() {}

    /// Of each entry that of largest magnitude among the tasks, with its sign.
    ///
    /// @param taskVectors weights after a task less those of the base, [K, ...], K >= 1
    /// @return what to add to the base, [...]
    /// @throws IllegalArgumentException if there is no task
    public static Tensor merge(Tensor taskVectors) {
        requireTasks(taskVectors);
        Tensor winner = Ordering.argmax(taskVectors.abs(), 0).unsqueeze(0);
        return taskVectors.gather(0, winner).squeeze(0);
    }

    /// Of each entry the largest, as the code of MLLM-CTBench (arXiv:2508.08275) has it: a negative change survives
    /// only if all tasks agree on its sign.
    ///
    /// @param taskVectors as above; that code takes the weights themselves
    public static Tensor largestValues(Tensor taskVectors) {
        requireTasks(taskVectors);
        return taskVectors.amax(0, false);
    }

    private static void requireTasks(Tensor taskVectors) {
        if (taskVectors.dim() == 0 || taskVectors.size(0) == 0) {
            throw new IllegalArgumentException("task vectors must be [K, ...] with K >= 1, were " + taskVectors);
        }
    }
}

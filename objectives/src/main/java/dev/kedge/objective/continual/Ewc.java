package dev.kedge.objective.continual;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;

/// Elastic weight consolidation (Kirkpatrick et al. 2017, arXiv:1612.00796) as in MLLM-CTBench (arXiv:2508.08275):
/// each weight is held to its value before the task, by a spring as stiff as the weight was important to earlier ones.
///
/// All functions take one tensor of the model at a time. Importances made of sums of |gradient| in place of squares
/// give what that benchmark calls MAS (the published MAS differentiates the squared norm of the output instead).
public final class Ewc {
    private Ewc() {}

    /// `strength·(1/2) Σ I·(θ - a)²`: a term of the whole step, to be added once and not for each of its parts.
    ///
    /// The benchmark's code reports the value without the strength and backpropagates it with; here both have it.
    ///
    /// @param parameter  θ, of any shape; gradient flows
    /// @param importance I >= 0, of the same shape, a constant
    /// @param anchor     a, the weights before the task, likewise
    /// @param strength   finite and >= 0; see [#strength]
    /// @return the loss, without metrics
    /// @throws IllegalArgumentException if shapes do not fit or the strength is out of range
    public static Loss penalty(Tensor parameter, Tensor importance, Tensor anchor, double strength) {
        Require.sameShape("importance", importance, "parameter", parameter);
        Require.sameShape("anchor", anchor, "parameter", parameter);
        Require.from("strength", strength, 0, Double.POSITIVE_INFINITY);
        Tensor distance = parameter.minus(anchor.detach()).square();
        return Loss.of(importance.detach().times(distance).sum().times(0.5 * strength));
    }

    /// `lambda/√task`, since importances are means over ever more tasks.
    ///
    /// @param lambda finite and > 0; 1000 in the benchmark for adapters, 1e8 for whole models
    /// @param task   the number of the task at hand, from 1
    /// @throws IllegalArgumentException if a number is out of range
    public static double strength(double lambda, long task) {
        Require.positive("lambda", lambda);
        requireTask(task);
        return lambda / Math.sqrt(task);
    }

    /// Importances of a task: squared gradients relative to their mean, only the largest of them kept.
    ///
    /// `q = s/steps`, then `q/(mean(q) + guard)`, then 0 where it is less than the (n - k)-th smallest of the n
    /// entries, `k = ⌊(1 - sparsity)·n⌋`: without ties k + 1 entries are kept, at most n.
    ///
    /// @param sums     s, squared gradients summed over steps, of any shape
    /// @param steps    at least 1
    /// @param sparsity share that is dropped, in [0, 1); 0.9 in the benchmark
    /// @param guard    finite and > 0
    /// @return of the shape of sums, without gradient
    /// @throws IllegalArgumentException if a number is out of range or there is no entry
    public static Tensor importance(Tensor sums, long steps, double sparsity, double guard) {
        Require.denominator("steps", steps, 1);
        Require.from("sparsity", sparsity, 0, 1);
        Require.positive("guard", guard);
        long n = sums.numel();
        if (n == 0) {
            throw new IllegalArgumentException("importances of no weights");
        }
        Tensor q = sums.detach().div(steps);
        Tensor relative = q.div(q.mean().plus(guard));
        long below = Math.max(1, n - (long) ((1 - sparsity) * n));
        Tensor threshold = Ordering.sort(relative.reshape(-1), 0, false)[0].select(0, below - 1);
        return relative.whereElse(relative.ge(threshold), 0);
    }

    /// The mean over tasks, each weighing the same: `((task - 1)·before + latest)/task`.
    ///
    /// @param before mean over the tasks before, without effect if this is the first
    /// @param latest importances of the task just learned
    /// @param task   its number, from 1
    /// @throws IllegalArgumentException if shapes do not fit or task < 1
    public static Tensor meanOverTasks(Tensor before, Tensor latest, long task) {
        Require.sameShape("latest", latest, "before", before);
        requireTask(task);
        return before.times(task - 1).plus(latest).div(task);
    }

    private static void requireTask(long task) {
        if (task < 1) {
            throw new IllegalArgumentException("task counts from 1, was " + task);
        }
    }
}

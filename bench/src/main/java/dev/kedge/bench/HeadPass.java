package dev.kedge.bench;

import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Locale;

/// Log-probs of N positions through a head `[V, H]`, forward and backward, chunk by chunk or with all logits at
/// once; run in a process of its own, so that its peak of memory belongs to it alone.
final class HeadPass {
    static final int POSITIONS = 2048;
    static final int WIDTH = 256;
    private static final int REPEATS = 3;

    private HeadPass() {}

    /// @param way `chunked` or `plain`
    /// @return a JSON object: `extra_bytes`, what the peak has above parameters, gradients and inputs; `seconds`,
    /// the
    ///         best of several; `log_prob_sum`
    static String measure(String way, int vocabulary) {
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(0)) {
            run(way, rng.normal(64, WIDTH).requiresGrad(), rng.normal(64, WIDTH).requiresGrad(), targets(64, 64));
            rng.normal(1024, 1024).matmul(rng.normal(1024, 1024)).close(); // BLAS's own buffers
            Tensor hidden = rng.normal(POSITIONS, WIDTH).requiresGrad();
            Tensor head = parameter(rng, vocabulary);
            hidden.setGrad(hidden.detach().zerosLike());
            head.setGrad(head.detach().zerosLike());
            Tensor targets = targets(POSITIONS, vocabulary);
            long pid = ProcessHandle.current().pid();
            long before = Contestant.memory(pid, "VmRSS");
            double sum = 0;
            double best = Double.POSITIVE_INFINITY;
            for (int i = 0; i < REPEATS; i++) {
                long start = System.nanoTime();
                sum = run(way, hidden, head, targets);
                best = Math.min(best, (System.nanoTime() - start) / 1e9);
            }
            long extra = Contestant.memory(pid, "VmHWM") - before;
            return String.format(
                    Locale.ROOT, "{\"extra_bytes\": %d, \"seconds\": %.6f, \"log_prob_sum\": %.4f}", extra, best, sum);
        }
    }

    private static Tensor parameter(Rng rng, int vocabulary) {
        try (var _ = Gradients.off()) {
            return InPlace.times_(rng.normal(vocabulary, WIDTH), 0.02).requiresGrad();
        }
    }

    private static Tensor targets(int count, int vocabulary) {
        long[] ids =
                new java.util.SplittableRandom(2).longs(count, 0, vocabulary).toArray();
        return Tensor.of(ids, count);
    }

    private static double run(String way, Tensor hidden, Tensor head, Tensor targets) {
        try (Scope _ = new Scope()) {
            Tensor x = hidden.times(1); // a graph below the head, as in a model
            if (way.equals("chunked")) {
                HeadLogProbs logProbs = HeadLogProbs.of(x, head, targets, 1);
                Tensor sum = logProbs.values().sum();
                sum.backward();
                logProbs.backward();
                return sum.item();
            }
            Tensor sum = x.matmul(head.t())
                    .logSoftmax(-1)
                    .gather(1, targets.unsqueeze(1))
                    .squeeze(1)
                    .sum();
            sum.backward();
            return sum.item();
        }
    }
}

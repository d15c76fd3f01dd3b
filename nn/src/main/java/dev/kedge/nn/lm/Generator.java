package dev.kedge.nn.lm;

import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/// Draws continuations of prompts, many rows at once, with a cache of keys and values. Finished rows leave the batch.
public final class Generator {
    private Generator() {}

    /// What to draw.
    ///
    /// @param sampling  how a token is chosen
    /// @param maxTokens the longest continuation, >= 1; the model's positions may end it earlier
    /// @param samples   continuations a prompt, >= 1
    /// @param endTokens a continuation ends with the first of these, which it includes
    /// @param stop      whether a continuation so far is complete, or null; asked after every token
    /// @param seed      row r draws from a generator of its own, made of the seed and r alone
    /// @param logProbs  whether to report log-probabilities and entropies
    public record Options(
            Sampling sampling,
            int maxTokens,
            int samples,
            Set<Integer> endTokens,
            Predicate<int[]> stop,
            long seed,
            boolean logProbs) {
        public Options {
            if (maxTokens < 1 || samples < 1) {
                throw new IllegalArgumentException(
                        "maxTokens and samples must be at least 1, were " + maxTokens + " and " + samples);
            }
        }

        /// The likeliest continuation.
        public static Options greedy(int maxTokens, Set<Integer> endTokens) {
            return new Options(Sampling.GREEDY, maxTokens, 1, endTokens, null, 0, false);
        }
    }

    /// Why a continuation ended.
    public enum StopReason {
        /// With an end token.
        END,
        /// A stop rule held.
        STOP,
        /// It reached maxTokens: truncated.
        LENGTH,
        /// Prompt and continuation fill the model's positions: truncated.
        CONTEXT
    }

    /// A continuation.
    ///
    /// @param prompt   which prompt it continues
    /// @param tokens    without the prompt, with the end token if there was one
    /// @param logProbs  of each token under [Sampling#logProbs], nats; empty where not asked for
    /// @param entropies of the distributions that they were drawn from, nats; empty likewise
    public record Completion(int prompt, int[] tokens, float[] logProbs, float[] entropies, StopReason reason) {
        /// Whether it was cut off before it had come to its end.
        public boolean isTruncated() {
            return reason == StopReason.LENGTH || reason == StopReason.CONTEXT;
        }
    }

    /// Hears of every token as it is drawn.
    public interface Listener {
        void token(int row, int token);
    }

    /// The continuations of all prompts: `samples` for the first prompt, then for the second, and so on.
    ///
    /// @param prompts  each of 1 to maxPositions - 1 tokens
    /// @param listener or null
    /// @throws IllegalArgumentException naming the first prompt that is empty or too long
    public static List<Completion> generate(Decoder model, List<int[]> prompts, Options options, Listener listener) {
        if (prompts.isEmpty()) {
            return List.of();
        }
        int longest = requirePrompts(model, prompts);
        int threads = Engine.threads();
        long rows = (long) prompts.size() * options.samples();
        if (rows * model.config().hiddenSize() < SMALL) {
            Engine.useThreads(1); // waking a second thread costs more than it brings
        }
        try (var _ = Gradients.never();
                Scope _ = new Scope()) {
            return new Generation(model, prompts, options, listener, longest).run();
        } finally {
            Engine.useThreads(threads);
        }
    }

    /// Rows times width below which one thread is faster than two.
    private static final long SMALL = 1 << 15;

    private static int requirePrompts(Decoder model, List<int[]> prompts) {
        int longest = 0;
        for (int i = 0; i < prompts.size(); i++) {
            int length = prompts.get(i).length;
            if (length == 0 || length >= model.config().maxPositions()) {
                throw new IllegalArgumentException("prompt " + i + " has " + length + " tokens; 1 to "
                        + (model.config().maxPositions() - 1) + " leave the model room to continue");
            }
            longest = Math.max(longest, length);
        }
        return longest;
    }

    /// The rows of one call on their way. A row's number is its place in the result; its slot its place in the batch.
    private static final class Generation {
        private final Decoder model;
        private final List<int[]> prompts;
        private final Options options;
        private final Listener listener;
        private final int longest;
        private final int rows;
        private final int[][] tokens;
        private final float[][] logProbs;
        private final float[][] entropies;
        private final int[] lengths;
        private final StopReason[] reasons;
        private final SplittableRandom[] randoms;
        private int[] slots; // slot to row

        Generation(Decoder model, List<int[]> prompts, Options options, Listener listener, int longest) {
            this.model = model;
            this.prompts = prompts;
            this.options = options;
            this.listener = listener;
            this.longest = longest;
            rows = prompts.size() * options.samples();
            tokens = new int[rows][16];
            logProbs = new float[rows][options.logProbs() ? 16 : 0];
            entropies = new float[rows][options.logProbs() ? 16 : 0];
            lengths = new int[rows];
            reasons = new StopReason[rows];
            // Hashed: the streams of near seeds must not be shifts of one another.
            long stream = new SplittableRandom(options.seed()).nextLong();
            randoms = IntStream.range(0, rows)
                    .mapToObj(r -> new SplittableRandom(stream + r))
                    .toArray(SplittableRandom[]::new);
            slots = IntStream.range(0, rows).toArray();
        }

        List<Completion> run() {
            Device device = model.device();
            try (KvCache cache = model.cache(prompts.size(), capacity(), starts(device))) {
                Tensor logits = prefill(cache, device);
                Tensor next = null;
                while (true) {
                    try (Scope step = new Scope()) {
                        if (next != null) {
                            logits = model.logits(model.hidden(next.unsqueeze(1), cache));
                            next.close();
                        }
                        next = step.keep(choose(logits, device));
                    }
                    long[] drawn = next.toLongs();
                    int live = 0;
                    for (int slot = 0; slot < slots.length; slot++) {
                        live += accept(slots[slot], (int) drawn[slot]) ? 1 : 0;
                    }
                    if (live == 0) {
                        return completions();
                    }
                    // A finished row must not push the others' cache beyond its own positions.
                    if (live <= slots.length * 3 / 4
                            || cache.longest() == model.config().maxPositions()) {
                        next = compact(next, cache, live, device);
                    }
                }
            }
        }

        /// The columns that the row with the most room needs.
        private int capacity() {
            int shortest = prompts.stream().mapToInt(p -> p.length).min().orElseThrow();
            return longest + Math.min(options.maxTokens(), model.config().maxPositions() - shortest);
        }

        private Tensor starts(Device device) {
            if (prompts.stream().allMatch(p -> p.length == longest)) {
                return null;
            }
            return Tensor.of(prompts.stream().mapToLong(p -> longest - p.length).toArray(), prompts.size())
                    .to(device);
        }

        /// Reads every prompt once, then lets each stand for its samples.
        private Tensor prefill(KvCache cache, Device device) {
            long[] ids = new long[prompts.size() * longest]; // a short prompt stands at the right end of its row
            for (int p = 0; p < prompts.size(); p++) {
                int[] prompt = prompts.get(p);
                for (int i = 0; i < prompt.length; i++) {
                    ids[p * longest + longest - prompt.length + i] = prompt[i];
                }
            }
            try (Scope scope = new Scope()) {
                Tensor hidden =
                        model.hidden(Tensor.of(ids, prompts.size(), longest).to(device), cache);
                Tensor last = hidden.view(
                                prompts.size(), longest, model.config().hiddenSize())
                        .select(1, longest - 1L);
                Tensor logits = model.logits(last);
                if (options.samples() == 1) {
                    return scope.keep(logits);
                }
                long[] prompt = new long[rows];
                Arrays.setAll(prompt, row -> row / options.samples());
                Tensor repeated = Tensor.of(prompt, rows).to(device);
                cache.keepRows(repeated);
                return scope.keep(logits.indexSelect(0, repeated));
            }
        }

        /// The next token of each slot: [slots].
        private Tensor choose(Tensor logits, Device device) {
            if (options.sampling().isGreedy() && !options.logProbs()) {
                return logits.argmax(-1);
            }
            Tensor distribution = options.sampling().logProbs(logits);
            Tensor chosen;
            if (options.sampling().isGreedy()) {
                chosen = logits.argmax(-1);
            } else {
                double[] u = new double[slots.length]; // in (0, 1]
                Arrays.setAll(u, slot -> 1 - randoms[slots[slot]].nextDouble());
                chosen = Sampling.inverseTransform(distribution, u);
            }
            if (options.logProbs()) {
                float[] reported = distribution.gather(1, chosen.unsqueeze(1)).toFloats();
                float[] uncertain = Sampling.entropies(distribution).toFloats();
                for (int slot = 0; slot < slots.length; slot++) {
                    int row = slots[slot];
                    if (reasons[row] == null) {
                        logProbs[row] = grown(logProbs[row], lengths[row]);
                        entropies[row] = grown(entropies[row], lengths[row]);
                        logProbs[row][lengths[row]] = reported[slot];
                        entropies[row][lengths[row]] = uncertain[slot];
                    }
                }
            }
            return chosen;
        }

        /// Takes a token into a row; false once the row is finished.
        private boolean accept(int row, int token) {
            if (reasons[row] != null) {
                return false;
            }
            if (lengths[row] == tokens[row].length) {
                tokens[row] = Arrays.copyOf(tokens[row], 2 * lengths[row]);
            }
            tokens[row][lengths[row]++] = token;
            if (listener != null) {
                listener.token(row, token);
            }
            if (options.endTokens().contains(token)) {
                reasons[row] = StopReason.END;
            } else if (options.stop() != null && options.stop().test(Arrays.copyOf(tokens[row], lengths[row]))) {
                reasons[row] = StopReason.STOP;
            } else if (lengths[row] == options.maxTokens()) {
                reasons[row] = StopReason.LENGTH;
            } else if (prompts.get(row / options.samples()).length + lengths[row]
                    == model.config().maxPositions()) {
                reasons[row] = StopReason.CONTEXT;
            }
            return reasons[row] == null;
        }

        private Tensor compact(Tensor next, KvCache cache, int live, Device device) {
            long[] kept = new long[live];
            int[] keptRows = new int[live];
            int at = 0;
            for (int slot = 0; slot < slots.length; slot++) {
                if (reasons[slots[slot]] == null) {
                    kept[at] = slot;
                    keptRows[at++] = slots[slot];
                }
            }
            slots = keptRows;
            try (Scope scope = new Scope()) {
                Tensor index = Tensor.of(kept, live).to(device);
                cache.keepRows(index);
                Tensor left = scope.keep(next.indexSelect(0, index));
                next.close();
                return left;
            }
        }

        private List<Completion> completions() {
            List<Completion> all = new ArrayList<>();
            for (int row = 0; row < rows; row++) {
                int reported = options.logProbs() ? lengths[row] : 0;
                all.add(new Completion(
                        row / options.samples(),
                        Arrays.copyOf(tokens[row], lengths[row]),
                        Arrays.copyOf(logProbs[row], reported),
                        Arrays.copyOf(entropies[row], reported),
                        reasons[row]));
            }
            return all;
        }

        private static float[] grown(float[] values, int length) {
            return length < values.length ? values : Arrays.copyOf(values, 2 * values.length);
        }
    }
}

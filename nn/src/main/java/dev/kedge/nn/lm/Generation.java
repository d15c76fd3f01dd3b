package dev.kedge.nn.lm;

import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.Listener;
import dev.kedge.nn.lm.Generator.Options;
import dev.kedge.nn.lm.Generator.StopReason;
import dev.kedge.nn.lm.Generator.WeightedModel;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// The rows of one call on their way. A row's number is its place in the result; its slot its place in the batch.
final class Generation {
    private final List<WeightedModel> models;
    private final int positions; // of the model with the fewest
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

    Generation(
            List<WeightedModel> models,
            int positions,
            List<int[]> prompts,
            Options options,
            Listener listener,
            int longest) {
        this.models = models;
        this.positions = positions;
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
        randoms = IntStream.range(0, rows)
                .mapToObj(r -> new SplittableRandom(Streams.of(options.seed(), "row", r)))
                .toArray(SplittableRandom[]::new);
        slots = IntStream.range(0, rows).toArray();
    }

    List<Completion> run() {
        Device device = models.getFirst().model().device();
        List<KvCache> caches = new ArrayList<>();
        try {
            for (WeightedModel weighted : models) {
                caches.add(weighted.model().cache(prompts.size(), capacity(), starts(device)));
            }
            Tensor logits = prefill(caches, device);
            Tensor next = null;
            while (true) {
                try (Scope step = new Scope()) {
                    if (next != null) {
                        logits = decode(next, caches);
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
                if (live <= slots.length * 3 / 4 || caches.getFirst().longest() == positions) {
                    next = compact(next, caches, live, device);
                }
            }
        } finally {
            caches.forEach(KvCache::close);
        }
    }

    private Tensor decode(Tensor next, List<KvCache> caches) {
        Tensor column = next.unsqueeze(1);
        List<Tensor> logits = new ArrayList<>();
        for (int i = 0; i < models.size(); i++) {
            Decoder model = models.get(i).model();
            logits.add(model.logits(model.hidden(column, caches.get(i))));
        }
        return mixed(logits);
    }

    /// `Σ_i w_i log p_i`, not normalised, [rows, V]; of one model of weight 1 the logits as they are.
    private Tensor mixed(List<Tensor> logits) {
        if (models.size() == 1 && models.getFirst().weight() == 1) {
            return logits.getFirst();
        }
        Tensor sum = null;
        for (int i = 0; i < models.size(); i++) {
            Tensor weighted = logits.get(i).logSoftmax(-1).times(models.get(i).weight());
            sum = sum == null ? weighted : sum.plus(weighted);
        }
        Tensor absent = models.getFirst().model().absent();
        // A weight below 0 would make likely what no model ever says.
        return absent == null ? sum : sum.whereElse(absent.ge(0), Double.NEGATIVE_INFINITY);
    }

    /// The columns that the row with the most room needs.
    private int capacity() {
        int shortest = prompts.stream().mapToInt(p -> p.length).min().orElseThrow();
        return longest + Math.min(options.maxTokens(), positions - shortest);
    }

    private Tensor starts(Device device) {
        if (prompts.stream().allMatch(p -> p.length == longest)) {
            return null;
        }
        return Tensor.of(prompts.stream().mapToLong(p -> longest - p.length).toArray(), prompts.size())
                .to(device);
    }

    /// Reads every prompt once, then lets each stand for its samples.
    private Tensor prefill(List<KvCache> caches, Device device) {
        long[] ids = new long[prompts.size() * longest]; // a short prompt stands at the right end of its row
        for (int p = 0; p < prompts.size(); p++) {
            int[] prompt = prompts.get(p);
            for (int i = 0; i < prompt.length; i++) {
                ids[p * longest + longest - prompt.length + i] = prompt[i];
            }
        }
        try (Scope scope = new Scope()) {
            Tensor read = Tensor.of(ids, prompts.size(), longest).to(device);
            List<Tensor> logits = new ArrayList<>();
            for (int i = 0; i < models.size(); i++) {
                Decoder model = models.get(i).model();
                Tensor last = model.hidden(read, caches.get(i))
                        .view(prompts.size(), longest, model.config().hiddenSize())
                        .select(1, longest - 1L);
                logits.add(model.logits(last));
            }
            Tensor mixed = mixed(logits);
            if (options.samples() == 1) {
                return scope.keep(mixed);
            }
            long[] prompt = new long[rows];
            Arrays.setAll(prompt, row -> row / options.samples());
            Tensor repeated = Tensor.of(prompt, rows).to(device);
            caches.forEach(cache -> cache.keepRows(repeated));
            return scope.keep(mixed.indexSelect(0, repeated));
        }
    }

    /// The next token of each slot: [slots].
    private Tensor choose(Tensor logits, Device device) {
        if (options.sampling().isGreedy() && !options.logProbs()) {
            return Ordering.argmax(logits, -1);
        }
        Tensor distribution = options.sampling().logProbs(logits);
        Tensor chosen;
        if (options.sampling().isGreedy()) {
            chosen = Ordering.argmax(logits, -1);
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
        } else if (prompts.get(row / options.samples()).length + lengths[row] == positions) {
            reasons[row] = StopReason.CONTEXT;
        }
        return reasons[row] == null;
    }

    private Tensor compact(Tensor next, List<KvCache> caches, int live, Device device) {
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
            caches.forEach(cache -> cache.keepRows(index));
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

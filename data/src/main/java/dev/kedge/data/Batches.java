package dev.kedge.data;

import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// In which batches an epoch goes through the examples. Pure functions of seed and epoch: a run resumes at batch k of
/// epoch e with no state but these two counters. Every example is in exactly one batch of an epoch.
public final class Batches {
    /// Batches' worth of examples among which lengths are sorted: few enough to leave the order random, enough for rows
    /// of near equal length.
    private static final int GROUPED = 50;

    private Batches() {}

    /// Examples in random order, `batchSize` to a batch; the last may be smaller.
    ///
    /// @param examples how many there are
    /// @return indices into the examples, by batch
    public static List<int[]> shuffled(int examples, int batchSize, long seed, long epoch) {
        requireAtLeastOne("batchSize", batchSize);
        return cut(order(seed, epoch).permutation(examples), batchSize);
    }

    /// Examples in the order of the file, `batchSize` to a batch; the last may be smaller. For evaluation.
    public static List<int[]> inOrder(int examples, int batchSize) {
        requireAtLeastOne("batchSize", batchSize);
        return cut(IntStream.range(0, examples).toArray(), batchSize);
    }

    /// Batches of `batchSize` examples of similar length, in random order: the examples are shuffled, sorted by
    /// length within stretches of 50 batches, cut, and the batches shuffled. One batch may be smaller.
    ///
    /// @param lengths tokens of each example
    public static List<int[]> lengthGrouped(int[] lengths, int batchSize, long seed, long epoch) {
        requireAtLeastOne("batchSize", batchSize);
        SeededOrder random = order(seed, epoch);
        int[] order = sortedByStretches(lengths, random, Math.multiplyExact(GROUPED, batchSize));
        return shuffledBatches(cut(order, batchSize), random);
    }

    /// As [#lengthGrouped], but a batch holds as many examples as fit: rows times the longest row is at most
    /// `maxTokens`.
    ///
    /// @throws IllegalArgumentException if an example alone is longer than `maxTokens`
    public static List<int[]> lengthGroupedByTokens(int[] lengths, int maxTokens, long seed, long epoch) {
        requireAtLeastOne("maxTokens", maxTokens);
        SeededOrder random = order(seed, epoch);
        double mean = Math.max(1, Arrays.stream(lengths).average().orElse(1));
        int stretch = (int) Math.min(Integer.MAX_VALUE, Math.max(GROUPED, GROUPED * maxTokens / mean));
        int[] order = sortedByStretches(lengths, random, stretch);
        List<int[]> batches = new ArrayList<>();
        int start = 0;
        long longest = 0;
        for (int i = 0; i < order.length; i++) {
            int length = lengths[order[i]];
            if (length > maxTokens) {
                throw new IllegalArgumentException(
                        "example " + order[i] + " has " + length + " tokens, more than maxTokens " + maxTokens);
            }
            longest = Math.max(longest, length);
            if (longest * (i + 1 - start) > maxTokens) {
                batches.add(Arrays.copyOfRange(order, start, i));
                start = i;
                longest = length;
            }
        }
        if (start < order.length) {
            batches.add(Arrays.copyOfRange(order, start, order.length));
        }
        return shuffledBatches(batches, random);
    }

    private static SeededOrder order(long seed, long epoch) {
        return new SeededOrder(Streams.of(seed, "order of an epoch", epoch));
    }

    private static int[] sortedByStretches(int[] lengths, SeededOrder random, int stretch) {
        int[] order = random.permutation(lengths.length);
        List<int[]> stretches = cut(order, stretch);
        return stretches.stream()
                .flatMapToInt(part -> Arrays.stream(part)
                        .boxed()
                        .sorted((a, b) -> Integer.compare(lengths[b], lengths[a]))
                        .mapToInt(Integer::intValue))
                .toArray();
    }

    private static List<int[]> shuffledBatches(List<int[]> batches, SeededOrder random) {
        return Arrays.stream(random.permutation(batches.size()))
                .mapToObj(batches::get)
                .toList();
    }

    private static List<int[]> cut(int[] order, int size) {
        List<int[]> parts = new ArrayList<>();
        for (int start = 0; start < order.length; start += Math.min(size, order.length - start)) {
            parts.add(Arrays.copyOfRange(order, start, start + Math.min(size, order.length - start)));
        }
        return List.copyOf(parts);
    }

    private static void requireAtLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, was " + value);
        }
    }
}

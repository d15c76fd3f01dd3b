package dev.kedge.run;

import dev.kedge.data.Batches;
import java.util.Arrays;
import java.util.List;

/// The batches of a run by their number alone, every example once an epoch. There is no state to save.
public final class EpochBatches {
    /// Which examples share a batch.
    public enum Order {
        /// Drawn at random: every batch is a fair sample.
        SHUFFLED,
        /// Of similar length, so that little is padded; where lengths say much about the content, batches are not
        /// alike.
        LENGTH_GROUPED
    }

    private final Order order;
    private final int[] lengths;
    private final int batchSize;
    private final long seed;
    private long epoch = -1;
    private List<int[]> batches = List.of();

    /// @param lengths tokens of each example, at least one example
    public EpochBatches(Order order, int[] lengths, int batchSize, long seed) {
        if (lengths.length == 0) {
            throw new IllegalArgumentException("there is nothing to learn from: no example is left");
        }
        this.order = order;
        this.lengths = lengths;
        this.batchSize = Math.min(batchSize, lengths.length);
        this.seed = seed;
    }

    /// Indices into the examples of the batch of a step, counted from 0.
    public int[] at(int step) {
        int perEpoch = (lengths.length + batchSize - 1) / batchSize;
        if (step / perEpoch != epoch) {
            epoch = step / perEpoch;
            batches = switch (order) {
                case SHUFFLED -> Batches.shuffled(lengths.length, batchSize, seed, epoch);
                case LENGTH_GROUPED -> Batches.lengthGrouped(lengths, batchSize, seed, epoch);
            };
        }
        return batches.get(step % perEpoch);
    }

    /// The examples of the batch of a step.
    ///
    /// @param examples all of them, as many as there were lengths, in the same order
    public <T> List<T> at(int step, List<T> examples) {
        return Arrays.stream(at(step)).mapToObj(examples::get).toList();
    }
}

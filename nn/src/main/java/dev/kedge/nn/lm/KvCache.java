package dev.kedge.nn.lm;

import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Elementwise;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Keys and values of the tokens that a decoder has read, for every layer. Rows are aligned at their ends: a row whose
/// prompt is shorter begins later, and what stands before its beginning is never attended to.
public final class KvCache implements AutoCloseable {
    private final DecoderConfig config;
    private final List<Tensor> keys = new ArrayList<>(); // a layer: [B, kvHeads, capacity, headSize]
    private final List<Tensor> values = new ArrayList<>();
    private final int capacity;
    private final DType dtype;
    private long batch;
    private int filled;
    private Tensor starts; // [B] int64, the column at which each row begins; null when all begin at 0
    private int first; // the column at which the longest row begins

    /// @param starts   the column at which each row begins, or null when all begin at 0; taken over
    /// @param capacity the longest row, in columns
    KvCache(DecoderConfig config, long batch, int capacity, Tensor starts, DType dtype, Device device) {
        this.config = config;
        this.batch = batch;
        this.capacity = capacity;
        this.starts = starts == null ? null : starts.unscoped();
        first = earliest(starts);
        this.dtype = dtype;
        for (int layer = 0; layer < config.layers(); layer++) {
            keys.add(Creation.zeros(dtype, device, batch, config.kvHeads(), capacity, config.headSize())
                    .unscoped());
            values.add(Creation.zeros(dtype, device, batch, config.kvHeads(), capacity, config.headSize())
                    .unscoped());
        }
    }

    public long batch() {
        return batch;
    }

    /// How many columns are filled.
    public int filled() {
        return filled;
    }

    /// The positions that the longest row has used.
    int longest() {
        return Math.max(0, filled - first);
    }

    boolean isAligned() {
        return starts == null;
    }

    /// Puts keys and values [B, kvHeads, T, headSize] behind the filled columns; `advance` counts them once for all
    /// layers.
    void append(int layer, Tensor newKeys, Tensor newValues) {
        long length = newKeys.size(2);
        if (filled + length > capacity) {
            throw new IllegalStateException("the cache holds " + capacity + " positions, " + filled + " are filled and "
                    + length + " more were given");
        }
        InPlace.copy_(keys.get(layer).narrow(2, filled, length), newKeys);
        InPlace.copy_(values.get(layer).narrow(2, filled, length), newValues);
    }

    Tensor keys(int layer, long length) {
        return keys.get(layer).narrow(2, 0, length);
    }

    Tensor values(int layer, long length) {
        return values.get(layer).narrow(2, 0, length);
    }

    void advance(long length) {
        filled += (int) length;
    }

    /// The position in its own row of each of the next `length` columns, 0 before a row's beginning: `[B * T]`.
    Tensor positions(long length, Device device) {
        Tensor columns = Creation.arange(filled, filled + length, device);
        return Elementwise.clampMin(columns.unsqueeze(0).minus(starts.unsqueeze(1)), 0)
                .to(DType.INT64)
                .reshape(batch * length);
    }

    /// What the next `length` columns may attend to, added to the scores: 0 or -infinity, [B, 1, T, filled + T]. Null
    /// when everything may be seen or plain causality says it all.
    Tensor mask(long length, Device device) {
        if (starts == null && (length == 1 || filled == 0)) {
            return null;
        }
        Tensor keyColumn = Creation.arange(0, filled + length, device);
        Tensor queryColumn = Creation.arange(filled, filled + length, device).unsqueeze(1);
        Tensor allowed = keyColumn.le(queryColumn).unsqueeze(0); // [1, T, S]
        if (starts != null) {
            // A column before the row's beginning attends to itself, so that no softmax is empty.
            Tensor begun = keyColumn.unsqueeze(0).ge(starts.unsqueeze(1)).unsqueeze(1); // [B, 1, S]
            Tensor itself = keyColumn.eq(queryColumn).unsqueeze(0);
            allowed = allowed.and(begun).or(itself);
        }
        Tensor open = Creation.zeros(dtype, device, allowed.shape());
        return open.whereElse(allowed, Double.NEGATIVE_INFINITY).unsqueeze(1);
    }

    /// Keeps only the given rows `[N]`, int64: finished ones leave the batch.
    void keepRows(Tensor rows) {
        for (int layer = 0; layer < keys.size(); layer++) {
            keys.set(layer, replaced(keys.get(layer), rows));
            values.set(layer, replaced(values.get(layer), rows));
        }
        starts = starts == null ? null : replaced(starts, rows);
        first = earliest(starts);
        batch = rows.size(0);
    }

    private static int earliest(Tensor starts) {
        return starts == null ? 0 : (int) Arrays.stream(starts.toLongs()).min().orElse(0);
    }

    private static Tensor replaced(Tensor old, Tensor rows) {
        Tensor kept = old.indexSelect(0, rows).unscoped();
        old.close();
        return kept;
    }

    @Override
    public void close() {
        keys.forEach(Tensor::close);
        values.forEach(Tensor::close);
        if (starts != null) {
            starts.close();
        }
    }
}

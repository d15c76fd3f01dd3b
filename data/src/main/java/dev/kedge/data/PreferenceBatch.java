package dev.kedge.data;

import dev.kedge.tensor.Device;
import java.util.List;
import java.util.stream.Stream;

/// Preference pairs as one batch of `2B` rows, so that one forward pass serves both: rows `0..B-1` are the chosen
/// replies, rows `B..2B-1` the rejected ones, in the same order.
///
/// Per-row sums of shape `[2B]` split into chosen and rejected by `narrow(0, 0, B)` and `narrow(0, B, B)`.
///
/// @param sequences the rows
/// @param pairs     B
public record PreferenceBatch(TokenBatch sequences, int pairs) implements AutoCloseable {
    /// @param padId    the id that fills the rows
    /// @param multiple T is rounded up to a multiple of it
    /// @return a batch of new tensors on the CPU, which belong to the innermost open scope
    public static PreferenceBatch of(List<TokenizedPair> pairs, int padId, int multiple) {
        List<Tokenized> rows = Stream.concat(
                        pairs.stream().map(TokenizedPair::chosen),
                        pairs.stream().map(TokenizedPair::rejected))
                .toList();
        return new PreferenceBatch(TokenBatch.of(rows, padId, multiple), pairs.size());
    }

    /// The batch on a device, in new tensors where it is another than this one's.
    public PreferenceBatch to(Device device) {
        return new PreferenceBatch(sequences.to(device), pairs);
    }

    @Override
    public void close() {
        sequences.close();
    }
}

package dev.kedge.data;

import dev.kedge.tensor.Device;
import dev.kedge.tensor.Tensor;
import java.util.List;

/// Sequences padded on the right to the longest of the batch, and where their targets are.
///
/// The head needs to run on target positions only: `hidden.reshape(B * T, H)` at the rows `targetIndex` gives the
/// states `[N, H]` from which `targetTokens` are predicted. Targets are ordered by row, then by time.
///
/// Under causal attention no position sees the padding to its right, so no attention mask is needed.
///
/// @param tokens       `[B, T]` int64, padded with the padding id
/// @param target       `[B, T]` bool: true where the token is to be learnt; false on padding and in column 0
/// @param lengths      `[B]` int64, tokens without padding
/// @param targetIndex  `[N]` int64: for each target at `(b, t)`, `b * T + t - 1`, the flattened position that
///                     predicts it
/// @param targetTokens `[N]` int64: the target tokens
/// @param row          `[N]` int64: `b` of each target
public record TokenBatch(
        Tensor tokens, Tensor target, Tensor lengths, Tensor targetIndex, Tensor targetTokens, Tensor row)
        implements AutoCloseable {

    /// @param padId    the id that fills the rows
    /// @param multiple T is rounded up to a multiple of it: 1 for none, 8 where the device likes it
    /// @return a batch of new tensors on the CPU, which belong to the innermost open scope
    public static TokenBatch of(List<Tokenized> sequences, int padId, int multiple) {
        Padded padded = Padded.of(sequences, padId, multiple);
        int rows = padded.lengths().length;
        int n = padded.row().length;
        return new TokenBatch(
                Tensor.of(padded.tokens(), rows, padded.width()),
                Tensor.mask(padded.target(), rows, padded.width()),
                Tensor.of(padded.lengths(), rows),
                Tensor.of(padded.targetIndex(), n),
                Tensor.of(padded.targetTokens(), n),
                Tensor.of(padded.row(), n));
    }

    /// The batch on a device, in new tensors where it is another than this one's.
    public TokenBatch to(Device device) {
        return new TokenBatch(
                tokens.to(device),
                target.to(device),
                lengths.to(device),
                targetIndex.to(device),
                targetTokens.to(device),
                row.to(device));
    }

    /// B, sequences.
    public int rows() {
        return (int) tokens.size(0);
    }

    /// T, tokens with padding.
    public int width() {
        return (int) tokens.size(1);
    }

    /// N, tokens to be learnt.
    public int targets() {
        return (int) targetTokens.size(0);
    }

    /// Frees the tensors now; a scope around them does so too.
    @Override
    public void close() {
        tokens.close();
        target.close();
        lengths.close();
        targetIndex.close();
        targetTokens.close();
        row.close();
    }

    /// The same in Java arrays.
    record Padded(
            int width,
            long[] tokens,
            boolean[] target,
            long[] lengths,
            long[] targetIndex,
            long[] targetTokens,
            long[] row) {

        static Padded of(List<Tokenized> sequences, int padId, int multiple) {
            if (sequences.isEmpty()) {
                throw new IllegalArgumentException("a batch needs at least one sequence");
            }
            if (multiple < 1) {
                throw new IllegalArgumentException("multiple must be at least 1, was " + multiple);
            }
            int longest = sequences.stream().mapToInt(Tokenized::length).max().getAsInt();
            int width = Math.ceilDiv(longest, multiple) * multiple;
            int n = sequences.stream().mapToInt(Tokenized::targets).sum();
            int size = Math.multiplyExact(sequences.size(), width);
            Padded padded = new Padded(
                    width,
                    new long[size],
                    new boolean[size],
                    new long[sequences.size()],
                    new long[n],
                    new long[n],
                    new long[n]);
            padded.fill(sequences, padId);
            return padded;
        }

        private void fill(List<Tokenized> sequences, int padId) {
            int n = 0;
            for (int b = 0; b < sequences.size(); b++) {
                Tokenized sequence = sequences.get(b);
                lengths[b] = sequence.length();
                for (int t = 0; t < width; t++) {
                    int at = b * width + t;
                    boolean inside = t < sequence.length();
                    tokens[at] = inside ? sequence.tokens()[t] : padId;
                    target[at] = inside && sequence.target()[t];
                    if (target[at]) {
                        targetIndex[n] = at - 1;
                        targetTokens[n] = tokens[at];
                        row[n++] = b;
                    }
                }
            }
        }
    }
}

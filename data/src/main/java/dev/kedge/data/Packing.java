package dev.kedge.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Documents joined and cut into windows of one length, so that language modelling pads nothing.
public final class Packing {
    private Packing() {}

    /// Windows of `length` tokens over the documents, each followed by `endId`, in their order.
    ///
    /// A window begins with the last token of the one before it: so each token of the whole but the first is a
    /// target in exactly one window. The last window may be shorter. Attention is not cut at document ends; `endId`
    /// tells the model where they are.
    ///
    /// @param documents token ids without an end
    /// @param length    tokens of a window, at least 2
    /// @param endId     stands after each document; negative for none
    /// @return no window where there are fewer than two tokens
    public static List<Tokenized> windows(List<int[]> documents, int length, int endId) {
        if (length < 2) {
            throw new IllegalArgumentException("length must be at least 2, was " + length);
        }
        int[] joined = joined(documents, endId);
        List<Tokenized> windows = new ArrayList<>();
        for (int start = 0; start + 1 < joined.length; start += length - 1) {
            int end = (int) Math.min((long) start + length, joined.length);
            windows.add(Tokenized.ofDocument(Arrays.copyOfRange(joined, start, end)));
        }
        return windows;
    }

    private static int[] joined(List<int[]> documents, int endId) {
        int end = endId < 0 ? 0 : 1;
        long total = documents.stream().mapToLong(d -> d.length + end).sum();
        int[] joined = new int[Math.toIntExact(total)];
        int at = 0;
        for (int[] document : documents) {
            System.arraycopy(document, 0, joined, at, document.length);
            at += document.length;
            if (end == 1) {
                joined[at++] = endId;
            }
        }
        return joined;
    }
}

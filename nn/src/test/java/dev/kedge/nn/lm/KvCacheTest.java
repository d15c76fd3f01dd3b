package dev.kedge.nn.lm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.nn.InScope;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(InScope.class)
class KvCacheTest {
    private static final int[][] SPLITS = {
        {12}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {5, 1, 1, 1, 4}, {1, 11}, {2, 3, 7}, {6, 6}, {11, 1}
    };

    private static double[] hidden(Decoder model, int[] row) {
        return model.hidden(Form.batch(row)).toDoubles();
    }

    /// Columns `from` to `to` of every row.
    private static Tensor columns(int[][] rows, int from, int to) {
        return Form.batch(
                Arrays.stream(rows).map(r -> Arrays.copyOfRange(r, from, to)).toArray(int[][]::new));
    }

    /// What a cache returned for columns `from` to `to`, [B * T, H], against each row read alone.
    ///
    /// @param starts the column at which each row begins
    private static void assertRows(Decoder model, int[][] rows, int[] starts, int from, int to, Tensor actual) {
        int width = model.config().hiddenSize();
        double[] values = actual.toDoubles();
        for (int b = 0; b < rows.length; b++) {
            if (to <= starts[b]) {
                continue;
            }
            double[] alone = hidden(model, Arrays.copyOfRange(rows[b], starts[b], to));
            for (int column = Math.max(from, starts[b]); column < to; column++) {
                int here = (b * (to - from) + column - from) * width;
                int there = (column - starts[b]) * width;
                assertArrayEquals(
                        Arrays.copyOfRange(alone, there, there + width),
                        Arrays.copyOfRange(values, here, here + width),
                        1e-4,
                        "row " + b + ", column " + column);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void anySplitGivesWhatTheWholeGives(Form form) {
        Random random = new Random(form.ordinal());
        int[][] rows = {Form.tokens(random, 12), Form.tokens(random, 12)};
        try (Decoder model = form.decoder(1)) {
            for (int[] split : SPLITS) {
                try (KvCache cache = model.cache(2, 12, null)) {
                    int at = 0;
                    for (int length : split) {
                        Tensor hidden = model.hidden(columns(rows, at, at + length), cache);
                        assertRows(model, rows, new int[2], at, at + length, hidden);
                        at += length;
                        assertEquals(at, cache.filled());
                    }
                }
            }
        }
    }

    /// Junk stands before the beginning of a short row.
    @ParameterizedTest
    @EnumSource
    void rowsOfDifferentLengthsAreEachAsIfAlone(Form form) {
        Random random = new Random(form.ordinal());
        int[][] rows = new int[4][];
        Arrays.setAll(rows, _ -> Form.tokens(random, 12));
        int[] starts = {0, 4, 1, 4};
        try (Decoder model = form.decoder(2)) {
            for (int[] split : SPLITS) {
                try (KvCache cache = model.cache(4, 20, Tensor.of(new long[] {0, 4, 1, 4}, 4))) {
                    int at = 0;
                    for (int length : split) {
                        Tensor hidden = model.hidden(columns(rows, at, at + length), cache);
                        assertRows(model, rows, starts, at, at + length, hidden);
                        at += length;
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void rowsAreDroppedRepeatedAndReordered(Form form) {
        Random random = new Random(form.ordinal());
        int[][] rows = new int[3][];
        Arrays.setAll(rows, _ -> Form.tokens(random, 12));
        for (boolean ragged : new boolean[] {false, true}) {
            int[] starts = ragged ? new int[] {2, 0, 3} : new int[3];
            try (Decoder model = form.decoder(3);
                    KvCache cache = model.cache(3, 12, ragged ? Tensor.of(new long[] {2, 0, 3}, 3) : null)) {
                model.hidden(columns(rows, 0, 6), cache);
                int[] order = {2, 0, 2, 1};
                int[][] reordered =
                        Arrays.stream(order).mapToObj(r -> rows[r].clone()).toArray(int[][]::new);
                int[] reorderedStarts = Arrays.stream(order).map(r -> starts[r]).toArray();
                cache.keepRows(Tensor.of(new long[] {2, 0, 2, 1}, 4));
                assertEquals(4, cache.batch());
                reordered[2][6] = (reordered[0][6] + 1) % Form.VOCABULARY; // from here the twins differ
                assertRows(model, reordered, reorderedStarts, 6, 8, model.hidden(columns(reordered, 6, 8), cache));
                cache.keepRows(Tensor.of(new long[] {3, 2}, 2));
                int[][] left = {reordered[3], reordered[2]};
                int[] leftStarts = {reorderedStarts[3], reorderedStarts[2]};
                assertRows(model, left, leftStarts, 8, 9, model.hidden(columns(left, 8, 9), cache));
                assertRows(model, left, leftStarts, 9, 12, model.hidden(columns(left, 9, 12), cache));
            }
        }
    }

    @Test
    void aFullCacheSaysSoAndGoesOnWithWhatFits() {
        int[][] rows = {Form.tokens(new Random(1), 8)};
        try (Decoder model = Form.LLAMA.decoder(1);
                KvCache cache = model.cache(1, 6, null)) {
            model.hidden(columns(rows, 0, 5), cache);
            var e = assertThrows(IllegalStateException.class, () -> model.hidden(columns(rows, 5, 8), cache));
            assertEquals("the cache holds 6 positions, 5 are filled and 3 more were given", e.getMessage());
            assertRows(model, rows, new int[1], 5, 6, model.hidden(columns(rows, 5, 6), cache));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LLAMA", "GPT2"})
    void moreThanTheModelsPositionsIsRefused(Form form) {
        try (Decoder model = form.decoder(1)) {
            var e = assertThrows(IllegalArgumentException.class, () -> model.cache(1, 33, null));
            assertEquals("a sequence of 33 tokens does not fit the model's 32 positions", e.getMessage());
            try (KvCache cache = model.cache(2, 32, null)) {
                int[][] rows = {new int[33], new int[33]};
                model.hidden(columns(rows, 0, 30), cache);
                e = assertThrows(IllegalArgumentException.class, () -> model.hidden(columns(rows, 30, 33), cache));
                assertEquals("a sequence of 33 tokens does not fit the model's 32 positions", e.getMessage());
            }
        }
    }

    /// Columns are not positions: a row that begins late may use columns that no other row can.
    @ParameterizedTest
    @EnumSource(names = {"LLAMA", "GPT2"})
    void aRowThatBeginsLateHasAllPositionsOfItsOwn(Form form) {
        Random random = new Random(5);
        int[][] rows = {Form.tokens(random, 40), Form.tokens(random, 40)};
        try (Decoder model = form.decoder(1);
                KvCache cache = model.cache(2, 40, Tensor.of(new long[] {0, 8}, 2))) {
            model.hidden(columns(rows, 0, 32), cache);
            var e = assertThrows(IllegalArgumentException.class, () -> model.hidden(columns(rows, 32, 33), cache));
            assertEquals("a sequence of 33 tokens does not fit the model's 32 positions", e.getMessage());
            cache.keepRows(Tensor.of(new long[] {1}, 1));
            int[][] left = {rows[1]};
            assertRows(model, left, new int[] {8}, 32, 33, model.hidden(columns(left, 32, 33), cache));
            assertRows(model, left, new int[] {8}, 33, 40, model.hidden(columns(left, 33, 40), cache));
            assertThrows(RuntimeException.class, () -> model.hidden(columns(left, 39, 40), cache));
        }
    }

    @Test
    void closingACacheFreesAllThatItMade() {
        try (Decoder model = Form.QWEN3.decoder(1)) {
            long before = Scope.liveTensors();
            try (Scope _ = new Scope();
                    KvCache cache = model.cache(2, 8, Tensor.of(new long[] {0, 1}, 2))) {
                model.hidden(Form.batch(new int[3], new int[3]), cache);
                cache.keepRows(Tensor.of(new long[] {1}, 1));
            }
            assertEquals(before, Scope.liveTensors());
        }
    }
}

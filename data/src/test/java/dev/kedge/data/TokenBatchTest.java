package dev.kedge.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.tensor.DType;
import dev.kedge.tensor.Scope;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class TokenBatchTest {
    private static final Tokenized A = new Tokenized(new int[] {5, 6, 7}, new boolean[] {false, false, true});
    private static final Tokenized B =
            new Tokenized(new int[] {8, 9, 10, 11, 12}, new boolean[] {false, true, false, true, true});

    @Test
    void rowsArePaddedToTheLongestAndTargetsAreIndexed() {
        long live = Scope.liveTensors();
        try (TokenBatch batch = TokenBatch.of(List.of(A, B), 99, 1)) {
            assertArrayEquals(new long[] {2, 5}, batch.tokens().shape());
            assertArrayEquals(
                    new long[] {5, 6, 7, 99, 99, 8, 9, 10, 11, 12},
                    batch.tokens().toLongs());
            assertEquals(DType.BOOL, batch.target().dtype());
            assertArrayEquals(
                    new boolean[] {false, false, true, false, false, false, true, false, true, true},
                    batch.target().toBooleans());
            assertArrayEquals(new long[] {3, 5}, batch.lengths().toLongs());
            assertArrayEquals(new long[] {1, 5, 7, 8}, batch.targetIndex().toLongs());
            assertArrayEquals(new long[] {7, 9, 11, 12}, batch.targetTokens().toLongs());
            assertArrayEquals(new long[] {0, 1, 1, 1}, batch.row().toLongs());
            assertEquals(4, batch.targets());
            // The position after each index is the target itself.
            long[] flat = batch.tokens().toLongs();
            assertArrayEquals(
                    batch.targetTokens().toLongs(),
                    Arrays.stream(batch.targetIndex().toLongs())
                            .map(i -> flat[(int) i + 1])
                            .toArray());
        }
        assertEquals(live, Scope.liveTensors());
    }

    @Test
    void widthsMayBeRoundedUp() {
        try (Scope _ = new Scope()) {
            TokenBatch batch = TokenBatch.of(List.of(A, B), 0, 8);
            assertEquals(8, batch.width());
            assertArrayEquals(new long[] {1, 8, 10, 11}, batch.targetIndex().toLongs());
        }
    }

    @Test
    void pairsAreChosenThenRejected() {
        try (Scope _ = new Scope()) {
            var other = Tokenized.ofReply(new int[] {5, 6}, new int[] {8, 9});
            var pair = new TokenizedPair(A, other, 2);
            PreferenceBatch batch = PreferenceBatch.of(List.of(pair, pair), 0, 1);
            assertEquals(2, batch.pairs());
            assertArrayEquals(
                    new long[] {5, 6, 7, 0, 5, 6, 7, 0, 5, 6, 8, 9, 5, 6, 8, 9},
                    batch.sequences().tokens().toLongs());
            assertArrayEquals(
                    new long[] {0, 1, 2, 2, 3, 3}, batch.sequences().row().toLongs());
        }
    }

    @Test
    void aBatchWithoutTargetsHasEmptyIndices() {
        try (Scope _ = new Scope()) {
            TokenBatch batch = TokenBatch.of(List.of(new Tokenized(new int[] {1}, new boolean[1])), 0, 1);
            assertArrayEquals(new long[] {0}, batch.targetIndex().shape());
        }
    }

    @Test
    void impossibleSequencesAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Tokenized(new int[] {1}, new boolean[] {true}));
        assertThrows(IllegalArgumentException.class, () -> new Tokenized(new int[0], new boolean[0]));
        assertThrows(IllegalArgumentException.class, () -> TokenBatch.of(List.of(), 0, 1));
        assertThrows(
                IllegalArgumentException.class,
                () -> new TokenizedPair(A, Tokenized.ofReply(new int[] {4, 6}, new int[] {8}), 2));
    }
}

package dev.kedge.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class StreamsTest {
    private static final List<String> NAMES = List.of("", "a", "b", "aa", "ab", "ba", "order", "orders", "answers");
    private static final int COUNT = 300;

    /// Streams of neighbouring seeds, of similar names and of neighbouring indices.
    private static List<Long> streams() {
        List<Long> streams = new ArrayList<>();
        for (long seed = -COUNT; seed < COUNT; seed++) {
            for (String name : NAMES) {
                streams.add(Streams.of(seed, name));
                for (long index = -10; index < 20; index++) {
                    streams.add(Streams.of(seed, name, index));
                }
            }
        }
        return streams;
    }

    @Test
    void noTwoStreamsAreOne() {
        List<Long> streams = streams();
        Set<Long> distinct = new HashSet<>(streams);
        for (long seed = -COUNT; seed < COUNT; seed++) {
            distinct.add(seed); // nor is one the seed itself
        }
        assertEquals(streams.size() + 2 * COUNT, distinct.size());
    }

    @Test
    void equalArgumentsGiveTheSameStream() {
        assertEquals(Streams.of(7, "answers"), Streams.of(7, "answers"));
        assertEquals(Streams.of(7, "answers", 3), Streams.of(7, "answers", 3));
    }

    /// A recipe draws of a stream's seed again: no chain of names may be another one.
    @Test
    void aStreamOfAStreamIsNoOtherStream() {
        assertNotEquals(Streams.of(7, "ab"), Streams.of(Streams.of(7, "a"), "b"));
        assertNotEquals(Streams.of(7, "b", 1), Streams.of(Streams.of(7, "b"), "", 1));
        assertNotEquals(Streams.of(7, "a" + (char) 1), Streams.of(7, "a", 1));
        assertNotEquals(Streams.of(Streams.of(7, "a"), "b"), Streams.of(Streams.of(7, "b"), "a"));
        assertNotEquals(Streams.of(7, "a", 1), Streams.of(1, "a", 7));
    }

    /// Java's generators are SplitMix64 as well: what one draws is the seed of no stream.
    @Test
    void whatAGeneratorDrawsIsNoStream() {
        Set<Long> streams = new HashSet<>(streams());
        for (long seed = -COUNT; seed < COUNT; seed++) {
            for (String name : NAMES) {
                new SplittableRandom(seed).longs(50).forEach(drawn -> assertFalse(streams.contains(drawn)));
                new SplittableRandom(Streams.of(seed, name))
                        .longs(50)
                        .forEach(drawn -> assertFalse(streams.contains(drawn)));
            }
        }
    }

    /// Of every bit that changes in the seed, the name or the index, every bit of the stream changes half of the time.
    @Test
    void everyBitChangesHalfOfTheBits() {
        int n = 2_000;
        var random = new SplittableRandom(1);
        for (int bit = 0; bit < 64; bit++) {
            int[] bySeed = new int[64];
            int[] byIndex = new int[64];
            int[] byName = new int[64];
            for (int i = 0; i < n; i++) {
                long seed = random.nextLong();
                long index = random.nextLong();
                char letter = (char) random.nextInt(1 << 16);
                count(bySeed, Streams.of(seed, "a", index) ^ Streams.of(seed ^ 1L << bit, "a", index));
                count(byIndex, Streams.of(seed, "a", index) ^ Streams.of(seed, "a", index ^ 1L << bit));
                count(byName, Streams.of(seed, name(letter)) ^ Streams.of(seed, name((char) (letter ^ 1 << bit % 16))));
            }
            for (int[] flips : new int[][] {bySeed, byIndex, byName}) {
                for (int f : flips) {
                    assertEquals(0.5, f / (double) n, 6 * 0.5 / Math.sqrt(n), "bit " + bit); // standard error 0.5/√n
                }
            }
        }
    }

    private static String name(char letter) {
        return "x" + letter + "y";
    }

    private static void count(int[] bits, long value) {
        for (int i = 0; i < 64; i++) {
            bits[i] += (int) (value >>> i & 1);
        }
    }

    /// Small seeds, which all users choose, spread over all 64 bits.
    @Test
    void bitsAreBalanced() {
        List<Long> streams = streams();
        int[] ones = new int[64];
        streams.forEach(stream -> count(ones, stream));
        for (int i = 0; i < 64; i++) {
            assertEquals(0.5, ones[i] / (double) streams.size(), 5 * 0.5 / Math.sqrt(streams.size()), "bit " + i);
        }
    }

    /// What addition got wrong: the draws of a seed at a step were those of another seed at a later step.
    @Test
    void stepsOfNeighbouringSeedsShareNothing() {
        Set<Double> drawn = new HashSet<>();
        int draws = 0;
        for (long seed = 1; seed <= 20; seed++) {
            for (long step = 0; step < 100; step++) {
                var random = new SplittableRandom(Streams.of(seed, "step", step));
                for (int i = 0; i < 20; i++) {
                    drawn.add(random.nextDouble());
                    draws++;
                }
            }
        }
        assertEquals(draws, drawn.size());
    }
}

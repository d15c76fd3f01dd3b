package dev.kedge.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class BatchesTest {
    private static int[] flat(List<int[]> batches) {
        return batches.stream().flatMapToInt(Arrays::stream).toArray();
    }

    private static void assertOnceEach(int examples, List<int[]> batches) {
        assertArrayEquals(
                IntStream.range(0, examples).toArray(),
                Arrays.stream(flat(batches)).sorted().toArray());
        assertTrue(batches.stream().allMatch(b -> b.length > 0));
    }

    @Property(tries = 300)
    void everyExampleIsInOneBatchOfAnEpoch(
            @ForAll @Size(max = 300) List<@IntRange(min = 1, max = 100) Integer> lengths,
            @ForAll @IntRange(min = 1, max = 9) int batchSize,
            @ForAll long seed,
            @ForAll @IntRange(max = 5) int epoch) {
        int[] tokens = lengths.stream().mapToInt(Integer::intValue).toArray();
        for (var batches : List.of(
                Batches.shuffled(tokens.length, batchSize, seed, epoch),
                Batches.lengthGrouped(tokens, batchSize, seed, epoch),
                Batches.inOrder(tokens.length, batchSize))) {
            assertOnceEach(tokens.length, batches);
            assertEquals(Math.ceilDiv(tokens.length, batchSize), batches.size());
            assertTrue(batches.stream().filter(b -> b.length != batchSize).count() <= 1);
        }
    }

    @Property(tries = 300)
    void batchesByTokensHoldNoMoreThanAllowed(
            @ForAll @Size(max = 300) List<@IntRange(min = 1, max = 100) Integer> lengths,
            @ForAll @IntRange(min = 100, max = 900) int maxTokens,
            @ForAll long seed,
            @ForAll @IntRange(max = 5) int epoch) {
        int[] tokens = lengths.stream().mapToInt(Integer::intValue).toArray();
        var batches = Batches.lengthGroupedByTokens(tokens, maxTokens, seed, epoch);
        assertOnceEach(tokens.length, batches);
        for (int[] batch : batches) {
            assertTrue(Arrays.stream(batch).map(i -> tokens[i]).max().getAsInt() * batch.length <= maxTokens);
        }
    }

    @Test
    void theOrderIsAFunctionOfSeedAndEpochAlone() {
        int[] lengths = IntStream.range(0, 500).map(i -> 1 + i * 7919 % 97).toArray();
        int[] first = flat(Batches.lengthGrouped(lengths, 8, 3, 1));
        assertArrayEquals(first, flat(Batches.lengthGrouped(lengths, 8, 3, 1)));
        assertFalse(Arrays.equals(first, flat(Batches.lengthGrouped(lengths, 8, 3, 2))));
        assertFalse(Arrays.equals(first, flat(Batches.lengthGrouped(lengths, 8, 4, 1))));
        // Seed and epoch are not interchangeable, as they would be if merely added.
        assertFalse(Arrays.equals(flat(Batches.shuffled(500, 8, 3, 1)), flat(Batches.shuffled(500, 8, 1, 3))));
    }

    /// All 24 orders of 4 examples come equally often: chi-squared with 23 degrees of freedom is above 49.7 once in
    /// 1000.
    @Test
    void everyOrderIsAsLikely() {
        Map<String, Integer> counts = new HashMap<>();
        int draws = 24_000;
        for (int epoch = 0; epoch < draws; epoch++) {
            counts.merge(Arrays.toString(new SeededOrder(epoch).permutation(4)), 1, Integer::sum);
        }
        assertEquals(24, counts.size());
        double expected = draws / 24.0;
        double chi = counts.values().stream()
                .mapToDouble(n -> (n - expected) * (n - expected) / expected)
                .sum();
        assertTrue(chi < 49.7, "chi-squared " + chi);
    }

    @Test
    void groupingByLengthWastesLittlePadding() {
        int[] lengths = IntStream.range(0, 2000).map(i -> 1 + i * 7919 % 997).toArray();
        long sum = Arrays.stream(lengths).sum();
        long grouped = padded(lengths, Batches.lengthGrouped(lengths, 8, 3, 1));
        long plain = padded(lengths, Batches.shuffled(lengths.length, 8, 3, 1));
        assertTrue(grouped < 1.05 * sum, grouped + " of " + sum);
        assertTrue(plain > 1.5 * sum, plain + " of " + sum);
    }

    private static long padded(int[] lengths, List<int[]> batches) {
        return batches.stream()
                .mapToLong(b -> (long) b.length
                        * Arrays.stream(b).map(i -> lengths[i]).max().getAsInt())
                .sum();
    }

    @Test
    void argumentsOutOfRangeAreNamed() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> Batches.shuffled(3, 0, 1, 1))
                .getMessage()
                .contains("batchSize must be at least 1, was 0"));
        assertTrue(assertThrows(
                        IllegalArgumentException.class, () -> Batches.lengthGroupedByTokens(new int[] {3, 9}, 8, 1, 1))
                .getMessage()
                .contains("example 1 has 9 tokens, more than maxTokens 8"));
    }

    @Property(tries = 300)
    void packingLearnsEveryTokenButTheFirstOnce(
            @ForAll @Size(max = 12) List<@Size(max = 9) List<@IntRange(max = 50) Integer>> documents,
            @ForAll @IntRange(min = 2, max = 12) int length) {
        List<int[]> ids = documents.stream()
                .map(d -> d.stream().mapToInt(Integer::intValue).toArray())
                .toList();
        int[] joined = ids.stream()
                .flatMapToInt(d -> IntStream.concat(Arrays.stream(d), IntStream.of(99)))
                .toArray();
        var windows = Packing.windows(ids, length, 99);
        int[] learnt = windows.stream()
                .flatMapToInt(w -> IntStream.range(0, w.length())
                        .filter(t -> w.target()[t])
                        .map(t -> w.tokens()[t]))
                .toArray();
        assertArrayEquals(joined.length < 2 ? new int[0] : Arrays.copyOfRange(joined, 1, joined.length), learnt);
        for (int i = 0; i < windows.size(); i++) {
            assertTrue(windows.get(i).length() == length || i == windows.size() - 1);
            // What stands before each target is what stood before it in the whole.
            int from = i * (length - 1);
            assertArrayEquals(
                    Arrays.copyOfRange(joined, from, from + windows.get(i).length()),
                    windows.get(i).tokens());
        }
    }

    @Property(tries = 200)
    void splitsHaveNoOverlapAndLoseNothing(
            @ForAll @IntRange(max = 80) int n, @ForAll @IntRange(max = 80) int heldOut, @ForAll long seed) {
        List<Integer> all = IntStream.range(0, n).boxed().toList();
        int held = Math.min(n, heldOut);
        Split<Integer> split = Split.seeded(all, held, seed);
        assertEquals(held, split.heldOut().size());
        Set<Integer> union = new HashSet<>(split.train());
        union.addAll(split.heldOut());
        assertEquals(new HashSet<>(all), union);
        assertEquals(n, split.train().size() + split.heldOut().size());
        assertEquals(split, Split.seeded(all, held, seed));
    }

    @Test
    void firstAndLastDoNotMeet() {
        assertEquals(new Split<>(List.of(1, 2), List.of(4, 5)), Split.firstAndLast(List.of(1, 2, 3, 4, 5), 2, 2));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> Split.firstAndLast(List.of(1, 2, 3), 2, 2))
                .getMessage()
                .contains("heldOut must be from 0 to 1, was 2"));
        assertEquals(
                3,
                Split.seededShare(List.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 0.3, 1)
                        .heldOut()
                        .size());
    }

    @Test
    void whatIsOnBothSidesAndWhatRepeatsIsCounted() {
        Function<String, String> stripped = String::strip;
        assertEquals(2, Split.shared(List.of("a", "b "), List.of("b", "c", "b"), stripped));
        assertEquals(0, Split.shared(List.of("a"), List.of("b"), stripped));
        assertEquals(3, Split.repeats(List.of("a", "b", "a ", "a", " b"), stripped));
        assertEquals(0, Split.repeats(List.of(), stripped));
    }

    /// Whatever the order: no group on both sides, none lost, and the number nearest to what was asked for, by trying
    /// all sets of groups.
    @Property(tries = 300)
    void groupsStayWhole(@ForAll @Size(min = 3, max = 14) List<@IntRange(max = 6) Integer> all, @ForAll long seed) {
        Assume.that(all.stream().distinct().count() > 1);
        for (int heldOut = 1; heldOut < all.size(); heldOut++) {
            for (Split<Integer> split : List.of(
                    Split.seeded(all, Function.identity(), heldOut, seed),
                    Split.first(all, Function.identity(), heldOut),
                    Split.last(all, Function.identity(), heldOut))) {
                assertEquals(0, Split.shared(split.train(), split.heldOut(), Function.identity()));
                assertEquals(all.size(), split.train().size() + split.heldOut().size());
                assertEquals(nearest(all, heldOut), Math.abs(split.heldOut().size() - heldOut), all + ", " + heldOut);
                assertTrue(split.heldOut().size() >= Math.min(2, heldOut)
                        && !split.train().isEmpty());
            }
            assertEquals(
                    Split.seeded(all, Function.identity(), heldOut, seed),
                    Split.seeded(all, Function.identity(), heldOut, seed));
        }
    }

    /// How near whole groups come to a number, at least two where two are wanted and never all.
    private static int nearest(List<Integer> all, int heldOut) {
        List<Integer> groups = all.stream().distinct().toList();
        int best = Integer.MAX_VALUE;
        for (int set = 1; set < 1 << groups.size(); set++) {
            int chosen = set;
            int size = (int) all.stream()
                    .filter(i -> (chosen >> groups.indexOf(i) & 1) == 1)
                    .count();
            if (size >= Math.min(2, heldOut) && size < all.size()) {
                best = Math.min(best, Math.abs(size - heldOut));
            }
        }
        return best;
    }

    /// Where nothing repeats, groups change nothing: the same examples as without.
    @Property(tries = 100)
    void groupsOfOneChangeNothing(
            @ForAll @IntRange(max = 60) int n, @ForAll @IntRange(max = 60) int heldOut, @ForAll long seed) {
        List<Integer> all = IntStream.range(0, n).boxed().toList();
        int held = Math.min(n, heldOut);
        assertEquals(Split.seeded(all, held, seed), Split.seeded(all, Function.identity(), held, seed));
        assertEquals(Split.last(all, held), Split.last(all, Function.identity(), held));
        assertEquals(
                new Split<>(all.subList(held, n), all.subList(0, held)), Split.first(all, Function.identity(), held));
    }

    @Test
    void ofOneGroupNothingIsHeldOut() {
        List<String> all = List.of("a", "a", "a");
        var e = assertThrows(IllegalArgumentException.class, () -> Split.last(all, Function.identity(), 1));
        assertEquals("of one group none can be held out: all 3 examples are of one", e.getMessage());
        assertEquals(new Split<>(all, List.of()), Split.last(all, Function.identity(), 0));
        assertEquals(new Split<>(List.of(), all), Split.seeded(all, Function.identity(), 3, 1));
    }

    /// Over 500 seeds each of 10 examples is held out 150 times but for chance: 5 standard deviations are 51.
    @Test
    void everyExampleIsAsLikelyToBeHeldOut() {
        List<Integer> all = IntStream.range(0, 10).boxed().toList();
        int[] counts = new int[10];
        for (int seed = 0; seed < 500; seed++) {
            Split.seeded(all, 3, seed).heldOut().forEach(i -> counts[i]++);
        }
        for (int count : counts) {
            assertTrue(Math.abs(count - 150) < 51, Arrays.toString(counts));
        }
    }
}

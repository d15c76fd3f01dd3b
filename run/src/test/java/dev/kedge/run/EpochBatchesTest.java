package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EpochBatchesTest {
    private static final int[] LENGTHS = new Random(2).ints(23, 1, 60).toArray();
    private static final int PER_EPOCH = 5; // 4 batches of 5 and one of 3

    @ParameterizedTest
    @EnumSource
    void everyExampleComesOnceAnEpoch(EpochBatches.Order order) {
        EpochBatches batches = new EpochBatches(order, LENGTHS, 5, 1);
        for (int epoch = 0; epoch < 4; epoch++) {
            List<Integer> seen = new ArrayList<>();
            for (int i = 0; i < PER_EPOCH; i++) {
                int[] batch = batches.at(epoch * PER_EPOCH + i);
                assertTrue(batch.length <= 5);
                Arrays.stream(batch).forEach(seen::add);
            }
            Collections.sort(seen);
            assertEquals(IntStream.range(0, LENGTHS.length).boxed().toList(), seen, "epoch " + epoch);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBatchDependsOnItsNumberAlone(EpochBatches.Order order) {
        EpochBatches inOrder = new EpochBatches(order, LENGTHS, 5, 1);
        List<int[]> expected =
                IntStream.range(0, 20).mapToObj(inOrder::at).map(int[]::clone).toList();
        List<Integer> steps = new ArrayList<>(IntStream.range(0, 20).boxed().toList());
        Collections.shuffle(steps, new Random(6));
        EpochBatches jumping = new EpochBatches(order, LENGTHS, 5, 1);
        for (int step : steps) {
            assertArrayEquals(expected.get(step), jumping.at(step), "step " + step);
            assertArrayEquals(
                    expected.get(step), new EpochBatches(order, LENGTHS, 5, 1).at(step), "resumed at step " + step);
        }
    }

    @ParameterizedTest
    @EnumSource
    void epochsAndSeedsDiffer(EpochBatches.Order order) {
        assertFalse(Arrays.equals(epoch(order, 1, 0), epoch(order, 1, 1)), "two epochs");
        assertFalse(Arrays.equals(epoch(order, 1, 0), epoch(order, 2, 0)), "two seeds");
    }

    private static int[] epoch(EpochBatches.Order order, long seed, int epoch) {
        EpochBatches batches = new EpochBatches(order, LENGTHS, 5, seed);
        return IntStream.range(0, PER_EPOCH)
                .flatMap(i -> Arrays.stream(batches.at(epoch * PER_EPOCH + i)))
                .toArray();
    }

    @Test
    void groupedBatchesPadLessThanShuffledOnes() {
        assertTrue(padding(EpochBatches.Order.LENGTH_GROUPED) < padding(EpochBatches.Order.SHUFFLED) / 2);
    }

    private static int padding(EpochBatches.Order order) {
        EpochBatches batches = new EpochBatches(order, LENGTHS, 5, 1);
        return IntStream.range(0, PER_EPOCH)
                .map(i -> {
                    int[] lengths =
                            Arrays.stream(batches.at(i)).map(e -> LENGTHS[e]).toArray();
                    int longest = Arrays.stream(lengths).max().orElseThrow();
                    return Arrays.stream(lengths).map(l -> longest - l).sum();
                })
                .sum();
    }

    @ParameterizedTest
    @EnumSource
    void aBatchLargerThanTheDataIsTheData(EpochBatches.Order order) {
        EpochBatches batches = new EpochBatches(order, new int[] {4, 2, 9}, 100, 1);
        for (int step = 0; step < 3; step++) {
            assertArrayEquals(
                    new int[] {0, 1, 2},
                    Arrays.stream(batches.at(step)).sorted().toArray());
        }
    }

    @ParameterizedTest
    @EnumSource
    void nothingToLearnFromIsRefused(EpochBatches.Order order) {
        var e = assertThrows(IllegalArgumentException.class, () -> new EpochBatches(order, new int[0], 4, 1));
        assertEquals("there is nothing to learn from: no example is left", e.getMessage());
    }
}

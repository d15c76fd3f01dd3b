package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingConfigTest {
    private static final TrainingConfig CONFIG = config(4, 2, 1, 7.0);

    @TempDir
    Path folder;

    private static TrainingConfig config(int batchSize, int microBatch, int checkpointEvery, double maxGradNorm) {
        return new TrainingConfig(
                8,
                batchSize,
                microBatch,
                EpochBatches.Order.LENGTH_GROUPED,
                0.1,
                Schedule.Shape.COSINE,
                3,
                0.2,
                0.8,
                0.9,
                0.05,
                maxGradNorm,
                checkpointEvery);
    }

    @Test
    void configurationsThatCannotBeAreRefused() {
        config(1, 1, 1, 1e-3);
        var e = assertThrows(IllegalArgumentException.class, () -> config(0, 1, 1, 1));
        assertEquals(
                "batch_size, micro_batch and checkpoint_every must be at least 1, were 0, 1 and 1", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> config(1, 0, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> config(1, 1, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> config(1, 1, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> config(1, 1, 1, Double.NaN));
    }

    @Test
    void oneThingChangesAndAllElseStays() {
        SubnetworkMask mask = new SubnetworkMask.File(folder.resolve("mask"));
        assertEquals(Optional.empty(), CONFIG.mask());
        TrainingConfig all = CONFIG.at(0.3).clipped(9).masked(Optional.of(mask));
        assertEquals(
                new TrainingConfig(
                        8,
                        4,
                        2,
                        EpochBatches.Order.LENGTH_GROUPED,
                        0.3,
                        Schedule.Shape.COSINE,
                        3,
                        0.2,
                        0.8,
                        0.9,
                        0.05,
                        9,
                        1,
                        Optional.of(mask)),
                all);
        assertEquals(all, CONFIG.masked(Optional.of(mask)).clipped(9).at(0.3));
        assertEquals(CONFIG, all.masked(Optional.empty()).at(0.1).clipped(7));
        assertEquals(new Schedule(Schedule.Shape.COSINE, 0.1, 3, 8, 0.2), CONFIG.schedules());
    }

    @Test
    void batchesAreOfTheConfiguredSizeAndOrder() {
        int[] lengths = {9, 1, 8, 2, 7, 3, 6, 4, 5};
        EpochBatches batches = CONFIG.batchesOf(lengths, 5);
        EpochBatches expected = new EpochBatches(EpochBatches.Order.LENGTH_GROUPED, lengths, 4, 5);
        for (int step = 0; step < 6; step++) {
            assertArrayEquals(expected.at(step), batches.at(step));
        }
    }

    /// One step of AdamW (arXiv:1711.05101) from x = 2: decay by 0.05, the direction is the gradient's sign; a weight
    /// that the mask leaves out stays.
    @Test
    void theOptimiserDecaysAndHeedsTheMask() {
        Path file = folder.resolve("mask");
        for (boolean masked : new boolean[] {false, true}) {
            try (Scope _ = new Scope();
                    Parameters model = Parameters.zeros(Map.of("x", new long[] {2}), DType.FLOAT64, Device.CPU)) {
                InPlace.fill_(model.flat(), 2);
                SubnetworkMask.File.write(file, Tensor.mask(new boolean[] {true, false}, 2), model.named());
                TrainingConfig config = masked ? CONFIG.masked(Optional.of(new SubnetworkMask.File(file))) : CONFIG;
                try (AdamW optimizer = config.optimizer(model)) {
                    model.get("x").sum().backward();
                    optimizer.step(0.1);
                    double moved = 2 - 0.1 * 0.05 * 2 - 0.1;
                    assertArrayEquals(
                            new double[] {moved, masked ? 2 : moved},
                            model.flat().toDoubles(),
                            1e-8);
                }
            }
        }
    }
}

package dev.kedge.reproduction.trial;

import dev.kedge.lab.report.RecordedRun;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.run.Durable;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import dev.kedge.run.TrainingConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/// Runs of a recipe as an experiment. They are made beside each other in a folder that goes when they have been read:
/// what they start from is made once where it is the same.
public final class RecipeTrial {
    private RecipeTrial() {}

    public static <C extends Record> RecordedRun run(String recipe, C config, BiConsumer<C, Run> loop) {
        return run(recipe, List.of(config), loop).getFirst();
    }

    public static <C extends Record> List<RecordedRun> run(String recipe, List<C> configs, BiConsumer<C, Run> loop) {
        try {
            Path parent = Files.createTempDirectory("kedge-trial");
            try {
                List<RecordedRun> runs = new ArrayList<>();
                for (C config : configs) {
                    Path folder = parent.resolve("run-" + runs.size());
                    try (Run run = Run.start(folder, recipe, config, Terminal.quiet())) {
                        loop.accept(config, run);
                    }
                    runs.add(RecordedRun.read(folder));
                }
                return runs;
            } finally {
                Durable.deleteTree(parent);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the trial's folder cannot be made or removed: " + e, e);
        }
    }

    /// How a recipe trains on whole batches, with gradients clipped at 1.
    public static TrainingConfig training(Schedule schedule, int batch, double weightDecay) {
        return training(schedule, batch, 0.98, weightDecay, 1);
    }

    public static TrainingConfig training(Schedule schedule, int batch, double beta2, double weightDecay, double clip) {
        return new TrainingConfig(
                schedule.steps(),
                batch,
                batch,
                EpochBatches.Order.SHUFFLED,
                schedule.peak(),
                schedule.shape(),
                schedule.warmup(),
                schedule.floor(),
                0.9,
                beta2,
                weightDecay,
                clip,
                schedule.steps(),
                Optional.empty());
    }
}

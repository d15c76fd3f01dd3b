package dev.kedge.lab.claim;

import dev.kedge.lab.RecordedRun;
import dev.kedge.recipe.run.Durable;
import dev.kedge.recipe.run.Run;
import dev.kedge.recipe.run.Terminal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BiConsumer;

/// A run of a recipe as an experiment. It is made in a folder of its own that goes when it has been read.
final class RecipeTrial {
    private RecipeTrial() {}

    static <C extends Record> RecordedRun run(String recipe, C config, BiConsumer<C, Run> loop) {
        try {
            Path parent = Files.createTempDirectory("kedge-trial");
            try {
                Path folder = parent.resolve("run");
                try (Run run = Run.start(folder, recipe, config, Terminal.quiet())) {
                    loop.accept(config, run);
                }
                return RecordedRun.read(folder);
            } finally {
                Durable.deleteTree(parent);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the trial's folder cannot be made or removed: " + e, e);
        }
    }
}

package dev.kedge.stress;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A model and data for those runs that read files.
final class Inputs {
    private Inputs() {}

    /// The folder with `model` and `data.jsonl`, made once.
    static Path made(Path work) throws IOException, InterruptedException {
        Path files = Files.createDirectories(work.resolve("files"));
        Files.writeString(
                files.resolve("data.jsonl"),
                IntStream.range(0, 40)
                        .mapToObj(i -> "{\"prompt\": \"" + i % 7 + "+" + i / 7 + "=\", \"completion\": \""
                                + (i % 7 + i / 7) + "\"}\n")
                        .collect(Collectors.joining()));
        if (!Files.exists(files.resolve("model"))) {
            Path run = work.resolve("files-run");
            ShortRun recipe = ShortRun.all(files).getFirst();
            ChildProcess.run(List.of(), recipe.arguments(run.toString())).requireSuccess("the run that makes a model");
            Files.move(run.resolve("model"), files.resolve("model"));
        }
        return files;
    }

    static void delete(Path folder) throws IOException {
        try (var all = Files.walk(folder)) {
            for (Path file : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}

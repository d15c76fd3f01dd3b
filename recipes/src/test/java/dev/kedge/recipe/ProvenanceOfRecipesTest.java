package dev.kedge.recipe;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.config.ConfigException;
import dev.kedge.config.ConfigFile;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Of every recipe that Kedge brings: a file that its configuration names, and that is another one when the run is to
/// go on, is refused.
class ProvenanceOfRecipesTest {
    /// Keys that no brought recipe has, and that name files.
    private static final Map<String, List<String>> FURTHER = Map.of(
            "dpo.yaml", List.of("training.mask={kind: changed, from: a, to: b, tolerance: 0, dtype: float32}"),
            "grpo.yaml", List.of("training.mask={kind: file, path: a.safetensors}"),
            "gkd.yaml", List.of("student={kind: folder, model: a}"));

    @TempDir
    Path folder;

    static Stream<Path> recipes() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("../recipes"))) {
            return files
                    .filter(f -> f.toString().endsWith(".yaml"))
                    .filter(f -> !ConfigFile.paths(config(f, List.of())).isEmpty())
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    private static Record config(Path recipe, List<String> overrides) {
        List<String> all =
                new ArrayList<>(FURTHER.getOrDefault(recipe.getFileName().toString(), List.of()));
        all.addAll(overrides);
        return Recipes.config(ConfigFile.open(recipe, all));
    }

    /// The recipe's configuration with other files in place of those that it names.
    private Record withFilesHere(Path recipe, List<Path> made) throws IOException {
        List<String> overrides = new ArrayList<>();
        for (var entry : ConfigFile.paths(config(recipe, List.of())).entrySet()) {
            String name = entry.getValue().getFileName().toString();
            Path here = folder.resolve(made.size() + "-" + name);
            if (!name.contains(".")) {
                Files.createDirectory(here);
                made.add(Files.writeString(here.resolve("model.safetensors"), "weights"));
                made.add(Files.writeString(here.resolve("tokenizer_config.json"), "{}"));
            } else {
                made.add(Files.writeString(here, "records"));
            }
            overrides.add(entry.getKey() + "=\"" + here + "\"");
        }
        return config(recipe, overrides);
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void everyFileOfEveryRecipe(Path recipe) throws IOException {
        List<Path> files = new ArrayList<>();
        Record config = withFilesHere(recipe, files);
        assertFalse(files.isEmpty());
        Path run = folder.resolve("run");
        Run.start(run, "any", config, Terminal.quiet()).close();
        for (Path file : files) {
            byte[] before = Files.readAllBytes(file);
            Files.writeString(file, "others");
            String message = assertThrows(
                            ConfigException.class, () -> Run.resume(run, Terminal.quiet()), file.toString())
                    .getMessage();
            assertTrue(message.contains(file + " is ") && message.contains(", was "), message);
            Files.write(file, before);
        }
        Run.resume(run, Terminal.quiet()).close();
    }

    /// Each of them from any directory.
    @ParameterizedTest
    @MethodSource("recipes")
    void everyPathIsAbsoluteInTheRun(Path recipe) {
        SequencedMap<String, Path> paths = ConfigFile.paths(config(recipe, List.of()));
        String text = ConfigFile.text("any", config(recipe, List.of()));
        paths.forEach((key, path) -> {
            assertTrue(path.isAbsolute(), key);
            assertTrue(text.contains(": " + path) || text.contains(": \"" + path), key);
        });
    }
}

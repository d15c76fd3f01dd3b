package dev.kedge.recipe;

import dev.kedge.config.ConfigFile;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import java.nio.file.Path;
import java.util.List;

/// A recipe in a process of its own, to be killed.
final class RecipeProcess {
    private RecipeProcess() {}

    /// Arguments: recipe file, run folder.
    public static void main(String[] arguments) {
        ConfigFile file = ConfigFile.open(Path.of(arguments[0]), List.of());
        Path folder = Path.of(arguments[1]);
        try (Run run = Run.start(folder, file, Recipes.config(file), Terminal.quiet())) {
            Recipes.run(file, run);
        }
    }

    static ProcessBuilder process(Path recipe, Path folder) {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        ProcessBuilder process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx256m",
                        "-cp",
                        classPath,
                        RecipeProcess.class.getName(),
                        recipe.toString(),
                        folder.toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        process.environment().put("OMP_NUM_THREADS", "1"); // more threads may add in another order
        process.environment().put("OPENBLAS_NUM_THREADS", "1");
        return process;
    }
}

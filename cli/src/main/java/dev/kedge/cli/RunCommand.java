package dev.kedge.cli;

import dev.kedge.config.ConfigException;
import dev.kedge.config.ConfigFile;
import dev.kedge.lab.report.Report;
import dev.kedge.recipe.Recipes;
import dev.kedge.run.Run;
import dev.kedge.run.RunFinishedException;
import dev.kedge.run.Terminal;
import dev.kedge.tensor.Kernels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Runs a recipe.
@Command(
        name = "run",
        description = "Run a recipe; without one, the default run on a task that Kedge makes itself.",
        mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..*",
            paramLabel = "RECIPE.yaml|key=value",
            description = "A recipe file or the name of one that Kedge brings, and values that replace the file's.")
    List<String> words = List.of();

    @Option(names = "--out", paramLabel = "DIR", description = "The run folder; by default a new one under runs/.")
    Path out;

    @Option(names = "--resume", paramLabel = "DIR", description = "Go on with the run in this folder.")
    Path resume;

    @Option(names = "--print-config", description = "Show what would run, and run nothing.")
    boolean printConfig;

    @Option(names = "--quiet", description = "No progress.")
    boolean quiet;

    @Override
    public Integer call() {
        Terminal terminal = quiet ? Terminal.quiet() : Terminal.standardError();
        if (resume != null) {
            if (!words.isEmpty()) {
                throw new ConfigException(
                        "--resume goes on with the configuration of the run: leave out " + words.getFirst());
            }
            try (Run run = Run.resume(resume, terminal)) {
                return carryOut(run.config(), run);
            } catch (RunFinishedException e) {
                return finished(e);
            }
        }
        ConfigFile file = ConfigFile.open(
                recipe(), words.stream().filter(w -> w.contains("=")).toList());
        Record config = Recipes.config(file);
        if (printConfig) {
            boolean portable = file.portable() || Kernels.chosen() == Kernels.PORTABLE;
            System.out.print(ConfigFile.text(file.recipe(), config, portable));
            return 0;
        }
        try (Run run = out == null
                ? Run.startNew(Path.of("runs"), file, config, terminal)
                : Run.start(out, file, config, terminal)) {
            return carryOut(file, run);
        } catch (RunFinishedException e) {
            return finished(e);
        }
    }

    private static int finished(RunFinishedException e) {
        Path report = e.folder().resolve("report.html");
        System.out.println(e.folder() + " is finished: " + (Files.exists(report) ? report : Report.write(e.folder())));
        return 0;
    }

    private static int carryOut(ConfigFile file, Run run) {
        try {
            Recipes.run(file, run);
        } catch (Throwable e) {
            Ending.makeRoom(e);
            fail(run, e);
            throw e;
        }
        Path report = Report.write(run.folder());
        System.out.println(VerdictWords.of(run.folder()));
        System.out.println("report: " + report);
        return 0;
    }

    /// What keeps a failure from being written down, such as a full disk, does not hide the failure.
    private static void fail(Run run, Throwable e) {
        try {
            run.fail(Ending.of(e).line(), e);
            Report.write(run.folder());
        } catch (RuntimeException | Error unwritten) {
            e.addSuppressed(unwritten);
        }
    }

    private Path recipe() {
        List<String> files =
                new ArrayList<>(words.stream().filter(w -> !w.contains("=")).toList());
        if (files.size() > 1) {
            throw new ConfigException("one recipe at a time, were " + files);
        }
        Path given = Path.of(files.isEmpty() ? "quickstart" : files.getFirst());
        Path brought = Installation.recipes().resolve(given + ".yaml");
        return Files.exists(given) && !Files.isDirectory(given) || !Files.exists(brought) ? given : brought;
    }
}

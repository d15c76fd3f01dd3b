package dev.kedge.run;

import dev.kedge.config.ConfigException;
import dev.kedge.config.ConfigFile;
import dev.kedge.run.result.Summary;
import dev.kedge.run.result.SummaryJson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A run: a folder with its configuration, metrics, checkpoints, log and summary, which one process at a time may
/// write.
///
/// A run that is killed at any moment goes on from its last checkpoint to the very same numbers, if the recipe keeps
/// this order within a step:
///
/// 1. forward, backward, clip the gradient;
/// 2. [#guard] the loss and the gradient norm: what follows never sees a NaN;
/// 3. the optimiser's step;
/// 4. [#log] the step;
/// 5. [#save], every so many steps: metrics logged before belong to the checkpoint, those after it are cut off when the
///    run goes on from it.
///
/// | file | what it holds |
/// |---|---|
/// | `config.yaml` | the complete configuration |
/// | `metrics.jsonl` | a line a [#log] |
/// | `checkpoints/step-N/` | tensors (safetensors), state (JSON), checksums |
/// | `log.txt` | what was said, with the time |
/// | `summary.json` | the [Summary] |
public final class Run implements AutoCloseable {
    private static final String CONFIG = "config.yaml";
    private static final DateTimeFormatter STAMP = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss");

    private final Path folder;
    private final ConfigFile config;
    private final Terminal terminal;
    private final RunLock lock;
    private final CheckpointStore checkpoints;
    private final MetricsFile metrics;
    private final double secondsBefore;
    private final long began = System.nanoTime();
    private final Set<String> remarks = new LinkedHashSet<>();
    private int keep = 2;

    private Run(Path folder, RunLock lock, Terminal terminal) throws IOException {
        this.folder = folder;
        this.lock = lock;
        this.terminal = terminal;
        config = ConfigFile.open(folder.resolve(CONFIG), List.of());
        checkpoints = CheckpointStore.open(folder.resolve("checkpoints"), this::warn);
        Optional<SavedCheckpoint> latest = checkpoints.latest();
        long lines = latest.map(SavedCheckpoint::metricsLines).orElse(0L);
        secondsBefore = latest.map(SavedCheckpoint::seconds).orElse(0.0);
        metrics = MetricsFile.open(folder.resolve("metrics.jsonl"), lines);
        if (metrics.lines() < lines) {
            warn("metrics.jsonl has only " + metrics.lines() + " of the " + lines + " lines of the checkpoint");
        }
        note("run " + folder + ": recipe " + config.recipe()
                + latest.map(c -> ", goes on after step " + c.step() + " of " + c.phase())
                        .orElse(", starts"));
        summarise(Summary.of(config.recipe(), Summary.Status.RUNNING, secondsBefore));
    }

    /// Makes an empty folder `RECIPE-yyyyMMdd-HHmmss-N` for [#start].
    public static Path newFolder(Path runs, String recipe) {
        String stamp = STAMP.format(LocalDateTime.now());
        try {
            Files.createDirectories(runs);
            for (int n = 1; ; n++) {
                try {
                    return Files.createDirectory(runs.resolve(recipe + "-" + stamp + "-" + n));
                } catch (FileAlreadyExistsException _) {
                    // Another run began in the same second: the next number is free, or the one after it.
                }
            }
        } catch (IOException e) {
            throw Durable.failure(runs, "no folder for the run can be made there", e);
        }
    }

    /// Starts a run in a new or empty folder; where a run of the same configuration is, goes on with it.
    ///
    /// @throws ConfigException if the folder holds something else, or a run of another configuration, or another
    ///     process is writing it
    /// @throws RunFailedException if there are checkpoints and all of them are damaged
    public static Run start(Path folder, String recipe, Record config, Terminal terminal) {
        try {
            if (Files.exists(folder) && !Files.isDirectory(folder)) {
                throw new ConfigException(folder + ": is a file; choose a new folder for the run");
            }
            if (!Files.exists(folder.resolve(CONFIG)) && holdsOthersFiles(folder)) {
                throw new ConfigException(folder + ": is not empty and no run; choose a new or empty folder");
            }
            Files.createDirectories(folder);
            return locked(folder, terminal, () -> writeOrCompare(folder, recipe, config));
        } catch (IOException e) {
            throw Durable.failure(folder, "the run cannot be started", e);
        }
    }

    /// Goes on with the run in a folder, with the configuration that is there: see [#config].
    ///
    /// @throws ConfigException if there is no run, or another process is writing it
    /// @throws RunFailedException if there are checkpoints and all of them are damaged
    public static Run resume(Path folder, Terminal terminal) {
        if (!Files.exists(folder.resolve(CONFIG))) {
            throw new ConfigException(folder + ": is no run, it has no " + CONFIG);
        }
        try {
            return locked(folder, terminal, () -> {});
        } catch (IOException e) {
            throw Durable.failure(folder, "the run cannot be resumed", e);
        }
    }

    private interface Preparation {
        void run() throws IOException;
    }

    private static Run locked(Path folder, Terminal terminal, Preparation preparation) throws IOException {
        RunLock lock = RunLock.take(folder);
        try {
            preparation.run();
            return new Run(folder, lock, terminal);
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /// Whether a folder holds more than what a start that was killed early leaves behind.
    private static boolean holdsOthersFiles(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return false;
        }
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .anyMatch(name -> !name.equals(RunLock.NAME) && !name.equals("." + CONFIG + ".tmp"));
        }
    }

    private static void writeOrCompare(Path folder, String recipe, Record config) throws IOException {
        Path file = folder.resolve(CONFIG);
        String text = ConfigFile.text(recipe, config);
        if (!Files.exists(file)) {
            Durable.write(file, text.getBytes(StandardCharsets.UTF_8));
            return;
        }
        ConfigFile there = ConfigFile.open(file, List.of());
        if (!there.recipe().equals(recipe)) {
            throw new ConfigException(folder + ": holds a run of another recipe: `recipe` is " + there.recipe()
                    + " there, " + recipe + " here; choose another folder");
        }
        String thereText = ConfigFile.text(recipe, there.as(config.getClass()));
        ConfigFile.difference(thereText, text).ifPresent(difference -> {
            throw new ConfigException(
                    folder + ": holds a run of another configuration: " + difference + "; choose another folder");
        });
    }

    /// Where the run lies.
    public Path folder() {
        return folder;
    }

    /// The complete configuration.
    public ConfigFile config() {
        return config;
    }

    /// Keeps this many checkpoints from the next [#save] on; 2 unless told otherwise.
    public void keepCheckpoints(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("at least 1 checkpoint must be kept, was " + count);
        }
        keep = count;
    }

    /// The checkpoint to go on from, its checksums verified; empty where the run starts from its beginning. A damaged
    /// one was passed over, with a warning, for the one before it.
    public Optional<SavedCheckpoint> latest() {
        return checkpoints.latest();
    }

    /// Adds a line to `metrics.jsonl`.
    ///
    /// @param phase   the part of the recipe, such as `dpo` or `eval`
    /// @param step    how many steps of the phase are done
    /// @param metrics in the order of a [java.util.LinkedHashMap]; by name where the map has no order
    public void log(String phase, long step, Map<String, Double> metrics) {
        try {
            this.metrics.write(phase, step, seconds(), metrics);
        } catch (IOException e) {
            throw Durable.failure(folder, "metrics.jsonl cannot be written", e);
        }
    }

    /// Stops the run if a metric is NaN or infinite. Call it between backward and the optimiser's step, so that neither
    /// the parameters nor a later checkpoint ever hold what the bad numbers would have made of them.
    ///
    /// @param step    the step under way
    /// @param metrics in the order in which they are computed, such as loss, then grad_norm; by name where the map
    ///                has no order
    /// @throws RunFailedException naming the first bad metric, the step and the checkpoint that is safe
    public void guard(String phase, long step, Map<String, Double> metrics) {
        for (var metric : MetricsFile.ordered(metrics).entrySet()) {
            if (!Double.isFinite(metric.getValue())) {
                String message = metric.getKey() + " became " + metric.getValue() + " at step " + step + " of " + phase
                        + ", before the parameters were changed; "
                        + latest().map(c -> "the last good checkpoint is " + c.folder())
                                .orElse("there is no checkpoint yet");
                log(phase, step, metrics);
                fail(message);
                throw new RunFailedException(message);
            }
        }
    }

    /// Writes a checkpoint and returns when it is safe on the disk; then removes the oldest.
    public void save(Checkpoint checkpoint) {
        try {
            metrics.sync();
            checkpoints.save(checkpoint, metrics.lines(), seconds(), keep);
        } catch (IOException e) {
            throw Durable.failure(folder, "the checkpoint cannot be written", e);
        }
    }

    /// Shows how far a phase has come.
    ///
    /// @param done  steps of the phase that were done before
    /// @param total steps of the phase
    public Progress progress(String phase, long done, long total) {
        return Progress.of(terminal, phase, done, total);
    }

    /// Says a line on the terminal and in `log.txt`.
    public void note(String line) {
        append(line);
        terminal.say(line);
    }

    /// Says a line as [#note] does, once, and adds it to the notes of every summary from now on.
    public void remark(String line) {
        if (remarks.add(line)) {
            note(line);
        }
    }

    private void warn(String line) {
        append("warning: " + line);
        terminal.warn("warning: " + line);
    }

    private void append(String line) {
        String stamped = LocalDateTime.now().truncatedTo(ChronoUnit.SECONDS) + " " + line + "\n";
        try {
            Files.writeString(folder.resolve("log.txt"), stamped, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw Durable.failure(folder, "log.txt cannot be written", e);
        }
    }

    /// Seconds that the run has taken, over all its processes, without what was lost between a checkpoint and a kill.
    public double seconds() {
        return secondsBefore + (System.nanoTime() - began) / 1e9;
    }

    /// Writes `summary.json`: the summary, and what was remarked.
    public void summarise(Summary summary) {
        Summary whole = summary;
        for (String remark : remarks) {
            whole = whole.note(remark);
        }
        try {
            Durable.write(folder.resolve("summary.json"), SummaryJson.bytes(whole));
        } catch (IOException e) {
            throw Durable.failure(folder, "summary.json cannot be written", e);
        }
    }

    /// Notes why the run failed, in `log.txt` and as the summary.
    public void fail(String reason) {
        append("failed: " + reason);
        summarise(Summary.of(config.recipe(), Summary.Status.FAILED, seconds()).note(reason));
    }

    /// Lets go of the folder.
    @Override
    public void close() {
        try (lock) {
            metrics.close();
        } catch (IOException e) {
            throw Durable.failure(folder, "the run cannot be closed", e);
        }
    }
}

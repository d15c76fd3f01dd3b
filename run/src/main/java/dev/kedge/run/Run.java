package dev.kedge.run;

import dev.kedge.config.ConfigException;
import dev.kedge.config.ConfigFile;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.run.result.Summary;
import dev.kedge.run.result.SummaryJson;
import dev.kedge.tensor.Kernels;
import dev.kedge.tensor.Platform;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
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
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Predicate;

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
/// | `provenance.json` | what it started with: versions, the checksum of every file that the configuration names |
/// | `metrics.jsonl` | a line a [#log] |
/// | `checkpoints/step-N/` | tensors (safetensors), state (JSON), checksums |
/// | `log.txt` | what was said, with the time |
/// | `summary.json` | the [Summary] |
public final class Run implements AutoCloseable {
    /// The version of Kedge.
    public static final String KEDGE_VERSION = "0.1.0";

    private static final String CONFIG = "config.yaml";
    private static final String SUMMARY = "summary.json";
    private static final DateTimeFormatter STAMP = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);

    /// What a start that was killed early leaves behind.
    private static final Set<String> LEFT_EARLY =
            Set.of(RunLock.NAME, Provenance.NAME, "." + Provenance.NAME + ".tmp", "." + CONFIG + ".tmp");

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
    private Optional<Measured> lastLoss = Optional.empty();
    private Optional<Measured> lastGuarded = Optional.empty();

    private record Measured(String phase, long step, double loss) {
        boolean isOf(String other) {
            return phase.equals(other);
        }
    }

    private Run(Path folder, RunLock lock, Terminal terminal) throws IOException {
        this.folder = folder;
        this.lock = lock;
        this.terminal = terminal;
        config = ConfigFile.open(folder.resolve(CONFIG), List.of());
        choose(config);
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
        append("engine: " + Platform.here());
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

    /// Starts a run in a new folder below `runs`, which is made when all files that the configuration names are there;
    /// else as [#start].
    public static Run startNew(Path runs, String recipe, Record config, Terminal terminal) {
        Provenance.inputs(config);
        return start(newFolder(runs, recipe), recipe, config, terminal);
    }

    /// The same for what a recipe file says, [ConfigFile#portable()] too.
    public static Run startNew(Path runs, ConfigFile file, Record config, Terminal terminal) {
        choose(file);
        return startNew(runs, file.recipe(), config, terminal);
    }

    /// Starts a run in a new or empty folder; where a run of the same configuration is, goes on with it. It is
    /// portable where [Kernels#PORTABLE] was chosen.
    ///
    /// A run goes on only with the versions, engine threads, data and models that it started with. What does not is
    /// refused before anything of the run is touched.
    ///
    /// @throws ConfigException if the folder holds something else, or a run of another configuration, or one that
    ///     started with something else, or another process is writing it
    /// @throws FetchException if a file that the configuration names is not there, and `./kedge fetch` would
    ///         bring it
    /// @throws InvalidFileException if another file that the configuration names is not there
    /// @throws RunFailedException if there are checkpoints and all of them are damaged
    /// @throws RunFinishedException if the run that is there is finished
    public static Run start(Path folder, String recipe, Record config, Terminal terminal) {
        try {
            if (Files.exists(folder) && !Files.isDirectory(folder)) {
                throw new ConfigException(folder + ": is a file; choose a new folder for the run");
            }
            if (!Files.exists(folder.resolve(CONFIG)) && holdsOthersFiles(folder)) {
                throw new ConfigException(folder + ": is not empty and no run; choose a new or empty folder");
            }
            if (!Files.exists(folder.resolve(CONFIG))) {
                Provenance.inputs(config);
            }
            Files.createDirectories(folder);
            return locked(folder, terminal, () -> begin(folder, recipe, config));
        } catch (IOException e) {
            throw Durable.failure(folder, "the run cannot be started", e);
        }
    }

    /// Goes on with the run in a folder, with the configuration that is there: see [#config]. As [#start], it
    /// needs what the run started with.
    ///
    /// @throws ConfigException if there is no run, or one that started with something else, or another process is
    ///     writing it
    /// @throws RunFailedException if there are checkpoints and all of them are damaged
    /// @throws RunFinishedException if the run is finished
    public static Run resume(Path folder, Terminal terminal) {
        if (!Files.exists(folder.resolve(CONFIG))) {
            throw new ConfigException(folder + ": is no run, it has no " + CONFIG);
        }
        try {
            return locked(folder, terminal, () -> requireResumable(folder));
        } catch (IOException e) {
            throw Durable.failure(folder, "the run cannot be resumed", e);
        }
    }

    /// The same for what a recipe file says, [ConfigFile#portable()] too.
    ///
    /// @param config what the file says, as a record
    /// @throws ConfigException also if the kernels cannot be portable here
    public static Run start(Path folder, ConfigFile file, Record config, Terminal terminal) {
        choose(file);
        return start(folder, file.recipe(), config, terminal);
    }

    private static void choose(ConfigFile file) {
        if (file.portable()) {
            try {
                Kernels.PORTABLE.choose();
            } catch (IllegalStateException e) {
                throw new ConfigException("`portable` cannot be true: " + e.getMessage());
            }
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
            return files.map(file -> file.getFileName().toString()).anyMatch(name -> !LEFT_EARLY.contains(name));
        }
    }

    /// The configuration is written last: what has one knows what it started with.
    private static void begin(Path folder, String recipe, Record config) throws IOException {
        Path file = folder.resolve(CONFIG);
        if (Files.exists(file)) {
            requireSame(folder, recipe, config);
            requireResumable(folder);
            return;
        }
        String text = text(recipe, config);
        Provenance.of(text, config).write(folder);
        Durable.write(file, text.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(String recipe, Record config) {
        return ConfigFile.text(recipe, config, Kernels.chosen() == Kernels.PORTABLE);
    }

    private static void requireResumable(Path folder) throws IOException {
        if (isFinished(folder)) {
            throw new RunFinishedException(folder);
        }
        choose(ConfigFile.open(folder.resolve(CONFIG), List.of())); // before the engine is asked for its threads
        Provenance.read(folder).requireSame(folder, Files.readString(folder.resolve(CONFIG)));
    }

    private static boolean isFinished(Path folder) throws IOException {
        Path file = folder.resolve(SUMMARY);
        return Files.exists(file)
                && SummaryJson.parse(Files.readString(file), file.toString()).status() == Summary.Status.FINISHED;
    }

    private static void requireSame(Path folder, String recipe, Record config) {
        Path file = folder.resolve(CONFIG);
        ConfigFile there = ConfigFile.open(file, List.of());
        if (!there.recipe().equals(recipe)) {
            throw new ConfigException(folder + ": holds a run of another recipe: `recipe` is " + there.recipe()
                    + " there, " + recipe + " here; choose another folder");
        }
        String thereText = ConfigFile.text(recipe, there.as(config.getClass()), there.portable());
        ConfigFile.difference(thereText, text(recipe, config)).ifPresent(difference -> {
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
            lastLoss = Optional.ofNullable(metrics.get("loss")).map(loss -> new Measured(phase, step, loss));
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
    /// @throws RunFailedException naming the first bad metric, the step and the last good checkpoint: the newest
    ///     one that a good step came after, since that of the step before holds what led to the bad number
    public void guard(String phase, long step, Map<String, Double> metrics) {
        for (var metric : MetricsFile.ordered(metrics).entrySet()) {
            if (!Double.isFinite(metric.getValue())) {
                String message = metric.getKey() + " became " + metric.getValue() + " at step " + step + " of " + phase
                        + ", before the parameters were changed; "
                        + lastGood(isUntried(phase));
                log(phase, step, metrics);
                throw failure(message);
            }
        }
        lastGuarded = Optional.of(new Measured(phase, step, metrics.getOrDefault("loss", Double.NaN)));
    }

    /// Whether no step of a phase has been found good that came after a checkpoint: where one is bad, the
    /// checkpoint may hold what it began with.
    private Predicate<SavedCheckpoint> isUntried(String phase) {
        long good = lastGuarded
                .filter(last -> last.isOf(phase))
                .map(Measured::step)
                .or(() -> latest().filter(c -> c.phase().equals(phase)).map(SavedCheckpoint::step))
                .orElse(0L);
        return c -> c.phase().equals(phase) && c.step() >= good;
    }

    /// @param suspect what cannot be called good
    private String lastGood(Predicate<SavedCheckpoint> suspect) {
        List<SavedCheckpoint> all = checkpoints.newestFirst();
        return all.stream()
                .filter(suspect.negate())
                .findFirst()
                .map(c -> "the last good checkpoint is " + words(c))
                .orElse(
                        all.isEmpty()
                                ? "there is no checkpoint yet"
                                : "no checkpoint is known to be good: no step since has shown that of "
                                        + words(all.getFirst()));
    }

    private static String words(SavedCheckpoint c) {
        String loss = c.loss().isPresent() ? ", loss " + (float) c.loss().getAsDouble() : "";
        return c.folder() + " (step " + c.step() + " of " + c.phase() + loss + ")";
    }

    private RunFailedException failure(String message) {
        fail(message);
        return new RunFailedException(message);
    }

    /// Writes a checkpoint and returns when it is safe on the disk; then removes the oldest. One that the run could not
    /// go on from stops the run and is not written.
    ///
    /// @throws RunFailedException if a number in its tensors, or the loss logged for its step, is not finite
    public void save(Checkpoint checkpoint) {
        Optional<Double> loss = lastLoss.filter(last -> last.isOf(checkpoint.phase) && last.step() == checkpoint.step)
                .map(Measured::loss);
        String at = " after step " + checkpoint.step + " of " + checkpoint.phase;
        loss.filter(value -> !Double.isFinite(value)).ifPresent(value -> {
            throw failure("the loss is " + value + at + "; no checkpoint was written; " + lastGood(_ -> false));
        });
        checkpoint.broken().ifPresent(tensor -> {
            String whose =
                    loss.map(value -> ", whose loss was " + value.floatValue()).orElse("");
            throw failure(
                    tensor + " is not finite" + at + whose + "; no checkpoint was written; " + lastGood(_ -> false));
        });
        try {
            metrics.sync();
            OptionalDouble known = loss.map(OptionalDouble::of).orElse(OptionalDouble.empty());
            checkpoints.save(checkpoint, known, metrics.lines(), seconds(), keep);
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

    /// Writes `summary.json`: the summary, what was remarked, and what computes on this thread.
    public void summarise(Summary summary) {
        Summary whole = summary;
        for (String remark : remarks) {
            whole = whole.note(remark);
        }
        try {
            Durable.write(folder.resolve(SUMMARY), SummaryJson.bytes(whole, Platform.here()));
        } catch (IOException e) {
            throw Durable.failure(folder, "summary.json cannot be written", e);
        }
    }

    /// Notes why the run failed, in `log.txt` and as the summary.
    public void fail(String reason) {
        append("failed: " + reason);
        summarise(Summary.of(config.recipe(), Summary.Status.FAILED, seconds()).note(reason));
    }

    /// As [#fail], with the whole trace of what ended the run in `log.txt`.
    public void fail(String reason, Throwable cause) {
        StringWriter trace = new StringWriter();
        cause.printStackTrace(new PrintWriter(trace));
        fail(reason);
        append(trace.toString().stripTrailing());
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

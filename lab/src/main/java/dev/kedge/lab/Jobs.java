package dev.kedge.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.run.Durable;
import dev.kedge.run.Progress;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.RunLock;
import dev.kedge.run.Terminal;
import dev.kedge.run.result.PlatformJson;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Platform;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// Independent pieces of work, spread over the processors. The result of each is on the disk as soon as it is there, so
/// that after a kill the same call goes on where it stood, and does nothing twice. Results remember which code made
/// them: those of other code count, with a warning, unless [#forgetOutdated] came before. Those of another processor or
/// of other kernels do not count.
public final class Jobs {
    private static final String FOLDER = "jobs";
    private static final ObjectMapper JSON = new ObjectMapper();

    private Jobs() {}

    /// A piece of work.
    ///
    /// @param name  the name of its file: letters, digits, points and dashes, told apart from all others
    /// @param what  what is computed, in words: a result that was computed for other words does not count
    /// @param work  runs on a thread of its own, on which the engine uses one thread
    public record Job(String name, String what, Supplier<JsonNode> work) {
        public Job {
            if (!name.matches("[A-Za-z0-9][A-Za-z0-9.-]*")) {
                throw new IllegalArgumentException("a job's name is letters, digits, points and dashes, was " + name);
            }
        }
    }

    /// What a job gave, the processor seconds that its thread took when it ran, and what computed it.
    public record Done(JsonNode result, double seconds, Platform platform) {}

    /// Runs the jobs that are not done yet, and returns what all gave, in their order.
    ///
    /// @param folder holds the results under `jobs/`; made where it is missing
    /// @param phase  what progress is called
    /// @param above  one class of each room above this one that the jobs come from
    /// @throws dev.kedge.config.ConfigException if another process works in the folder
    /// @throws RunFailedException                   naming the job, if one fails; the others' results are safe
    public static List<Done> run(Path folder, List<Job> jobs, String phase, Terminal terminal, Class<?>... above) {
        try {
            Files.createDirectories(folder.resolve(FOLDER));
            try (var _ = RunLock.take(folder)) {
                return new Crew(folder.resolve(FOLDER), jobs, CodeVersion.current(List.of(above)))
                        .work(phase, terminal);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": results cannot be kept: " + e, e);
        }
    }

    /// Forgets what other code did than that which runs now.
    ///
    /// @param above see [#run]
    public static void forgetOutdated(Path folder, Class<?>... above) {
        if (!Files.isDirectory(folder.resolve(FOLDER))) {
            return;
        }
        var code = CodeVersion.current(List.of(above));
        try (var files = Files.list(folder.resolve(FOLDER))) {
            for (var file : files.filter(f -> f.toString().endsWith(".json")).toList()) {
                if (parsed(file).filter(f -> isOf(code, f)).isEmpty()) {
                    Files.delete(file);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": results cannot be deleted: " + e, e);
        }
    }

    private static boolean isOf(String code, JsonNode file) {
        return file.path("code").asText().equals(code);
    }

    /// Empty where the file is not JSON.
    private static Optional<JsonNode> parsed(Path file) throws IOException {
        try {
            return Optional.of(JSON.readTree(Files.readAllBytes(file)));
        } catch (JsonProcessingException _) {
            return Optional.empty();
        }
    }

    /// Forgets what was done.
    public static void forget(Path folder) {
        try {
            Durable.deleteTree(folder.resolve(FOLDER));
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": results cannot be deleted: " + e, e);
        }
    }

    private static final class Crew {
        private final Path folder;
        private final List<Job> jobs;
        private final String code;
        private final Platform platform = Platform.here(1);
        private final Done[] done;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicReference<RuntimeException> failure = new AtomicReference<>();
        private int finished;
        private int outdated;

        Crew(Path folder, List<Job> jobs, String code) {
            this.folder = folder;
            this.jobs = jobs;
            this.code = code;
            done = jobs.stream().map(this::earlier).map(d -> d.orElse(null)).toArray(Done[]::new);
            finished = (int) Arrays.stream(done).filter(Objects::nonNull).count();
        }

        List<Done> work(String phase, Terminal terminal) {
            if (outdated > 0) {
                terminal.warn(
                        "warning: " + outdated + " of " + jobs.size() + " results were measured by other code than "
                                + "that which runs now; --fresh measures them again");
            }
            int left = jobs.size() - finished;
            int threads = Math.min(left, Runtime.getRuntime().availableProcessors());
            if (left > 0) {
                int engineThreads = Engine.threads();
                try (var progress = Progress.of(terminal, phase, finished, jobs.size())) {
                    var workers = IntStream.range(0, threads)
                            .mapToObj(i -> Thread.ofPlatform()
                                    .daemon()
                                    .name("job-" + i)
                                    .start(() -> takeTurns(progress)))
                            .toList();
                    workers.forEach(this::await);
                } finally {
                    Engine.useThreads(engineThreads);
                }
            }
            if (failure.get() != null) {
                throw failure.get();
            }
            return List.of(done);
        }

        private void takeTurns(Progress progress) {
            try {
                Engine.useThreads(1);
                for (int i = next.getAndIncrement(); i < done.length; i = next.getAndIncrement()) {
                    if (failure.get() != null) {
                        return;
                    }
                    if (done[i] == null) {
                        carryOut(i, progress);
                    }
                }
            } catch (RuntimeException | Error e) {
                failure.compareAndSet(null, new RunFailedException("no job can be carried out: " + e, e));
            }
        }

        private void carryOut(int i, Progress progress) {
            try {
                done[i] = carryOut(jobs.get(i));
                tell(progress, jobs.get(i));
            } catch (RuntimeException | Error e) {
                var message = jobs.get(i).name() + ": " + (e.getMessage() == null ? e : e.getMessage());
                failure.compareAndSet(null, new RunFailedException(message, e));
            }
        }

        private synchronized void tell(Progress progress, Job job) {
            progress.step(++finished, job.name());
        }

        private void await(Thread worker) {
            try {
                worker.join();
            } catch (InterruptedException e) {
                failure.compareAndSet(null, new RunFailedException("interrupted; what is done is safe", e));
                Thread.currentThread().interrupt();
            }
        }

        private Done carryOut(Job job) {
            var clock = ManagementFactory.getThreadMXBean(); // other work on the machine does not count
            long began = clock.getCurrentThreadCpuTime();
            JsonNode result = job.work().get();
            double seconds = (clock.getCurrentThreadCpuTime() - began) / 1e9;
            var file = JSON.createObjectNode();
            file.put("what", job.what());
            file.put("code", code);
            file.put("seconds", seconds);
            file.set("platform", PlatformJson.write(platform));
            file.set("result", result);
            try {
                Durable.write(file(job), JSON.writeValueAsBytes(file));
            } catch (IOException e) {
                throw new UncheckedIOException(file(job) + ": cannot be written", e);
            }
            return new Done(result, seconds, platform);
        }

        /// What an earlier call gave; a file that cannot be read, or was made for other words or elsewhere, is none.
        private Optional<Done> earlier(Job job) {
            if (!Files.exists(file(job))) {
                return Optional.empty();
            }
            try {
                var file = parsed(file(job))
                        .filter(f -> f.path("what").asText().equals(job.what()) && f.hasNonNull("result"))
                        .filter(f -> PlatformJson.read(f.path("platform")).equals(Optional.of(platform)));
                outdated += file.isPresent() && !isOf(code, file.get()) ? 1 : 0;
                return file.map(f -> new Done(f.get("result"), f.path("seconds").asDouble(), platform));
            } catch (IOException e) {
                throw new UncheckedIOException(file(job) + ": cannot be read", e);
            }
        }

        private Path file(Job job) {
            return folder.resolve(job.name() + ".json");
        }
    }
}

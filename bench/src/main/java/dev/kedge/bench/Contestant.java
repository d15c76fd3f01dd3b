package dev.kedge.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A process of its own that waits for a line, works, and answers with a line of JSON: one computes at a time, while
/// the others sleep on their standard input, and the peak memory of each is its own.
final class Contestant implements AutoCloseable {
    /// Idle OpenMP threads sleep: what Kedge sets for itself, and what Python may be given.
    static final Map<String, String> PASSIVE = Map.of("OMP_WAIT_POLICY", "passive", "GOMP_SPINCOUNT", "0");

    private static final Path PYTHON = Path.of("/usr/bin/python3");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String name;
    private final Process process;
    private final PrintStream toProcess;
    private final BufferedReader fromProcess;

    private Contestant(String name, List<String> command, Map<String, String> settings) {
        this.name = name;
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        PASSIVE.keySet().forEach(builder.environment()::remove); // the launcher's own are not for everybody
        builder.environment().putAll(settings);
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        toProcess = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
        fromProcess = process.inputReader(StandardCharsets.UTF_8);
    }

    /// A JVM that runs [Worker].
    static Contestant java(String name, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-XX:+UseSerialGC",
                "-Xshare:auto",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.kedge.bench.Worker"));
        command.addAll(List.of(arguments));
        return new Contestant(name, command, PASSIVE);
    }

    /// Python on `decoder.py`, which is written to the workload's folder.
    static Contestant python(String name, Path folder, Map<String, String> settings) {
        Path script = folder.resolve("decoder.py");
        try (var source = Contestant.class.getResourceAsStream("decoder.py")) {
            Files.write(script, source.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Contestant(name, List.of(PYTHON.toString(), script.toString(), folder.toString()), settings);
    }

    /// Whether Debian's python3 has torch.
    static boolean pythonHasTorch() {
        if (!Files.isExecutable(PYTHON)) {
            return false;
        }
        try {
            return new ProcessBuilder(PYTHON.toString(), "-c", "import torch")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException | InterruptedException _) {
            return false;
        }
    }

    String name() {
        return name;
    }

    /// Sends a line and waits for the answer.
    ///
    /// @throws IllegalStateException if the process has ended
    JsonNode ask(String line) {
        toProcess.println(line);
        try {
            String answer = fromProcess.readLine();
            if (answer == null) {
                throw new IllegalStateException("the process of " + name + " ended at '" + line + "'");
            }
            return JSON.readTree(answer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The most memory the process has had resident, bytes.
    long peakBytes() {
        return memory(process.pid(), "VmHWM");
    }

    /// A line of a process's status, bytes; -1 where the system does not tell.
    static long memory(long pid, String key) {
        try (var lines = Files.lines(Path.of("/proc/" + pid + "/status"))) {
            return lines.filter(l -> l.startsWith(key + ":"))
                    .mapToLong(l -> 1024 * Long.parseLong(l.replaceAll("\\D", "")))
                    .findFirst()
                    .orElse(-1);
        } catch (IOException | UncheckedIOException _) {
            return -1;
        }
    }

    @Override
    public void close() {
        toProcess.close();
        try {
            process.waitFor();
        } catch (InterruptedException _) {
            process.destroy();
            Thread.currentThread().interrupt();
        }
    }
}

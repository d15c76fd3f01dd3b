package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.config.ConfigException;
import dev.kedge.config.ConfigFile;
import dev.kedge.run.result.Summary;
import dev.kedge.run.result.SummaryJson;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunTest {
    record Inner(double learningRate, List<Double> betas) {}

    record Config(int steps, Inner optimizer) {}

    private static final Config CONFIG = new Config(10, new Inner(1e-3, List.of(0.1, 0.2)));

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    @TempDir
    Path folder;

    private Run start(Path where, Record config) {
        return Run.start(where, "tiny", config, new Terminal(new PrintStream(said, true), Terminal.Mode.LINES));
    }

    private Run start() {
        return start(folder.resolve("run"), CONFIG);
    }

    private static String refusal(Runnable action) {
        String message = assertThrows(ConfigException.class, action::run).getMessage();
        assertEquals(1, message.lines().count(), message);
        return message;
    }

    private List<String> lines() throws IOException {
        return Files.readAllLines(folder.resolve("run/metrics.jsonl")).stream()
                .map(line -> line.replaceFirst("\"time_s\":[0-9.E-]+,", ""))
                .toList();
    }

    @Test
    void aNewRunWritesItsConfigurationWhichAResumedOneReads() throws IOException {
        start().close();
        assertEquals(ConfigFile.text("tiny", CONFIG, false), Files.readString(folder.resolve("run/config.yaml")));
        try (Run run = Run.resume(folder.resolve("run"), Terminal.quiet())) {
            assertEquals("tiny", run.config().recipe());
            assertEquals(CONFIG, run.config().as(Config.class));
            assertTrue(run.latest().isEmpty());
        }
    }

    @Test
    void aRemarkIsSaidOnceAndStandsInEverySummary() throws IOException {
        try (Run run = start()) {
            run.remark("3 of 9 records repeat");
            run.remark("3 of 9 records repeat");
            run.summarise(Summary.of("tiny", Summary.Status.FINISHED, 1).note("first"));
            assertEquals(List.of("first", "3 of 9 records repeat"), summary().notes());
            run.fail("why");
            assertEquals(List.of("why", "3 of 9 records repeat"), summary().notes());
        }
        assertEquals(1, said.toString(StandardCharsets.UTF_8).split("3 of 9", -1).length - 1);
    }

    private Summary summary() throws IOException {
        return SummaryJson.parse(Files.readString(folder.resolve("run/summary.json")), "summary.json");
    }

    @Test
    void aFolderOfOtherFilesIsRefusedAndLeftAlone() throws IOException {
        Path other = Files.createDirectory(folder.resolve("run"));
        Files.writeString(other.resolve("thesis.txt"), "dear");
        assertEquals(other + ": is not empty and no run; choose a new or empty folder", refusal(this::start));
        try (var files = Files.list(other)) {
            assertEquals(List.of(other.resolve("thesis.txt")), files.toList());
        }
        Path file = other.resolve("thesis.txt");
        assertEquals(file + ": is a file; choose a new folder for the run", refusal(() -> start(file, CONFIG)));
        assertEquals(other + ": is no run, it has no config.yaml", refusal(() -> Run.resume(other, Terminal.quiet())));
    }

    @Test
    void whatAnEarlyKillLeavesIsNoObstacle() throws IOException {
        Path left = Files.createDirectory(folder.resolve("run"));
        Files.createFile(left.resolve(".lock"));
        Files.writeString(left.resolve(".config.yaml.tmp"), "recipe: ti");
        start().close();
        start().close();
    }

    @Test
    void anotherConfigurationIsRefusedNamingTheKey() {
        start().close();
        Path run = folder.resolve("run");
        assertEquals(
                run + ": holds a run of another configuration: `steps` is 10 there, 11 here; choose another folder",
                refusal(() -> start(run, new Config(11, CONFIG.optimizer()))));
        assertTrue(refusal(() -> start(run, new Config(10, new Inner(1e-4, List.of(0.1, 0.2)))))
                .contains("`optimizer.learning_rate` is 0.001 there, 1e-4 here"));
        assertTrue(refusal(() -> start(run, new Config(10, new Inner(1e-3, List.of(0.1, 0.3)))))
                .contains("`optimizer.betas[1]` is 0.2 there, 0.3 here"));
        assertTrue(refusal(() -> start(run, new Config(10, new Inner(1e-3, List.of(0.1)))))
                .contains("`optimizer.betas` is a list of 2 there, a list of 1 here"));
        assertTrue(refusal(() -> Run.start(run, "dpo", CONFIG, Terminal.quiet()))
                .contains("`recipe` is tiny there, dpo here"));
        start(run, CONFIG).close();
    }

    @Test
    void oneWriterAtATime() {
        try (Run _ = start()) {
            assertTrue(refusal(this::start).contains("another process is writing this run"));
        }
        start().close();
    }

    @Test
    void aRefusedStartLetsGoOfTheFolder() {
        start().close();
        refusal(() -> start(folder.resolve("run"), new Config(11, CONFIG.optimizer())));
        start().close();
    }

    @Test
    void foldersOfTheSameSecondDiffer() {
        Path first = Run.newFolder(folder.resolve("runs"), "dpo");
        Path second = Run.newFolder(folder.resolve("runs"), "dpo");
        assertFalse(first.equals(second));
        assertTrue(first.getFileName().toString().matches("dpo-\\d{8}-\\d{6}-\\d+"), first.toString());
        start(first, CONFIG).close();
    }

    @Test
    void metricsAreLinesOfJsonAtOnce() throws IOException {
        try (Run run = start()) {
            Map<String, Double> metrics = new LinkedHashMap<>();
            metrics.put("loss", 0.5);
            metrics.put("a/b", Double.NaN);
            metrics.put("up", Double.POSITIVE_INFINITY);
            metrics.put("down", Double.NEGATIVE_INFINITY);
            run.log("dpo", 12, metrics);
            String line = Files.readString(folder.resolve("run/metrics.jsonl"));
            assertTrue(
                    line.matches("\\{\"step\":12,\"time_s\":\\d+\\.\\d+,\"phase\":\"dpo\",\"loss\":0.5,\"a/b\":\"NaN\","
                            + "\"up\":\"Infinity\",\"down\":\"-Infinity\"}\n"),
                    line);
            assertEquals("NaN", new ObjectMapper().readTree(line).get("a/b").textValue());
            run.log("eval", 1, Map.of("z", 1.0, "a", 2.0, "m", 3.0));
            assertEquals("{\"step\":1,\"phase\":\"eval\",\"a\":2.0,\"m\":3.0,\"z\":1.0}", lines().get(1));
            assertThrows(IllegalArgumentException.class, () -> run.log("x", 1, Map.of("step", 1.0)));
            assertEquals(2, lines().size());
        }
    }

    @Test
    void metricsBeyondTheCheckpointAreCutOffWhateverTheirPhase() throws IOException {
        try (Run run = start()) {
            run.log("warm", 9, Map.of("loss", 9.0));
            run.log("fit", 1, Map.of("loss", 1.0));
            run.save(Checkpoint.at("fit", 1));
            run.log("eval", 1, Map.of("loss", 5.0));
            run.log("fit", 2, Map.of("loss", 2.0));
        }
        Files.writeString(folder.resolve("run/metrics.jsonl"), "{\"step\":3,\"ti", StandardOpenOption.APPEND);
        try (Run run = start()) {
            assertEquals(1, run.latest().orElseThrow().step());
            assertEquals(2, lines().size());
            run.log("fit", 2, Map.of("loss", 2.5));
        }
        assertEquals(
                List.of(
                        "{\"step\":9,\"phase\":\"warm\",\"loss\":9.0}",
                        "{\"step\":1,\"phase\":\"fit\",\"loss\":1.0}",
                        "{\"step\":2,\"phase\":\"fit\",\"loss\":2.5}"),
                lines());
    }

    @Test
    void withoutACheckpointTheRunStartsFromItsBeginning() throws IOException {
        try (Run run = start()) {
            run.log("fit", 1, Map.of("loss", 1.0));
        }
        start().close();
        assertEquals(List.of(), lines());
    }

    @Test
    void lostMetricsAreToldOf() throws IOException {
        try (Run run = start()) {
            run.log("fit", 1, Map.of("loss", 1.0));
            run.log("fit", 2, Map.of("loss", 1.0));
            run.save(Checkpoint.at("fit", 2));
        }
        Files.writeString(folder.resolve("run/metrics.jsonl"), "{}\n{");
        start().close();
        assertTrue(said.toString(StandardCharsets.UTF_8)
                .contains("warning: metrics.jsonl has only 1 of the 2 lines of the checkpoint"));
        assertEquals(List.of("{}"), lines());
    }

    @Test
    void theGuardNamesTheFirstBadMetricTheStepAndTheSafeCheckpoint() throws IOException {
        try (Run run = start()) {
            Map<String, Double> metrics = new LinkedHashMap<>();
            metrics.put("loss", 1.0);
            metrics.put("grad_norm", 2.0);
            run.guard("dpo", 1, metrics);
            metrics.put("loss", Double.POSITIVE_INFINITY);
            metrics.put("grad_norm", Double.NaN);
            String early = assertThrows(RunFailedException.class, () -> run.guard("dpo", 2, metrics))
                    .getMessage();
            assertTrue(
                    early.startsWith("loss became Infinity at step 2 of dpo")
                            && early.endsWith("there is no checkpoint yet"),
                    early);
            metrics.put("loss", 0.25);
            run.log("dpo", 5, metrics);
            run.save(Checkpoint.at("dpo", 5));
            metrics.put("grad_norm", 1.0);
            run.guard("dpo", 6, metrics);
            metrics.put("grad_norm", Double.NaN);
            String late = assertThrows(RunFailedException.class, () -> run.guard("dpo", 7, metrics))
                    .getMessage();
            assertEquals(
                    "grad_norm became NaN at step 7 of dpo, before the parameters were changed; "
                            + "the last good checkpoint is " + folder.resolve("run/checkpoints/step-5")
                            + " (step 5 of dpo, loss 0.25)",
                    late);
            assertTrue(Files.readString(folder.resolve("run/log.txt")).contains("failed: " + late));
            var summary = new ObjectMapper()
                    .readTree(folder.resolve("run/summary.json").toFile());
            assertEquals("failed", summary.get("status").textValue());
            assertEquals(late, summary.get("notes").get(0).textValue());
            assertTrue(lines().getLast().contains("\"grad_norm\":\"NaN\""));
        }
    }

    @Test
    void timeGoesOnFromTheCheckpoint() throws Exception {
        double saved;
        try (Run run = start()) {
            Thread.sleep(30);
            run.save(Checkpoint.at("fit", 1));
            saved = run.latest().orElseThrow().seconds();
            assertTrue(saved >= 0.03);
        }
        try (Run run = start()) {
            assertTrue(run.seconds() >= saved);
        }
    }

    @Test
    void notesGoToTheLogAndTheTerminalUnlessQuiet() throws IOException {
        try (Run run = start()) {
            run.note("hello");
        }
        try (Run run = Run.start(
                folder.resolve("run"),
                "tiny",
                CONFIG,
                new Terminal(new PrintStream(said, true), Terminal.Mode.QUIET))) {
            run.note("whisper");
        }
        String log = Files.readString(folder.resolve("run/log.txt"));
        assertTrue(log.contains(" hello\n") && log.contains(" whisper\n"), log);
        String terminal = said.toString(StandardCharsets.UTF_8);
        assertTrue(terminal.contains("hello") && !terminal.contains("whisper"), terminal);
    }
}

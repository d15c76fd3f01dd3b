package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {
    record Config(int steps) {}

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    @TempDir
    Path folder;

    private Scope scope;

    @BeforeEach
    void open() {
        scope = new Scope();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private Run run() {
        return Run.start(
                folder.resolve("run"),
                "tiny",
                new Config(1),
                new Terminal(new PrintStream(said, true), Terminal.Mode.QUIET));
    }

    private Path checkpoint(String name) {
        return folder.resolve("run/checkpoints").resolve(name);
    }

    private List<String> checkpoints() throws IOException {
        try (var files = Files.list(folder.resolve("run/checkpoints"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static void save(Run run, String phase, long step) {
        run.save(Checkpoint.at(phase, step)
                .tensors("model", Map.of("w", Tensor.of((double) step, 2.0, 3.0)))
                .count("step", step));
    }

    @Test
    void everythingComesBackAsItWas() {
        try (Run run = run();
                Rng rng = Rng.seeded(5);
                Rng other = Rng.seeded(6)) {
            rng.normal(3);
            Tensor weights = Tensor.of(new double[] {Double.MAX_VALUE, -0.0, 1e-300, 4}, 2, 2);
            run.save(Checkpoint.at("dpo", 3)
                    .tensors("model", Map.of("w", weights, "step", Creation.zeros(DType.FLOAT32, Device.CPU)))
                    .tensors("optimizer", Map.of("m", Tensor.of(new long[] {1, Long.MAX_VALUE}, 2)))
                    .generator("batches", rng)
                    .count("epoch", Long.MIN_VALUE)
                    .number("best", Double.NEGATIVE_INFINITY)
                    .number("whole", 3)
                    .number("small", 0.1 + 0.2)
                    .text("note", "NaN \"é\"\n"));
            for (SavedCheckpoint saved : List.of(run.latest().orElseThrow(), reopened(run))) {
                assertEquals("dpo", saved.phase());
                assertEquals(3, saved.step());
                assertEquals(List.of("model", "optimizer"), saved.groups());
                assertEquals(Long.MIN_VALUE, saved.count("epoch"));
                assertEquals(Double.NEGATIVE_INFINITY, saved.number("best"));
                assertEquals(3.0, saved.number("whole"));
                assertEquals(0.1 + 0.2, saved.number("small"));
                assertEquals("NaN \"é\"\n", saved.text("note"));
                Tensor live = Creation.zeros(DType.FLOAT64, Device.CPU, 2, 2);
                saved.restore("model", Map.of("w", live, "step", Creation.ones(DType.FLOAT32, Device.CPU)));
                assertArrayEquals(weights.toDoubles(), live.toDoubles());
                assertArrayEquals(
                        new long[] {1, Long.MAX_VALUE},
                        saved.tensors("optimizer").get("m").toLongs());
                saved.restore("batches", other);
                assertArrayEquals(rng.state(), other.state());
            }
        }
    }

    private SavedCheckpoint reopened(Run run) {
        run.close();
        try (Run again = run()) {
            return again.latest().orElseThrow();
        }
    }

    @Test
    void restoringLeaksNoTensors() {
        try (Run run = run()) {
            save(run, "fit", 1);
            Map<String, Tensor> live = Map.of("w", Creation.zeros(DType.FLOAT64, Device.CPU, 3));
            long before = Scope.liveTensors();
            run.latest().orElseThrow().restore("model", live);
            assertEquals(before, Scope.liveTensors());
        }
    }

    @Test
    void whatDoesNotFitIsRefusedWithWhatIsThere() {
        try (Run run = run();
                Rng rng = Rng.seeded(1)) {
            save(run, "fit", 1);
            SavedCheckpoint saved = run.latest().orElseThrow();
            Path at = checkpoint("step-1");
            Tensor w = Creation.zeros(DType.FLOAT64, Device.CPU, 3);
            assertEquals(
                    at + ": holds no tensors `best`, only [model]", failure(() -> saved.restore("best", Map.of())));
            assertEquals(
                    at + ": `model` holds the tensors [w], expected [v]",
                    failure(() -> saved.restore("model", Map.of("v", w))));
            assertEquals(
                    at + ": `model` holds w as FLOAT64[3], expected FLOAT64[1, 3]",
                    failure(() -> saved.restore("model", Map.of("w", w.reshape(1, 3)))));
            assertEquals(
                    at + ": `model` holds w as FLOAT64[3], expected FLOAT32[3]",
                    failure(() -> saved.restore("model", Map.of("w", w.to(DType.FLOAT32)))));
            assertEquals(at + ": holds no `epoch` among its counts, only [step]", failure(() -> saved.count("epoch")));
            assertEquals(
                    at + ": holds no `batches` among its generators, only []",
                    failure(() -> saved.restore("batches", rng)));
        }
    }

    private static String failure(Runnable action) {
        return assertThrows(RunFailedException.class, action::run).getMessage();
    }

    @Test
    void namesAreCheckedAndGivenOnce() {
        Checkpoint checkpoint = Checkpoint.at("fit", 1).count("a", 1);
        assertThrows(IllegalArgumentException.class, () -> checkpoint.count("a", 2));
        assertThrows(IllegalArgumentException.class, () -> checkpoint.tensors("../x", Map.of()));
        assertThrows(IllegalArgumentException.class, () -> Checkpoint.at("fit", -1));
    }

    @Test
    void theLastTwoAreKeptUnlessToldOtherwise() throws IOException {
        try (Run run = run()) {
            for (int step = 1; step <= 4; step++) {
                save(run, "fit", step);
            }
            assertEquals(List.of("step-3", "step-4"), checkpoints());
            run.keepCheckpoints(1);
            save(run, "fit", 5);
            assertEquals(List.of("step-5"), checkpoints());
            run.keepCheckpoints(3);
            save(run, "fit", 10);
            save(run, "fit", 11);
            assertEquals(List.of("step-10", "step-11", "step-5"), checkpoints());
            assertThrows(IllegalArgumentException.class, () -> run.keepCheckpoints(0));
        }
    }

    @Test
    void aLaterPhaseMayCountItsStepsAnew() throws IOException {
        try (Run run = run()) {
            save(run, "warm", 10);
            save(run, "fit", 1);
        }
        try (Run run = run()) {
            assertEquals("fit", run.latest().orElseThrow().phase());
            run.keepCheckpoints(3);
            save(run, "fit", 10);
            assertEquals(3, checkpoints().size());
        }
        try (Run run = run()) {
            SavedCheckpoint latest = run.latest().orElseThrow();
            assertEquals("fit", latest.phase());
            assertEquals(10, latest.step());
            save(run, "fit", 10);
            assertEquals(2, checkpoints().size());
            assertEquals(10, run.latest().orElseThrow().step());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "state.json", "manifest.json"})
    void aFlippedBitIsFoundAndTheCheckpointBeforeUsed(String file) throws IOException {
        for (long seed = 0; seed < 5; seed++) {
            damage(file, seed);
        }
    }

    private void damage(String file, long seed) throws IOException {
        Durable.deleteTree(folder.resolve("run"));
        twoCheckpoints();
        Path damaged = checkpoint("step-2").resolve(file);
        byte[] bytes = Files.readAllBytes(damaged);
        int at;
        do { // white space between the manifest's tokens says nothing
            at = new Random(seed++).nextInt(bytes.length);
        } while (Character.isWhitespace(bytes[at]));
        bytes[at] ^= 4;
        Files.write(damaged, bytes);
        assertFallsBackToTheFirst();
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "state.json", "manifest.json"})
    void aTruncatedFileIsFound(String file) throws IOException {
        twoCheckpoints();
        Path damaged = checkpoint("step-2").resolve(file);
        byte[] bytes = Files.readAllBytes(damaged);
        Files.write(damaged, Arrays.copyOf(bytes, bytes.length / 2));
        assertFallsBackToTheFirst();
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "state.json", "manifest.json"})
    void anEmptyFileIsFound(String file) throws IOException {
        twoCheckpoints();
        Files.write(checkpoint("step-2").resolve(file), new byte[0]);
        assertFallsBackToTheFirst();
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "state.json", "manifest.json"})
    void aMissingFileIsFound(String file) throws IOException {
        twoCheckpoints();
        Files.delete(checkpoint("step-2").resolve(file));
        assertFallsBackToTheFirst();
    }

    private void twoCheckpoints() {
        said.reset();
        try (Run run = run()) {
            run.log("fit", 1, Map.of("loss", 1.0));
            save(run, "fit", 1);
            run.log("fit", 2, Map.of("loss", 2.0));
            save(run, "fit", 2);
        }
        assertEquals("", said.toString(StandardCharsets.UTF_8));
    }

    private void assertFallsBackToTheFirst() throws IOException {
        try (Run run = run()) {
            SavedCheckpoint latest = run.latest().orElseThrow();
            assertEquals(1, latest.step());
            assertEquals(1, latest.tensors("model").get("w").toDoubles()[0]);
            String warning = said.toString(StandardCharsets.UTF_8);
            assertTrue(warning.startsWith("warning: " + checkpoint("step-2") + " is damaged and not used: "), warning);
            assertEquals(1, warning.lines().count(), warning);
            assertTrue(Files.readString(folder.resolve("run/log.txt")).contains("step-2 is damaged"));
            assertEquals(
                    1, Files.readAllLines(folder.resolve("run/metrics.jsonl")).size());
            run.log("fit", 2, Map.of("loss", 2.0));
            save(run, "fit", 2);
            assertEquals(2, checkpoints().size());
        }
        said.reset();
        try (Run run = run()) {
            assertEquals(2, run.latest().orElseThrow().step());
            assertEquals("", said.toString(StandardCharsets.UTF_8));
        }
    }

    @Test
    void whenAllAreDamagedTheRunIsNotSilentlyStartedAnew() throws IOException {
        twoCheckpoints();
        Files.delete(checkpoint("step-1").resolve("state.json"));
        Files.delete(checkpoint("step-2").resolve("manifest.json"));
        String message = assertThrows(RunFailedException.class, this::run).getMessage();
        assertEquals(
                folder.resolve("run/checkpoints") + ": all 2 checkpoints are damaged; "
                        + "delete this folder to start the run from its beginning",
                message);
        assertEquals(2, Files.readAllLines(folder.resolve("run/metrics.jsonl")).size());
        Durable.deleteTree(folder.resolve("run/checkpoints"));
        try (Run run = run()) {
            assertTrue(run.latest().isEmpty());
        }
    }

    @Test
    void halfWrittenAndHalfRemovedCheckpointsAreCleanedAway() throws IOException {
        twoCheckpoints();
        for (String name : List.of(".saving", ".removing")) {
            Files.createDirectory(checkpoint(name));
            Files.writeString(checkpoint(name).resolve("state.json"), "{");
        }
        try (Run run = run()) {
            assertEquals(2, run.latest().orElseThrow().step());
        }
        assertEquals(List.of("step-1", "step-2"), checkpoints());
        assertEquals("", said.toString(StandardCharsets.UTF_8));
    }
}

package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Kills a training process (SIGKILL) at random moments, resumes it each time, and compares with one left in peace.
class KillTest {
    @TempDir
    Path folder;

    @Test
    void withACheckpointEveryStep() throws Exception {
        // Most of a step is spent writing its checkpoint, so most kills fall into the writing.
        killAndCompare(30, 1, 5, 20261);
    }

    @Test
    void withACheckpointNowAndThen() throws Exception {
        killAndCompare(200, 7, 2, 20262);
    }

    private void killAndCompare(int steps, int every, int kills, long seed) throws Exception {
        Random random = new Random(seed);
        Path killed = folder.resolve("killed");
        int stepsOfAll = 0;
        for (int kill = 0; kill < kills; kill++) {
            int survived = random.nextInt(2 * steps / kills);
            boolean whileSaving = random.nextBoolean();
            stepsOfAll += runUntilKilled(killed, steps, every, survived, whileSaving ? -1 : random.nextInt(20));
        }
        assertTrue(stepsOfAll > kills, "no process got past its first step: the kills proved nothing");
        Process last = process(killed, steps, every)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertEquals(0, last.waitFor());

        Path undisturbed = folder.resolve("undisturbed");
        TinyTraining.train(undisturbed, steps, every, new PrintStream(OutputStream.nullOutputStream()));
        List<String> expected = metrics(undisturbed);
        assertEquals(2 * steps, expected.size());
        assertEquals(expected, metrics(killed), "seed " + seed);
        for (String file : List.of("final.safetensors", "best.safetensors", "config.yaml")) {
            assertArrayEquals(
                    Files.readAllBytes(undisturbed.resolve(file)), Files.readAllBytes(killed.resolve(file)), file);
        }
    }

    /// Lets a process train for some steps and some milliseconds more, then kills it.
    ///
    /// @param millis -1 to wait until a checkpoint is being written instead
    /// @return the number of steps that it told of
    private int runUntilKilled(Path run, int steps, int every, int survived, int millis) throws Exception {
        Process process = process(run, steps, every).redirectErrorStream(true).start();
        List<String> lines = new ArrayList<>();
        try (BufferedReader out = process.inputReader()) {
            // The first line says that the process is up, so without steps it dies while it opens the run.
            while (lines.size() <= survived) {
                String line = out.readLine();
                if (line == null) {
                    break;
                }
                lines.add(line);
            }
            Path saving = run.resolve("checkpoints/.saving/state.json");
            while (millis < 0 && process.isAlive() && !Files.exists(saving)) {
                Thread.onSpinWait();
            }
            Thread.sleep(Math.max(0, millis));
            process.toHandle().destroyForcibly(); // the process's own method would close its output, unread
            out.lines().forEach(lines::add);
        }
        assertEquals(128 + 9, process.waitFor(), () -> "not killed, but ended by itself: " + lines);
        return lines.size() - 1;
    }

    private static ProcessBuilder process(Path run, int steps, int every) {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        return new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-cp",
                classPath,
                TinyTraining.class.getName(),
                run.toString(),
                "" + steps,
                "" + every);
    }

    private static List<String> metrics(Path run) throws IOException {
        return Files.readAllLines(run.resolve("metrics.jsonl")).stream()
                .map(line -> line.replaceFirst("\"time_s\":[0-9.E-]+,", ""))
                .toList();
    }
}

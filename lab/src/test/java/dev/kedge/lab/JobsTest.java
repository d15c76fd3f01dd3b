package dev.kedge.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import dev.kedge.config.ConfigException;
import dev.kedge.lab.Jobs.Done;
import dev.kedge.lab.Jobs.Job;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.Terminal;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Platform;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class JobsTest {
    private static final int COUNT = 12;

    @TempDir
    Path folder;

    /// Jobs that were carried out.
    private final ConcurrentLinkedQueue<Integer> ran = new ConcurrentLinkedQueue<>();

    private List<Job> jobs(String what) {
        return IntStream.range(0, COUNT)
                .mapToObj(i -> new Job("job-" + i, what, () -> {
                    ran.add(i);
                    return DoubleNode.valueOf(i + 0.1);
                }))
                .toList();
    }

    private List<Done> run(List<Job> jobs) {
        return Jobs.run(folder, jobs, "test", Terminal.quiet());
    }

    private static double[] numbers(List<Done> done) {
        return done.stream()
                .map(Done::result)
                .mapToDouble(JsonNode::doubleValue)
                .toArray();
    }

    @Test
    void resultsComeInTheOrderOfTheJobsAndNothingRunsTwice() {
        var first = run(jobs("a"));
        assertEquals(COUNT, ran.size());
        var second = run(jobs("a"));
        assertEquals(COUNT, ran.size());
        assertEquals(first, second);
        for (int i = 0; i < COUNT; i++) {
            assertEquals(i + 0.1, numbers(first)[i]);
        }
    }

    @Test
    void everyProcessorHasAThreadOnWhichTheEngineUsesOne() {
        int before = Engine.threads();
        Set<String> threads = ConcurrentHashMap.newKeySet();
        run(IntStream.range(0, 40)
                .mapToObj(i -> new Job("j" + i, "a", () -> {
                    threads.add(Thread.currentThread().getName() + ": " + Engine.threads());
                    sleep(5);
                    return IntNode.valueOf(i);
                }))
                .toList());
        assertEquals(Runtime.getRuntime().availableProcessors(), threads.size(), threads.toString());
        assertTrue(threads.stream().allMatch(t -> t.endsWith(": 1")), threads.toString());
        assertEquals(before, Engine.threads());
    }

    @Test
    void whatWasDoneBeforeAFailureIsNotDoneAgain() {
        var broken = new AtomicBoolean(true);
        var jobs = IntStream.range(0, COUNT)
                .mapToObj(i -> new Job("job-" + i, "a", () -> {
                    if (i == 7 && broken.get()) {
                        throw new IllegalStateException("the sea is rough");
                    }
                    ran.add(i);
                    return IntNode.valueOf(i);
                }))
                .toList();
        var e = assertThrows(RunFailedException.class, () -> run(jobs));
        assertEquals("job-7: the sea is rough", e.getMessage());
        int done = ran.size();
        assertTrue(done >= 6 && done < COUNT, ran.toString());
        broken.set(false);
        run(jobs);
        assertEquals(COUNT, ran.size(), "each exactly once: " + ran);
        assertEquals(COUNT, Set.copyOf(ran).size(), "each exactly once: " + ran);
    }

    /// The child is killed while it works; what it left is whole, and only the rest is done here.
    @Test
    void whatWasDoneBeforeAKillIsNotDoneAgain() throws IOException, InterruptedException {
        var child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        Child.class.getName(),
                        folder.toString())
                .inheritIO()
                .start();
        try {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (finished() < 4 && child.isAlive() && System.nanoTime() < end) {
                sleep(2);
            }
        } finally {
            child.destroyForcibly().waitFor();
        }
        long left = finished();
        assertTrue(left >= 4 && left < Child.COUNT, "killed in the middle, after " + left);
        var results = run(Child.jobs(ran, 0));
        assertEquals(Child.COUNT - left, ran.size());
        assertEquals(Child.COUNT, results.size());
        assertEquals(IntStream.range(0, Child.COUNT).sum(), (int)
                Arrays.stream(numbers(results)).sum());
    }

    private long finished() throws IOException {
        if (!Files.exists(folder.resolve("jobs"))) {
            return 0;
        }
        try (var files = Files.list(folder.resolve("jobs"))) {
            return files.filter(f -> f.toString().endsWith(".json")).count();
        }
    }

    /// Slow jobs, for a process that is to be killed.
    static final class Child {
        static final int COUNT = 200;

        static List<Job> jobs(ConcurrentLinkedQueue<Integer> ran, int millis) {
            return IntStream.range(0, COUNT)
                    .mapToObj(i -> new Job("slow-" + i, "a", () -> {
                        ran.add(i);
                        sleep(millis);
                        return IntNode.valueOf(i);
                    }))
                    .toList();
        }

        public static void main(String[] arguments) {
            Jobs.run(Path.of(arguments[0]), jobs(new ConcurrentLinkedQueue<>(), 100), "child", Terminal.quiet());
        }
    }

    @Test
    void otherWordsAreOtherWork() {
        run(jobs("beta 0.1"));
        run(jobs("beta 0.2"));
        assertEquals(2 * COUNT, ran.size());
    }

    @Test
    void aDamagedResultIsMeasuredAgain() throws IOException {
        run(jobs("a"));
        Files.writeString(folder.resolve("jobs/job-3.json"), "{\"what\": \"a\", \"resu");
        Files.writeString(folder.resolve("jobs/job-4.json"), "{\"what\": \"a\", \"result\": null}");
        ran.clear();
        run(jobs("a"));
        assertEquals(Set.of(3, 4), Set.copyOf(ran));
    }

    @Test
    void resultsOfOtherCodeCountWithAWarningUntilTheyAreForgotten() throws IOException {
        run(jobs("a"));
        var file = folder.resolve("jobs/job-3.json");
        Files.writeString(file, Files.readString(file).replace(CodeVersion.current(List.of()), "0badc0de"));
        var said = new ByteArrayOutputStream();
        Jobs.run(folder, jobs("a"), "test", new Terminal(new PrintStream(said, true), Terminal.Mode.QUIET));
        assertEquals(COUNT, ran.size());
        assertTrue(said.toString(StandardCharsets.UTF_8).startsWith("warning: 1 of 12 results"), said.toString());
        ran.clear();
        Jobs.forgetOutdated(folder);
        run(jobs("a"));
        assertEquals(List.of(3), List.copyOf(ran));
        Jobs.forget(folder);
        assertFalse(Files.exists(folder.resolve("jobs")));
        Jobs.forget(folder);
        Jobs.forgetOutdated(folder);
    }

    @Test
    void resultsOfOtherKernelsDoNotCount() throws IOException {
        run(jobs("a"));
        var file = folder.resolve("jobs/job-3.json");
        var mine = "\"aten\":\"" + Platform.here().aten() + "\"";
        assertTrue(Files.readString(file).contains(mine));
        Files.writeString(file, Files.readString(file).replace(mine, "\"aten\":\"another\""));
        ran.clear();
        run(jobs("a"));
        assertEquals(List.of(3), List.copyOf(ran));
    }

    @Test
    void oneProcessAtATimeWorksInAFolder() {
        var second = new Job("outer", "a", () -> {
            var e = assertThrows(ConfigException.class, () -> run(jobs("a")));
            assertTrue(e.getMessage().contains("another process"), e.getMessage());
            return IntNode.valueOf(1);
        });
        run(List.of(second));
    }

    /// These classes stand apart from those that are always counted.
    @Test
    void codeAboveChangesTheVersionToo() {
        assertNotEquals(CodeVersion.current(List.of()), CodeVersion.current(List.of(JobsTest.class)));
    }

    @Test
    void aNameIsThatOfAFile() {
        assertThrows(IllegalArgumentException.class, () -> new Job("../up", "a", () -> IntNode.valueOf(1)));
        assertThrows(IllegalArgumentException.class, () -> new Job("", "a", () -> IntNode.valueOf(1)));
    }

    private static void sleep(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}

package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.config.ConfigException;
import dev.kedge.run.RunFailedException;
import dev.kedge.tensor.EngineException;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// Whatever ends a command is told in one line, with an exit code other than 0.
class EndingTest {
    @TempDir
    Path folder;

    /// Throws what it was made with, checked or not.
    @Command(name = "throw")
    private record Throwing(Throwable thrown) implements Callable<Integer> {
        @Override
        public Integer call() {
            throw Throwing.<RuntimeException>unchecked(thrown);
        }

        @SuppressWarnings("unchecked")
        private static <T extends Throwable> T unchecked(Throwable e) throws T {
            throw (T) e;
        }
    }

    private static void ends(int code, Throwable thrown, String... words) {
        CommandLine commands = new CommandLine(new Main()).addSubcommand(new Throwing(thrown));
        Spoken.of(() -> Main.execute(commands, "throw")).refused(code, words);
    }

    @Test
    void everyKindOfThrowable() {
        ends(2, new ConfigException("a.yaml: wrong"), "a.yaml: wrong");
        ends(4, new RunFailedException("loss became NaN"), "loss became NaN");
        ends(1, new StackOverflowError(), "stack is full", "-Xss");
        ends(1, new NoClassDefFoundError("org/example/Gone"), "NoClassDefFoundError", "org/example/Gone");
        ends(1, new NullPointerException(), "NullPointerException", "EndingTest.everyKindOfThrowable", "--debug");
        ends(1, new ExceptionInInitializerError(new IllegalStateException("no natives")), "no natives");
        ends(1, new AssertionError("never"), "AssertionError: never");
        ends(1, new IOException("gone"), "gone");
    }

    @Test
    void aFullHeapNamesTheRemedyWhereverItWasCaught() {
        var full = new OutOfMemoryError("Java heap space");
        String more = "-Xmx" + Math.ceilDiv(2 * (Runtime.getRuntime().maxMemory() >> 20), 1024L) + "g";
        ends(1, full, "heap", " MB", more, "KEDGE_JAVA_OPTS=" + more);
        ends(1, new RunFailedException("job-3: Java heap space", full), more);
        ends(1, new IllegalStateException("verifying failed", new ExecutionException(full)), more);
        ends(
                1,
                new OutOfMemoryError("unable to create native thread"),
                "out of memory: unable to create native thread");
    }

    @Test
    void theEnginesTraceStaysOutOfTheLine() {
        ends(
                1,
                new RuntimeException("\nno such device\nException raised from f at g.cpp:1\nframe #0"),
                "no such device");
        try (var _ = new Scope()) {
            Tensor.of(new double[] {1, 2}).plus(Tensor.of(new double[] {1, 2, 3}));
        } catch (EngineException e) {
            ends(1, e, "plus of float64[2] and float64[3]: The size of tensor a (2)");
            assertTrue(e.getCause().getMessage().contains("\n"), "the native stack is the cause's");
            return;
        }
        throw new AssertionError("nothing was thrown");
    }

    @Test
    void anErrorInARunIsItsStatusAndItsTraceInTheLog() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"));
        Path data = TinyFiles.completions(folder.resolve("data.jsonl"));
        Path recipe = TinyFiles.sft(folder.resolve("tiny.yaml"), model, data);
        Files.writeString(data, "{\"prompt\": \"xyz\", \"completion\": \"cd\"}\n".repeat(20));
        Path run = folder.resolve("run");
        Spoken.of("run", "--quiet", "--out", "" + run, "" + recipe).refused(3, "data.jsonl");
        assertTrue(Files.readString(run.resolve("summary.json")).contains("failed"));
        assertTrue(Files.readString(run.resolve("log.txt")).contains("\tat dev.kedge."), "the trace");
    }

    /// A stream to a full disk, or to a reader that has gone.
    private static final class Refusing extends OutputStream {
        private final String why;

        Refusing(String why) {
            this.why = why;
        }

        @Override
        public void write(int b) throws IOException {
            throw new IOException(why);
        }
    }

    private static Spoken into(String why, String... arguments) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        var complained = new ByteArrayOutputStream();
        try {
            System.setOut(StandardOutput.to(new Refusing(why), StandardCharsets.UTF_8));
            System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
            int code = Main.execute(arguments);
            return new Spoken(code, "", complained.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    @Test
    void outputThatCannotBeWritten() throws IOException {
        String model = "" + TinyFiles.model(folder.resolve("model"));
        String data = "" + TinyFiles.completions(folder.resolve("data.jsonl"));
        List<String[]> commands = List.of(
                new String[] {"generate", "--model", model, "--prompt", "a", "--max-tokens", "2"},
                new String[] {"generate", "--model", model, "--prompt", "a", "--max-tokens", "2", "--json"},
                new String[] {"generate", "--model", model, "--prompt", "a", "--max-tokens", "2", "--samples", "2"},
                new String[] {"papers"},
                new String[] {"papers", "--json"},
                new String[] {"preview", "--model", model, "--data", data},
                new String[] {"run", "--print-config"},
                new String[] {"diff", model, model},
                new String[] {"diff", model, model, "--json"},
                new String[] {"compare"},
                new String[] {"fetch"},
                new String[] {"--help"},
                new String[] {"run", "--help"},
                new String[] {"--version"});
        for (String[] command : commands) {
            into("No space left on device", command)
                    .refused(1, "standard output cannot be written", "No space left on device");
            Spoken gone = into("Broken pipe", command);
            assertEquals(141, gone.code(), String.join(" ", command));
            assertEquals("", gone.err(), "nobody is there to hear it");
        }
    }

    @Test
    void aFinishedRunStaysFinishedThoughNobodyHears() throws IOException {
        Path model = TinyFiles.model(folder.resolve("model"));
        Path data = TinyFiles.completions(folder.resolve("data.jsonl"));
        Path recipe = TinyFiles.sft(folder.resolve("tiny.yaml"), model, data);
        Path run = folder.resolve("run");
        into("No space left on device", "run", "--quiet", "--out", "" + run, "" + recipe)
                .refused(1, "standard output");
        assertFalse(Files.readString(run.resolve("summary.json")).contains("failed"));
        assertTrue(Files.exists(run.resolve("report.html")));
    }
}

package dev.kedge.cli;

import dev.kedge.config.ConfigException;
import dev.kedge.data.DataException;
import dev.kedge.data.fetch.FetchException;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.run.RunFailedException;
import dev.kedge.tensor.EngineException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/// How a command ends that cannot go on.
///
/// @param code 2 usage and configuration, 3 data, 4 a failed run, 141 nobody reads standard output, 1 all else
/// @param line what, where, and what would be right; empty where there is nothing to say and nobody to hear it
record Ending(int code, String line) {
    /// As the shell has it of a program that SIGPIPE ended.
    private static final int READER_GONE = 128 + 13;

    /// Let go of when the heap is full, so that there is room to tell of it.
    @SuppressWarnings("unused")
    private static byte[] reserve;

    /// Sets memory aside, and loads this class while there is room for it.
    static void keepReserve() {
        reserve = new byte[4 << 20];
    }

    static Ending of(Throwable e) {
        Optional<OutOfMemoryError> full = causes(e)
                .filter(OutOfMemoryError.class::isInstance)
                .map(OutOfMemoryError.class::cast)
                .findFirst();
        if (full.isPresent()) {
            return new Ending(1, outOfMemory(String.valueOf(full.get().getMessage())));
        }
        return switch (e) {
            case StandardOutput.Unwritable w -> w.readerGone() ? new Ending(READER_GONE, "") : new Ending(1, said(w));
            case ConfigException _ -> new Ending(2, said(e));
            case DataException _, FetchException _, InvalidFileException _ -> new Ending(3, said(e));
            case RunFailedException _ -> new Ending(RunFailedException.EXIT_CODE, said(e));
            case EngineException _ -> new Ending(1, said(e));
            case IllegalArgumentException _ -> new Ending(2, said(e));
            case IllegalStateException _, UncheckedIOException _, IOException _ -> new Ending(1, said(e));
            case StackOverflowError _ ->
                new Ending(
                        1,
                        "the stack is full" + place(e) + ": a larger one may do, as in ./kedge -Xss16m COMMAND or"
                                + " KEDGE_JAVA_OPTS=-Xss16m");
            default -> new Ending(1, mistake(e));
        };
    }

    /// Gives back what was kept for this moment; before anything else is done where the heap may be full.
    static void makeRoom(Throwable e) {
        if (e instanceof VirtualMachineError || e.getCause() != null) {
            reserve = null;
        }
    }

    private static Stream<Throwable> causes(Throwable e) {
        return Stream.iterate(e, Objects::nonNull, Throwable::getCause).limit(20);
    }

    private static String outOfMemory(String what) {
        if (!what.contains("heap space") && !what.contains("GC overhead")) {
            return "out of memory: " + what.lines().findFirst().orElse("");
        }
        long megabytes = Runtime.getRuntime().maxMemory() >> 20;
        String more = "-Xmx" + Math.max(1, Math.ceilDiv(2 * megabytes, 1024)) + "g";
        return String.format(
                Locale.ROOT,
                "the Java heap of %d MB is full: a larger one may do, as in ./kedge %s COMMAND or KEDGE_JAVA_OPTS=%s",
                megabytes,
                more,
                more);
    }

    /// A message is a line; what the engine adds below it is for the log.
    static String said(Throwable e) {
        return e.getMessage() == null
                ? e.toString()
                : e.getMessage()
                        .lines()
                        .filter(line -> !line.isBlank())
                        .findFirst()
                        .orElse(e.toString());
    }

    /// What nobody foresaw: its kind and its place belong to the line. A bare RuntimeException is the engine's.
    private static String mistake(Throwable e) {
        String what = e.getClass() == RuntimeException.class ? "LibTorch: " + said(e) : kind(e);
        return what + place(e) + "; --debug shows the whole trace";
    }

    private static String kind(Throwable e) {
        String kind = e.getClass().getSimpleName();
        if (e.getMessage() != null) {
            return kind + ": " + said(e);
        }
        return e.getCause() == null ? kind : kind + ": " + kind(e.getCause());
    }

    private static String place(Throwable e) {
        return Arrays.stream(e.getStackTrace())
                .filter(frame -> frame.getClassName().startsWith("dev.kedge."))
                .findFirst()
                .map(frame -> " (in " + frame.getClassName().replaceFirst(".*\\.", "") + "." + frame.getMethodName()
                        + ", line " + frame.getLineNumber() + ")")
                .orElse("");
    }
}

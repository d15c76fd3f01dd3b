package dev.kedge.run;

import java.io.PrintStream;

/// Where a run tells how it goes, and how much it tells. Results belong to standard output, so this is another stream.
///
/// @param out  takes all lines
/// @param mode how progress is shown
public record Terminal(PrintStream out, Mode mode) {
    /// How progress is shown.
    public enum Mode {
        /// A bar that is redrawn in place.
        BAR,
        /// A line every few seconds, for logs.
        LINES,
        /// Warnings only.
        QUIET
    }

    /// Standard error: a bar where somebody watches, lines where it goes to a file.
    public static Terminal standardError() {
        boolean watched = System.console() != null && System.console().isTerminal();
        return new Terminal(System.err, watched ? Mode.BAR : Mode.LINES);
    }

    /// Standard error, for warnings only.
    public static Terminal quiet() {
        return new Terminal(System.err, Mode.QUIET);
    }

    void say(String line) {
        if (mode != Mode.QUIET) {
            out.println(line);
        }
    }

    /// Says a line in every mode.
    public void warn(String line) {
        out.println(line);
    }
}

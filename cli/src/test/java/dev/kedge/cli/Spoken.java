package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntSupplier;

/// What a command said, and how it ended.
record Spoken(int code, String out, String err) {
    static Spoken of(String... arguments) {
        return of(() -> Main.execute(arguments));
    }

    static Spoken of(IntSupplier command) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        ByteArrayOutputStream complained = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
            int code = command.getAsInt();
            return new Spoken(code, said.toString(StandardCharsets.UTF_8), complained.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    /// It ended well.
    Spoken fine() {
        assertEquals(0, code, err);
        return this;
    }

    /// It ended with this code and one line on standard error that holds all the words.
    void refused(int expected, String... words) {
        assertEquals(expected, code, err);
        List<String> lines = err.lines().toList();
        assertEquals(1, lines.size(), err);
        assertTrue(lines.getFirst().startsWith("kedge: "), err);
        for (String word : words) {
            assertTrue(err.contains(word), () -> "\"" + word + "\" is not in: " + err);
        }
    }
}

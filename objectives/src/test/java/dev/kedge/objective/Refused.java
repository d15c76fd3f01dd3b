package dev.kedge.objective;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.function.Executable;

/// Holds that bad input is refused by the check that is there for it. That something is thrown says little: the engine
/// throws [IllegalArgumentException] too, in words that name no argument.
public final class Refused {
    private Refused() {}

    /// @param start how the message begins: with the argument's name
    public static void refused(String start, Executable call) {
        String message =
                assertThrows(IllegalArgumentException.class, call, start).getMessage();
        assertTrue(message.startsWith(start), "refused, but not because of " + start + ": " + message);
    }
}

package dev.kedge.run;

/// A run that cannot go on, such as one whose loss is NaN: one line that says why and what is safe. A command ends with
/// [#EXIT_CODE].
public final class RunFailedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /// The exit code of a command whose run failed.
    public static final int EXIT_CODE = 4;

    public RunFailedException(String message) {
        super(message);
    }

    public RunFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}

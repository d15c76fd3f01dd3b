package dev.kedge.config;

/// A configuration that cannot be used: one line that names the file, line and column, or the override, and says what
/// would be right. A command ends with [#EXIT_CODE].
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /// The exit code of a command whose usage or configuration is wrong.
    public static final int EXIT_CODE = 2;

    public ConfigException(String message) {
        super(message);
    }

    ConfigException(String message, Throwable cause) {
        super(message, cause);
    }
}

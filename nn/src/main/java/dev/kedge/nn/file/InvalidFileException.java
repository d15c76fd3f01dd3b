package dev.kedge.nn.file;

import java.nio.file.Path;

/// A file that is damaged, or says something that this library cannot follow: one line that names the file, the place
/// in it and what is wrong.
public final class InvalidFileException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient Path file;

    /// @param file   the file, or the folder where it is missing
    /// @param reason the place and what is wrong, without the file's name
    public InvalidFileException(Path file, String reason) {
        super(file + ": " + reason);
        this.file = file;
    }

    /// The file.
    public Path file() {
        return file;
    }

    /// Text from a file as it may stand in a message: one line, not too long.
    static String quoted(String text) {
        String shown = text.length() > 80 ? text.substring(0, 80) + "..." : text;
        return '"' + shown.replaceAll("\\p{C}", "?") + '"';
    }
}

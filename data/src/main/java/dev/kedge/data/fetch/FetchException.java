package dev.kedge.data.fetch;

/// What cannot be brought here, or is not here: one line that says which file, why, and what to do.
public final class FetchException extends RuntimeException {
    private static final long serialVersionUID = 1;

    FetchException(String message) {
        super(message);
    }

    FetchException(String message, Throwable cause) {
        super(message, cause);
    }
}

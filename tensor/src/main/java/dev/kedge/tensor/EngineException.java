package dev.kedge.tensor;

import java.io.Serial;

/// What LibTorch refused or could not do: one line with the operation, its operands and the first line of what it said.
/// The whole of that, native stack included, is the cause.
public final class EngineException extends IllegalArgumentException {
    @Serial
    private static final long serialVersionUID = 1;

    EngineException(String message, Throwable cause) {
        super(message, cause);
    }
}

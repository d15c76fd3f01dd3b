package dev.kedge.run;

import java.nio.file.Path;

/// A run that is asked to go on has nothing left to do; its folder stays as it is.
public final class RunFinishedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient Path folder;

    RunFinishedException(Path folder) {
        super(folder + ": the run is finished");
        this.folder = folder;
    }

    /// Where the run lies.
    public Path folder() {
        return folder;
    }
}

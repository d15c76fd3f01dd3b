package dev.kedge.tensor;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.InferenceMode;

/// Switches the recording of gradients off for a block on this thread, as in `try (var _ = Gradients.off())`.
public final class Gradients implements AutoCloseable {
    private final Thread thread = Thread.currentThread();
    private Pointer guard;

    private Gradients(Pointer guard) {
        this.guard = guard;
    }

    /// Operations until the returned guard closes record nothing; what they return carries no graph.
    public static Gradients off() {
        Natives.ready();
        return new Gradients(new AutoGradMode(false));
    }

    /// As [#off], and cheaper: what is made inside can never take part in a gradient, not even later as a constant.
    public static Gradients never() {
        Natives.ready();
        return new Gradients(new InferenceMode(true));
    }

    /// Switches recording back to what it was. Closing twice does nothing.
    ///
    /// @throws IllegalStateException on another thread
    @Override
    public void close() {
        if (guard != null) {
            if (Thread.currentThread() != thread) {
                throw new IllegalStateException(
                        "gradients are switched back on the thread that switched them off, " + thread.getName());
            }
            guard.close();
            guard = null;
        }
    }
}

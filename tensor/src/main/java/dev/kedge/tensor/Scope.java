package dev.kedge.tensor;

import java.util.ArrayList;
import java.util.concurrent.atomic.LongAdder;
import org.bytedeco.pytorch.Tensor;

/// Owns native memory. Every tensor made on this thread while a scope is the innermost open one belongs to it and is
/// freed when it closes; a training step is one scope.
///
/// ```java
/// try (Scope step = new Scope()) {
///     Tensor loss = model.loss(batch);
///     loss.backward();
///     mean = step.keep(loss.detach()); // outlives the step: belongs to the scope around it, or to the caller
/// }
/// ```
///
/// Without any open scope a tensor belongs to whoever made it. Scopes close in the reverse order of their opening, on
/// the thread that opened them.
public final class Scope implements AutoCloseable {
    private static final ThreadLocal<Scope> INNERMOST = new ThreadLocal<>();
    private static final LongAdder LIVE = new LongAdder();
    private static final int FIRST_SWEEP = 1024;

    private final Scope outer = INNERMOST.get();
    private final Thread thread = Thread.currentThread();
    private ArrayList<Owned> owned = new ArrayList<>();
    private int sweepAt = FIRST_SWEEP;

    public Scope() {
        INNERMOST.set(this);
    }

    /// Moves a tensor from this scope to the scope around it, or to the caller where there is none. A tensor that does
    /// not belong to this scope stays where it is.
    ///
    /// @return the same tensor
    /// @throws IllegalStateException if this scope or the tensor is closed
    public <T extends Owned> T keep(T tensor) {
        Owned kept = tensor; // what is private in Owned cannot be reached through T
        kept.handle("keep");
        if (owned == null) {
            throw new IllegalStateException("keep: this scope is closed");
        }
        if (kept.owner == this) {
            kept.owner = outer;
            if (outer != null) {
                outer.add(kept);
            }
        }
        return tensor;
    }

    /// Frees what belongs to this scope. Closing twice does nothing.
    ///
    /// @throws IllegalStateException on another thread, or while a scope opened later is still open
    @Override
    public void close() {
        if (owned == null) {
            return;
        }
        if (INNERMOST.get() != this) {
            throw new IllegalStateException(
                    Thread.currentThread() == thread
                            ? "a scope opened inside this one is still open"
                            : "a scope closes on the thread that opened it, " + thread.getName());
        }
        INNERMOST.set(outer);
        for (Owned tensor : owned) {
            if (tensor.owner == this) {
                tensor.free();
            }
        }
        owned = null;
    }

    /// How many tensors are open in this process: allocating tests assert that it returns to its start.
    public static long liveTensors() {
        return LIVE.sum();
    }

    /// Tensors that were closed or kept elsewhere since are forgotten each time the list has doubled, so that a scope
    /// open for a whole run holds on to live tensors only.
    private void add(Owned tensor) {
        if (owned.size() == sweepAt) {
            owned.removeIf(t -> t.owner != this);
            sweepAt = Math.max(FIRST_SWEEP, 2 * owned.size());
        }
        owned.add(tensor);
    }

    /// What a scope owns: a tensor of LibTorch's, before it has any operations. Scopes and operations know no more of a
    /// tensor than this.
    public abstract static class Owned implements AutoCloseable {
        private Tensor handle;
        private Scope owner = INNERMOST.get();

        Owned(Tensor handle) {
            this.handle = handle;
            LIVE.increment();
            if (owner != null) {
                owner.add(this);
            }
        }

        /// The native tensor, for an operation of this name.
        ///
        /// @throws IllegalStateException if it was closed
        final Tensor handle(String operation) {
            if (handle == null) {
                throw new IllegalStateException(operation + ": this tensor was closed, by itself or with its scope");
            }
            return handle;
        }

        private void free() {
            if (handle != null) {
                handle.close();
                handle = null;
                LIVE.decrement();
            }
        }

        /// Belongs to no scope from now on.
        final void leave() {
            owner = null;
        }

        /// Frees the native memory now. Closing twice does nothing.
        @Override
        public final void close() {
            leave();
            free();
        }

        /// Whether neither [#close] nor the closing of its scope has freed this tensor.
        public final boolean isOpen() {
            return handle != null;
        }
    }
}

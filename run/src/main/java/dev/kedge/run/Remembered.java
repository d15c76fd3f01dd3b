package dev.kedge.run;

import dev.kedge.tensor.Tensor;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.function.DoubleSupplier;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// What a [Training] must know again to go on, beside its parameters and its optimiser: saved with every checkpoint.
public interface Remembered {
    void save(Checkpoint checkpoint);

    void restore(SavedCheckpoint saved);

    /// Tensors that are changed in place.
    static Remembered tensors(String group, Supplier<Map<String, Tensor>> live) {
        return of(c -> c.tensors(group, live.get()), s -> s.restore(group, live.get()));
    }

    /// A real number.
    static Remembered number(String name, DoubleSupplier get, DoubleConsumer set) {
        return of(c -> c.number(name, get.getAsDouble()), s -> set.accept(s.number(name)));
    }

    /// A whole number.
    static Remembered count(String name, LongSupplier get, LongConsumer set) {
        return of(c -> c.count(name, get.getAsLong()), s -> set.accept(s.count(name)));
    }

    /// Anything that can be written as text.
    static Remembered text(String name, Supplier<String> get, Consumer<String> set) {
        return of(c -> c.text(name, get.get()), s -> set.accept(s.text(name)));
    }

    private static Remembered of(Consumer<Checkpoint> save, Consumer<SavedCheckpoint> restore) {
        return new Remembered() {
            @Override
            public void save(Checkpoint checkpoint) {
                save.accept(checkpoint);
            }

            @Override
            public void restore(SavedCheckpoint saved) {
                restore.accept(saved);
            }
        };
    }
}

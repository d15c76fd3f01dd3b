package dev.kedge.run;

import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// All that a recipe needs to go on as if it had not been stopped, gathered for [Run#save]:
///
/// ```java
/// run.save(Checkpoint.at("dpo", step)
///         .tensors("model", model.parameters().named())
///         .tensors("optimizer", optimizer.state())
///         .generator("batches", rng)
///         .count("epoch", epoch)
///         .number("best_loss", bestLoss));
/// ```
///
/// Tensors are not copied: save before they change. Names consist of letters, digits, `_` and `-`, and none is given
/// twice.
public final class Checkpoint {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]+");

    final String phase;
    final long step;
    final Map<String, Map<String, Tensor>> tensors = new LinkedHashMap<>();
    private final Map<String, Predicate<Tensor>> sound = new HashMap<>();
    final Map<String, byte[]> generators = new TreeMap<>();
    final Map<String, Long> counts = new TreeMap<>();
    final Map<String, Double> numbers = new TreeMap<>();
    final Map<String, String> texts = new TreeMap<>();

    private Checkpoint(String phase, long step) {
        this.phase = name(phase);
        this.step = step;
    }

    /// A checkpoint with nothing in it.
    ///
    /// @param phase the part of the recipe, as in [Run#log]
    /// @param step  how many steps of the phase are done, >= 0
    public static Checkpoint at(String phase, long step) {
        if (step < 0) {
            throw new IllegalArgumentException("step must be >= 0, was " + step);
        }
        return new Checkpoint(phase, step);
    }

    /// Adds a group of tensors, such as a model's parameters or an optimiser's state. Their numbers must be finite:
    /// [Run#save] refuses others.
    public Checkpoint tensors(String group, Map<String, Tensor> values) {
        return tensors(group, values, Checkpoint::isFinite);
    }

    /// Adds a group of log-probabilities, of which some may be `-Infinity`.
    public Checkpoint logProbs(String group, Map<String, Tensor> values) {
        return tensors(group, values, logProbs -> isFinite(logProbs.exp()));
    }

    /// Adds a group of what was measured, which may be any numbers: a divergence can be infinite.
    public Checkpoint measured(String group, Map<String, Tensor> values) {
        return tensors(group, values, _ -> true);
    }

    private Checkpoint tensors(String group, Map<String, Tensor> values, Predicate<Tensor> isSound) {
        sound.put(group, isSound);
        return add(tensors, group, values);
    }

    /// The first tensor with a number that it must not hold, as `group: name`.
    Optional<String> broken() {
        try (var _ = Gradients.off()) {
            for (var group : tensors.entrySet()) {
                for (var tensor : group.getValue().entrySet()) {
                    try (Scope _ = new Scope()) {
                        if (!sound.get(group.getKey()).test(tensor.getValue())) {
                            return Optional.of(group.getKey() + ": " + tensor.getKey());
                        }
                    }
                }
            }
            return Optional.empty();
        }
    }

    private static boolean isFinite(Tensor tensor) {
        return tensor.isFinite().allTrue();
    }

    /// Adds the state of a source of random numbers.
    public Checkpoint generator(String name, Rng rng) {
        return add(generators, name, rng.state());
    }

    /// Adds a whole number.
    public Checkpoint count(String name, long value) {
        return add(counts, name, value);
    }

    /// Adds a real number; NaN and infinities come back as they are.
    public Checkpoint number(String name, double value) {
        return add(numbers, name, value);
    }

    /// Adds text.
    public Checkpoint text(String name, String value) {
        return add(texts, name, value);
    }

    private <T> Checkpoint add(Map<String, T> values, String name, T value) {
        if (values.putIfAbsent(name(name), value) != null) {
            throw new IllegalArgumentException("the checkpoint has `" + name + "` already");
        }
        return this;
    }

    private static String name(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("a name has letters, digits, _ and - only, was \"" + name + "\"");
        }
        return name;
    }
}

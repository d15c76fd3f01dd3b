package dev.kedge.run;

import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// What a step measured, by name, in the order in which the names first came up. A step's parts are gathered in their
/// order, so that sums come out to the same bits however the parts were computed.
public final class StepMetrics {
    private final Map<String, Double> values = new LinkedHashMap<>();
    private final Set<String> largest = new HashSet<>();
    private final Map<String, Long> counts = new HashMap<>(); // of what a mean is over, where a sum is to become one

    /// Adds to a sum over the step's parts: each part gives its share of the step's value.
    public StepMetrics add(String name, double share) {
        values.merge(name, share, Double::sum);
        return this;
    }

    /// Adds to a mean over all parts: so many values and their sum.
    public StepMetrics mean(String name, double sum, long count) {
        counts.merge(name, count, Long::sum);
        return add(name, sum);
    }

    /// Raises the largest value among the step's parts.
    public StepMetrics max(String name, double value) {
        largest.add(name);
        values.merge(name, value, Math::max);
        return this;
    }

    /// Sets a value of the whole step.
    public StepMetrics put(String name, double value) {
        values.put(name, value);
        return this;
    }

    /// Takes in what the step's next part measured.
    void gather(StepMetrics part) {
        part.values.forEach((name, value) -> {
            if (part.largest.contains(name)) {
                max(name, value);
            } else if (part.counts.containsKey(name)) {
                mean(name, value, part.counts.get(name));
            } else {
                add(name, value);
            }
        });
    }

    /// Makes means of their sums, once all parts are in.
    void settle() {
        counts.forEach((name, count) -> values.computeIfPresent(name, (_, sum) -> sum / count));
        counts.clear();
    }

    /// @throws IllegalArgumentException if nothing of this name was measured
    public double get(String name) {
        Double value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("nothing was measured as " + name + ", only " + values.keySet());
        }
        return value;
    }

    /// Whether something of this name was measured.
    public boolean has(String name) {
        return values.containsKey(name);
    }

    /// The values, in their order: a view.
    public Map<String, Double> values() {
        return Collections.unmodifiableMap(values);
    }
}

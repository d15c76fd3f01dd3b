package dev.kedge.lab.claim;

import dev.kedge.run.result.Frontier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// What an experiment measured with one seed.
///
/// @param numbers   by name, in the order of [#with]; all finite
/// @param frontiers what is drawn; the same from every seed but for the values
public record Outcome(SequencedMap<String, Double> numbers, List<Frontier> frontiers) {
    public static final Outcome NOTHING = new Outcome(new LinkedHashMap<>(), List.of());

    /// @throws IllegalArgumentException naming a number that is not finite
    public Outcome {
        numbers.forEach((name, value) -> {
            if (!Double.isFinite(value)) {
                throw new IllegalArgumentException("'" + name + "' must be finite, was " + value);
            }
        });
        numbers = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(numbers));
        frontiers = List.copyOf(frontiers);
    }

    /// The same with one more number.
    ///
    /// @throws IllegalArgumentException if the name is taken, or the value is not finite
    public Outcome with(String name, double value) {
        var more = new LinkedHashMap<>(numbers);
        if (more.putLast(name, value) != null) {
            throw new IllegalArgumentException("'" + name + "' is there already");
        }
        return new Outcome(more, frontiers);
    }

    /// The same with one more picture.
    public Outcome with(Frontier frontier) {
        var more = new ArrayList<>(frontiers);
        more.add(frontier);
        return new Outcome(numbers, more);
    }

    /// The number of that name.
    ///
    /// @throws IllegalArgumentException naming those there are, if there is none
    public double number(String name) {
        var value = numbers.get(name);
        if (value == null) {
            throw new IllegalArgumentException("no number '" + name + "' among " + numbers.keySet());
        }
        return value;
    }
}

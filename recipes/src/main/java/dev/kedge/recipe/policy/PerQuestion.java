package dev.kedge.recipe.policy;

import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/// A number of each held-out question, NaN where none of its answers could be judged. Such a question drops out of
/// means; where all do there is no mean.
///
/// @param values one a question, in their order
public record PerQuestion(double[] values) {
    /// The numbers of the questions that have one.
    public double[] judged() {
        return Arrays.stream(values).filter(Double::isFinite).toArray();
    }

    public OptionalDouble mean() {
        double[] judged = judged();
        return judged.length == 0 ? OptionalDouble.empty() : OptionalDouble.of(Bootstrap.mean(judged));
    }

    /// The mean with its interval over questions; of a single one without.
    public Optional<Estimate> estimate(Bootstrap bootstrap) {
        double[] judged = judged();
        return switch (judged.length) {
            case 0 -> Optional.empty();
            case 1 -> Optional.of(Estimate.of(judged[0]));
            default -> Optional.of(bootstrap.bca(judged));
        };
    }

    /// The gain of each question over an earlier one, in some unit.
    ///
    /// @throws IllegalArgumentException if these are not the same questions
    public PerQuestion gain(PerQuestion before, double unit) {
        if (before.values.length != values.length) {
            throw new IllegalArgumentException(
                    "the same questions expected, were " + before.values.length + " and " + values.length);
        }
        return new PerQuestion(IntStream.range(0, values.length)
                .mapToDouble(q -> (values[q] - before.values[q]) / unit)
                .toArray());
    }

    /// A summary with a comparison of two of them, where both have a mean.
    public static Summary compared(
            Summary summary, String name, String unit, PerQuestion before, PerQuestion after, Bootstrap bootstrap) {
        Optional<Estimate> from = before.estimate(bootstrap);
        Optional<Estimate> to = after.estimate(bootstrap);
        return from.isPresent() && to.isPresent() ? summary.comparison(name, unit, from.get(), to.get()) : summary;
    }
}

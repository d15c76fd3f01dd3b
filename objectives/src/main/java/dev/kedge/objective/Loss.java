package dev.kedge.objective;

import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// What an objective returns: a scalar to differentiate, and diagnostics to look at.
///
/// The value is this part's share of the step: the shares of all micro-batches and ranks add up to the step's
/// loss. The metrics hold one entry per example and no gradient; whoever runs the step averages them over all
/// its examples, so that parts of different sizes weigh right. Examples of different kinds, such as pairs and
/// sampled answers, are each averaged over their own count in the step.
///
/// @param value   the loss, 0-dimensional, with its graph
/// @param metrics by name, in the order of [#with]; detached, the first dimension counts examples
public record Loss(Tensor value, SequencedMap<String, Tensor> metrics) {
    /// @throws IllegalArgumentException if value is not a scalar, or a metric is one or carries a gradient
    public Loss {
        if (value.dim() != 0) {
            throw new IllegalArgumentException("a loss is a scalar, was of shape " + Arrays.toString(value.shape()));
        }
        metrics.forEach(Loss::requirePerExample);
        metrics = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(metrics));
    }

    /// A loss without metrics.
    public static Loss of(Tensor value) {
        return new Loss(value, new LinkedHashMap<>());
    }

    /// This loss with one more metric, detached here.
    ///
    /// @param perExample one entry per example: `[B]` or [B, ...]
    /// @throws IllegalArgumentException if the name is taken, or `perExample` is a scalar
    public Loss with(String name, Tensor perExample) {
        var more = new LinkedHashMap<>(metrics);
        if (more.putLast(name, perExample.detach()) != null) {
            throw new IllegalArgumentException("metric " + name + " is there already");
        }
        return new Loss(value, more);
    }

    /// The sum of two losses, with the metrics of both.
    ///
    /// @throws IllegalArgumentException if both have a metric of the same name
    public Loss plus(Loss other) {
        Loss sum = new Loss(value.plus(other.value), metrics);
        for (var metric : other.metrics.entrySet()) {
            sum = sum.with(metric.getKey(), metric.getValue());
        }
        return sum;
    }

    /// The metric of that name.
    ///
    /// @throws IllegalArgumentException naming those there are, if there is none
    public Tensor metric(String name) {
        Tensor metric = metrics.get(name);
        if (metric == null) {
            throw new IllegalArgumentException("no metric " + name + " among " + metrics.keySet());
        }
        return metric;
    }

    private static void requirePerExample(String name, Tensor metric) {
        if (metric.dim() == 0) {
            throw new IllegalArgumentException("metric " + name + " has one entry per example, was a scalar");
        }
        if (metric.hasGradientGraph()) {
            throw new IllegalArgumentException("metric " + name + " carries a gradient");
        }
    }
}

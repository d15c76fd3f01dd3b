package dev.kedge.lab.tabular;

import dev.kedge.run.result.Frontier;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/// A measure over another, known at some points and a straight line between them. This is how methods are compared at
/// equal divergence: their strengths do not mean the same, so that what they reach at equal strength says nothing.
public final class Curve {
    private final TreeMap<Double, Double> points = new TreeMap<>();

    private Curve() {}

    /// The curve through some points; those that are not finite are left out, of several at one x the highest counts.
    ///
    /// @throws IllegalArgumentException if lengths differ
    public static Curve of(double[] x, double[] y) {
        if (x.length != y.length) {
            throw new IllegalArgumentException("a curve needs a y for each x, got " + x.length + " and " + y.length);
        }
        var curve = new Curve();
        for (int i = 0; i < x.length; i++) {
            if (Double.isFinite(x[i]) && Double.isFinite(y[i])) {
                curve.points.merge(x[i], y[i], Math::max);
            }
        }
        return curve;
    }

    /// The curve through the points of a frontier.
    public static Curve of(Frontier.Arm arm) {
        return of(
                arm.points().stream().mapToDouble(Frontier.Point::x).toArray(),
                arm.points().stream().mapToDouble(p -> p.y().value()).toArray());
    }

    public boolean isEmpty() {
        return points.isEmpty();
    }

    /// The smallest x.
    public double from() {
        return points.firstKey();
    }

    /// The largest x.
    public double to() {
        return points.lastKey();
    }

    /// The value at x.
    ///
    /// @throws IllegalArgumentException if x is outside the points: nothing is known there
    public double at(double x) {
        var below = points.floorEntry(x);
        var above = points.ceilingEntry(x);
        if (below == null || above == null) {
            throw new IllegalArgumentException(
                    isEmpty()
                            ? "the curve has no points"
                            : "the curve is known from " + from() + " to " + to() + ", not at " + x);
        }
        if (below.getKey().equals(above.getKey())) {
            return below.getValue();
        }
        double share = (x - below.getKey()) / (above.getKey() - below.getKey());
        return below.getValue() + share * (above.getValue() - below.getValue());
    }

    /// The average from one x to another, both included; the value itself where they are equal.
    ///
    /// @throws IllegalArgumentException if the curve is not known there
    public double mean(Range range) {
        if (range.from == range.to) {
            return at(range.from);
        }
        double area = 0;
        double left = range.from;
        for (double right : knots(range)) {
            area += (right - left) * (at(left) + at(right)) / 2;
            left = right;
        }
        return area / (range.to - range.from);
    }

    /// The x that all of the curves cover; empty where they have none in common.
    public static Optional<Range> common(List<Curve> curves) {
        if (curves.isEmpty() || curves.stream().anyMatch(Curve::isEmpty)) {
            return Optional.empty();
        }
        double from = curves.stream().mapToDouble(Curve::from).max().getAsDouble();
        double to = curves.stream().mapToDouble(Curve::to).min().getAsDouble();
        return from <= to ? Optional.of(new Range(from, to)) : Optional.empty();
    }

    /// Both ends of the range and the points between.
    public NavigableSet<Double> knots(Range range) {
        var knots = new TreeSet<>(List.of(range.from, range.to));
        knots.addAll(points.subMap(range.from, range.to).keySet());
        return knots;
    }

    /// From one x to another, both included.
    public record Range(double from, double to) {}
}

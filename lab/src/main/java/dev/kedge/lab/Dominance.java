package dev.kedge.lab;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Which of two frontiers has the higher reward at equal divergence, stretch by stretch over the divergences that both
/// cover. Between its points a frontier is a straight line; of several points at one divergence the best counts.
///
/// @param stretches in order of divergence, adjoining; empty where the two have no divergence in common
public record Dominance(String first, String second, List<Stretch> stretches) {
    private static final double LEVEL = 1e-12;

    public Dominance {
        stretches = List.copyOf(stretches);
    }

    /// Who has the higher reward.
    public enum Above {
        FIRST,
        SECOND,
        NEITHER
    }

    /// A range of divergences, in nats, over which the same frontier is above.
    public record Stretch(double from, double to, Above above) {}

    /// Compares two arms; throws [IllegalArgumentException] if one has no points.
    public static Dominance between(Frontier.Arm first, Frontier.Arm second) {
        var a = curve(first);
        var b = curve(second);
        double from = Math.max(a.firstKey(), b.firstKey());
        double to = Math.min(a.lastKey(), b.lastKey());
        if (from > to) {
            return new Dominance(first.name(), second.name(), List.of());
        }
        var knots = knots(a, b, from, to);
        var stretches = new ArrayList<Stretch>();
        double previous = from;
        for (double knot : knots.tailSet(from, knots.size() == 1)) {
            var above = above(a, b, (previous + knot) / 2);
            append(stretches, new Stretch(previous, knot, above));
            previous = knot;
        }
        return new Dominance(first.name(), second.name(), stretches);
    }

    /// Whether the first is nowhere below the second, and somewhere above it.
    public boolean firstDominates() {
        return dominates(Above.FIRST, Above.SECOND);
    }

    /// Whether the second is nowhere below the first, and somewhere above it.
    public boolean secondDominates() {
        return dominates(Above.SECOND, Above.FIRST);
    }

    private boolean dominates(Above winner, Above loser) {
        return stretches.stream().anyMatch(s -> s.above == winner)
                && stretches.stream().noneMatch(s -> s.above == loser);
    }

    /// The comparison in one sentence.
    public String sentence() {
        if (stretches.isEmpty()) {
            return first + " and " + second + " have no divergence in common.";
        }
        return stretches.stream().map(this::describe).collect(Collectors.joining("; ", "", "."));
    }

    private String describe(Stretch s) {
        var range = s.from == s.to
                ? String.format(Locale.ROOT, "at %.3g nats", s.from)
                : String.format(Locale.ROOT, "from %.3g to %.3g nats", s.from, s.to);
        return switch (s.above) {
            case FIRST -> first + " is above " + second + " " + range;
            case SECOND -> second + " is above " + first + " " + range;
            case NEITHER -> first + " and " + second + " are level " + range;
        };
    }

    private static TreeMap<Double, Double> curve(Frontier.Arm arm) {
        if (arm.points().isEmpty()) {
            throw new IllegalArgumentException("the frontier '" + arm.name() + "' has no points");
        }
        var curve = new TreeMap<Double, Double>(Comparator.naturalOrder());
        for (var p : arm.points()) {
            curve.merge(p.x(), p.y().value(), Math::max);
        }
        return curve;
    }

    /// The ends, the points of both between them, and where the two cross; straight lines cross only between knots.
    private static TreeSet<Double> knots(TreeMap<Double, Double> a, TreeMap<Double, Double> b, double from, double to) {
        var knots = new TreeSet<>(List.of(from, to));
        knots.addAll(a.subMap(from, to).keySet());
        knots.addAll(b.subMap(from, to).keySet());
        var crossings = new ArrayList<Double>();
        double left = from;
        for (double right : knots.tailSet(from, false)) {
            double d0 = at(a, left) - at(b, left);
            double d1 = at(a, right) - at(b, right);
            if (d0 * d1 < 0) {
                crossings.add(left + (right - left) * d0 / (d0 - d1));
            }
            left = right;
        }
        knots.addAll(crossings);
        return knots;
    }

    private static double at(TreeMap<Double, Double> curve, double x) {
        var below = curve.floorEntry(x);
        var above = curve.ceilingEntry(x);
        if (below.getKey().equals(above.getKey())) {
            return below.getValue();
        }
        double share = (x - below.getKey()) / (above.getKey() - below.getKey());
        return below.getValue() + share * (above.getValue() - below.getValue());
    }

    private static Above above(TreeMap<Double, Double> a, TreeMap<Double, Double> b, double x) {
        double first = at(a, x);
        double second = at(b, x);
        if (Math.abs(first - second) <= LEVEL * Math.max(1, Math.max(Math.abs(first), Math.abs(second)))) {
            return Above.NEITHER;
        }
        return first > second ? Above.FIRST : Above.SECOND;
    }

    private static void append(ArrayList<Stretch> stretches, Stretch next) {
        if (!stretches.isEmpty() && stretches.getLast().above == next.above) {
            stretches.set(stretches.size() - 1, new Stretch(stretches.getLast().from, next.to, next.above));
        } else {
            stretches.add(next);
        }
    }
}

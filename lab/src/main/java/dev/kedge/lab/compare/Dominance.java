package dev.kedge.lab.compare;

import dev.kedge.lab.tabular.Curve;
import dev.kedge.run.result.Frontier;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.NavigableSet;
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
        var stretches = new ArrayList<Stretch>();
        Curve.common(List.of(a, b)).ifPresent(range -> {
            var knots = withCrossings(a, b, range);
            double previous = knots.first();
            for (double knot : knots.tailSet(previous, knots.size() == 1)) {
                append(stretches, new Stretch(previous, knot, above(a, b, (previous + knot) / 2)));
                previous = knot;
            }
        });
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

    private static Curve curve(Frontier.Arm arm) {
        var curve = Curve.of(arm);
        if (curve.isEmpty()) {
            throw new IllegalArgumentException("the frontier '" + arm.name() + "' has no points");
        }
        return curve;
    }

    /// Straight lines cross only between knots.
    private static NavigableSet<Double> withCrossings(Curve a, Curve b, Curve.Range range) {
        var knots = a.knots(range);
        knots.addAll(b.knots(range));
        var all = new TreeSet<>(knots);
        double left = range.from();
        for (double right : knots) {
            double d0 = a.at(left) - b.at(left);
            double d1 = a.at(right) - b.at(right);
            if (d0 * d1 < 0) {
                all.add(left + (right - left) * d0 / (d0 - d1));
            }
            left = right;
        }
        return all;
    }

    private static Above above(Curve a, Curve b, double x) {
        double first = a.at(x);
        double second = b.at(x);
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

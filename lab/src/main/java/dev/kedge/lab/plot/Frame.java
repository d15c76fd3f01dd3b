package dev.kedge.lab.plot;

import dev.kedge.lab.plot.Svg.Anchor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// What plots share: title and labels at the left, few grid lines, axes, and names set beside the curves they name.
final class Frame {
    /// A curve's name and colour, whether it is dotted, and the height in pixels at which it ends.
    record Name(String text, String colour, boolean dotted, double y) {}

    private static final double TALLEST = 460;
    private static final double TITLE = 15;
    private static final double LABEL = 12.5;
    private static final double TICK = 12;
    private static final double X_TICKS = 64;
    private static final double Y_TICKS = 42;
    private static final double NAME_HEIGHT = 16;

    final Svg svg;
    final Scale x;
    final Scale y;
    private final double right;
    private final boolean namesBeside;

    /// Draws all but the curves.
    ///
    /// @param xs, ys values that must fit into the plot
    /// @param names  names of the curves; a single one is not repeated beside its curve
    Frame(Labels labels, int width, double[] xs, double[] ys, List<String> names) {
        double longest =
                names.stream().mapToDouble(n -> Svg.width(n, LABEL)).max().orElse(0);
        namesBeside = longest <= width * 0.22;
        right = width - (namesBeside && longest > 0 ? longest + 14 : 12);
        double legend = namesBeside ? 0 : names.size() * NAME_HEIGHT;
        double height = legend + Math.round(width >= 560 ? Math.min(TALLEST, width * 0.54) : width * 0.72);
        svg = new Svg(
                width,
                height,
                labels.title() + (labels.y().isEmpty() ? "" : ": " + labels.y()) + " over " + labels.x());
        double top = (labels.title().isEmpty() ? 14 : 34) + (labels.y().isEmpty() ? 0 : 18) + legend;
        double bottom = height - (labels.x().isEmpty() ? 26 : 44);
        y = Scale.over(ys, 0.06, bottom, top);
        double left = 12 + widestTick(y);
        x = Scale.over(xs, 0, left, right);
        text(labels, width, height);
        axes(left, bottom);
    }

    /// The words around a plot.
    record Labels(String title, String x, String y) {}

    private static double widestTick(Scale y) {
        return y.ticks(Y_TICKS).stream()
                .mapToDouble(t -> Svg.width(y.label(t, Y_TICKS), TICK))
                .max()
                .orElse(0);
    }

    private void text(Labels labels, int width, double height) {
        double line = 18;
        if (!labels.title().isEmpty()) {
            svg.text(0, line, Anchor.START, TITLE, Svg.STRONG, Svg.fit(labels.title(), TITLE, width));
            line += 19;
        }
        svg.text(0, line, Anchor.START, LABEL, Svg.MUTED, Svg.fit(labels.y(), LABEL, width));
        svg.text(right, height - 6, Anchor.END, LABEL, Svg.MUTED, Svg.fit(labels.x(), LABEL, width));
    }

    private void axes(double left, double bottom) {
        for (double tick : y.ticks(Y_TICKS)) {
            double at = y.at(tick);
            svg.line(left, at, right, at, Svg.GRID);
            svg.text(left - 8, at + 4, Anchor.END, TICK, Svg.MUTED, y.label(tick, Y_TICKS));
        }
        svg.line(left, bottom, right, bottom, Svg.AXIS);
        for (double tick : x.ticks(X_TICKS)) {
            double at = x.at(tick);
            svg.line(at, bottom, at, bottom + 4, Svg.AXIS);
            var anchor = at > right - 14 ? Anchor.END : Anchor.MIDDLE;
            svg.text(anchor == Anchor.END ? right : at, bottom + 18, anchor, TICK, Svg.MUTED, x.label(tick, X_TICKS));
        }
    }

    /// Writes the names: beside the ends of their curves, kept apart; or, if they are too long for that, above.
    void names(List<Name> names) {
        if (!namesBeside) {
            double line = y.end() - NAME_HEIGHT * names.size();
            for (var name : names) {
                var dots = name.dotted ? ";stroke-dasharray:1 4;stroke-linecap:round" : "";
                svg.line(1, line - 4, 16, line - 4, "stroke-width:2.5;stroke:" + name.colour + dots);
                svg.text(22, line, Anchor.START, LABEL, Svg.MUTED, Svg.fit(name.text, LABEL, right - 22));
                line += NAME_HEIGHT;
            }
            return;
        }
        var sorted = new ArrayList<>(names);
        sorted.sort(Comparator.comparingDouble(Name::y));
        var places = apart(sorted.stream().mapToDouble(Name::y).toArray());
        for (int i = 0; i < places.length; i++) {
            var name = sorted.get(i);
            svg.text(right + 9, places[i] + 4, Anchor.START, LABEL, "font-weight:600;fill:" + name.colour, name.text);
        }
    }

    /// Heights near the wanted ones, in the same order, no two nearer than a line, and all inside the plot.
    private double[] apart(double[] wanted) {
        var places = wanted.clone();
        Arrays.setAll(places, i -> Double.isFinite(wanted[i]) ? wanted[i] : y.start());
        for (int i = 1; i < places.length; i++) {
            places[i] = Math.max(places[i], places[i - 1] + NAME_HEIGHT);
        }
        double limit = y.start();
        for (int i = places.length - 1; i >= 0; i--) {
            places[i] = Math.min(places[i], limit);
            limit = places[i] - NAME_HEIGHT;
        }
        return places;
    }

    /// A path through the points; a non-finite value interrupts it.
    String path(double[] xs, double[] ys) {
        var d = new StringBuilder();
        boolean open = false;
        for (int i = 0; i < xs.length; i++) {
            if (!Double.isFinite(xs[i]) || !Double.isFinite(ys[i])) {
                open = false;
                continue;
            }
            d.append(open ? 'L' : 'M').append(Svg.number(x.at(xs[i])));
            d.append(' ').append(Svg.number(y.at(ys[i])));
            open = true;
        }
        return d.toString();
    }
}

package dev.kedge.lab.plot;

import dev.kedge.lab.plot.Svg.Anchor;
import dev.kedge.statistics.Estimate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;

/// Draws what two arms gave on the same seeds: a dot a seed and arm, a line between the two of a seed; below it the
/// differences with their mean and its interval.
final class PairPlot {
    private static final double TEXT = 12.5;
    private static final double TICK = 12;
    private static final double X_TICKS = 80;
    private static final double ROW = 38;
    private static final double AXIS = 34;
    private static final double GAP = 22;
    private static final double DOT = 3.5;
    private static final double SIDE = 10;
    private static final double WIDEST_NAME = 0.3;
    private static final String GREY = "stroke:currentColor;stroke-opacity:.2;stroke-width:1";

    private PairPlot() {}

    static String draw(PairedSample sample, int width) {
        double top = 26;
        double axis = top + ROW * sample.arms().size();
        double second = axis + AXIS + GAP;
        var svg = new Svg(width, second + 106, sample.measure() + ", seed by seed");
        double left = sample.arms().stream()
                        .mapToDouble(a -> Svg.width(a.name(), TEXT))
                        .max()
                        .orElse(0)
                + 14;
        left = Math.min(left, width * WIDEST_NAME);
        svg.text(0, 14, Anchor.START, TEXT, Svg.MUTED, Svg.fit(sample.measure(), TEXT, width));
        arms(svg, sample, top, left, width);
        margins(svg, sample, second, left, width);
        return svg.end();
    }

    private static void arms(Svg svg, PairedSample sample, double top, double left, int width) {
        var values = DoubleStream.concat(
                sample.arms().stream().flatMapToDouble(a -> Arrays.stream(a.values())), sample.threshold().stream());
        var scale = Scale.over(values.toArray(), 0.04, left + SIDE, width - SIDE);
        double axis = top + ROW * sample.arms().size();
        axis(svg, scale, axis);
        if (sample.threshold().isPresent()) {
            mark(svg, scale, sample.threshold().getAsDouble(), top, axis, "threshold");
        }
        if (sample.arms().size() == 2) {
            var upper = sample.arms().getFirst().values();
            var lower = sample.arms().getLast().values();
            for (int i = 0; i < upper.length; i++) {
                svg.line(scale.at(upper[i]), top + ROW / 2, scale.at(lower[i]), top + ROW * 1.5, GREY);
            }
        }
        for (int i = 0; i < sample.arms().size(); i++) {
            var arm = sample.arms().get(i);
            double y = top + ROW * (i + 0.5);
            var colour = i == 0 ? Svg.colour(0) : Svg.colour(5);
            var bold = "font-weight:600;fill:" + colour;
            svg.text(0, y + 4, Anchor.START, TEXT, bold, Svg.fit(arm.name(), TEXT, left));
            for (int s = 0; s < arm.values().length; s++) {
                dot(svg, scale.at(arm.values()[s]), y, colour, hint(s, arm.values()[s]));
            }
        }
    }

    private static void margins(Svg svg, PairedSample sample, double top, double left, int width) {
        var effect = sample.effect();
        var ends = DoubleStream.of(0, sample.asked(), effect.low(), effect.high());
        var scale = Scale.over(
                DoubleStream.concat(Arrays.stream(sample.margins()), ends).toArray(), 0.06, left + SIDE, width - SIDE);
        double axis = top + 76;
        svg.text(0, top + 34, Anchor.START, TEXT, Svg.STRONG, Svg.fit("difference", TEXT, left));
        boolean late = scale.at(0) > width - 100;
        double beside = scale.at(0) + (late ? -6 : 6);
        svg.text(beside, top + 4, late ? Anchor.END : Anchor.START, TICK, Svg.MUTED, "as claimed →");
        axis(svg, scale, axis);
        svg.line(scale.at(0), top - 6, scale.at(0), axis, "stroke:currentColor;stroke-opacity:.6;stroke-width:1.5");
        if (sample.asked() > 0) {
            mark(svg, scale, sample.asked(), top + 10, axis, "asked");
        }
        var places = apart(sample.margins(), scale);
        for (int i = 0; i < places.length; i++) {
            double margin = sample.margins()[i];
            dot(svg, scale.at(margin), top + 30 + places[i], Svg.colour(margin < 0 ? 1 : 0), hint(i, margin));
        }
        interval(svg, scale, effect, axis - 14);
    }

    private static void interval(Svg svg, Scale scale, Estimate effect, double y) {
        if (effect.hasInterval()) {
            var stroke = "stroke:currentColor;stroke-width:2.5;stroke-linecap:round";
            svg.line(scale.at(effect.low()), y, scale.at(effect.high()), y, stroke);
        }
        double x = scale.at(effect.value());
        var diamond = "M" + Svg.number(x) + " " + Svg.number(y - 6) + "l6 6l-6 6l-6 -6Z";
        svg.mark(diamond, "fill:currentColor", "mean " + Quantity.number(effect.value()));
    }

    private static void axis(Svg svg, Scale scale, double y) {
        svg.line(scale.start(), y, scale.end(), y, Svg.AXIS);
        for (double tick : scale.ticks(X_TICKS)) {
            double x = scale.at(tick);
            svg.line(x, y, x, y + 4, Svg.AXIS);
            var anchor = x > scale.end() - 14 ? Anchor.END : x < scale.start() + 14 ? Anchor.START : Anchor.MIDDLE;
            svg.text(x, y + 18, anchor, TICK, Svg.MUTED, scale.label(tick, X_TICKS));
        }
    }

    private static void mark(Svg svg, Scale scale, double at, double top, double bottom, String word) {
        double x = scale.at(at);
        svg.line(x, top, x, bottom, "stroke-width:1.5;stroke-dasharray:4 4;stroke:" + Svg.colour(4));
        boolean left = x > (scale.start() + scale.end()) / 2;
        svg.text(left ? x - 6 : x + 6, top + 10, left ? Anchor.END : Anchor.START, TICK, "fill:" + Svg.colour(4), word);
    }

    private static void dot(Svg svg, double x, double y, String colour, String hint) {
        var circle = "M" + Svg.number(x - DOT) + " " + Svg.number(y) + "a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z";
        svg.mark(circle, "fill-opacity:.8;stroke-width:.75;stroke:" + Svg.PAPER + ";fill:" + colour, hint);
    }

    private static String hint(int seed, double value) {
        return "seed " + (seed + 1) + ": " + Quantity.number(value);
    }

    /// Heights at which dots do not cover each other, as near to 0 as there is room.
    private static double[] apart(double[] values, Scale scale) {
        var places = new double[values.length];
        var set = new ArrayList<double[]>();
        for (int i = 0; i < values.length; i++) {
            double x = scale.at(values[i]);
            int tries = 0;
            while (tries < 7 && covered(set, x, place(tries))) {
                tries++;
            }
            places[i] = place(tries % 7);
            set.add(new double[] {x, places[i]});
        }
        return places;
    }

    /// 0, then 6 above, 6 below, 12 above and so on.
    private static double place(int tries) {
        return (tries % 2 == 1 ? -1 : 1) * 6.0 * ((tries + 1) / 2);
    }

    private static boolean covered(List<double[]> set, double x, double y) {
        return set.stream().anyMatch(s -> Math.hypot(s[0] - x, s[1] - y) < 2 * DOT - 1.5);
    }
}

package dev.kedge.lab;

import dev.kedge.lab.Svg.Anchor;
import dev.kedge.recipe.statistics.Estimate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;

/// Draws what two arms gave on the same seeds: a dot a seed and arm, a line between the two of a seed; below it the
/// differences with their mean and its interval.
final class PairPlot {
    private static final double TEXT = 12.5;
    private static final double TICK = 12;
    private static final double X_TICKS = 80;
    private static final double ROW = 52;
    private static final double AXIS = 34;
    private static final double GAP = 26;
    private static final double DOT = 3.5;
    private static final double SIDE = 10;
    private static final String GREY = "stroke:currentColor;stroke-opacity:.22;stroke-width:1";

    private PairPlot() {}

    static String draw(PairedSample sample, int width) {
        double top = 22;
        double axis = top + ROW * sample.arms().size() - 14;
        double second = axis + AXIS + GAP;
        var svg = new Svg(width, second + 118, sample.measure() + ", seed by seed");
        svg.text(0, 14, Anchor.START, TEXT, Svg.MUTED, Svg.fit(sample.measure(), TEXT, width));
        arms(svg, sample, top, axis, width);
        margins(svg, sample, second, width);
        return svg.end();
    }

    private static void arms(Svg svg, PairedSample sample, double top, double axis, int width) {
        var values = DoubleStream.concat(
                sample.arms().stream().flatMapToDouble(a -> Arrays.stream(a.values())),
                sample.threshold().stream());
        var scale = Scale.over(values.toArray(), 0.04, SIDE, width - SIDE);
        axis(svg, scale, axis);
        if (sample.threshold().isPresent()) {
            mark(svg, scale, sample.threshold(), top + 4, axis, "asked");
        }
        if (sample.arms().size() == 2) {
            var upper = sample.arms().getFirst().values();
            var lower = sample.arms().getLast().values();
            for (int i = 0; i < upper.length; i++) {
                svg.line(scale.at(upper[i]), top + 28, scale.at(lower[i]), top + ROW + 28, GREY);
            }
        }
        for (int i = 0; i < sample.arms().size(); i++) {
            var arm = sample.arms().get(i);
            double y = top + ROW * i;
            var colour = i == 0 ? Svg.colour(0) : Svg.colour(5);
            svg.text(SIDE, y + 16, Anchor.START, TEXT, "font-weight:600;fill:" + colour, arm.name());
            for (int s = 0; s < arm.values().length; s++) {
                dot(svg, scale.at(arm.values()[s]), y + 28, colour, hint(s, arm.values()[s]));
            }
        }
    }

    private static void margins(Svg svg, PairedSample sample, double top, int width) {
        var effect = sample.effect();
        var scale = Scale.over(
                DoubleStream.concat(
                                Arrays.stream(sample.margins()),
                                DoubleStream.of(0, sample.asked(), effect.low(), effect.high()))
                        .toArray(),
                0.06,
                SIDE,
                width - SIDE);
        double axis = top + 84;
        double middle = top + 34;
        svg.text(0, top, Anchor.START, TEXT, Svg.MUTED, Svg.fit("the difference; right of 0 is as claimed", TEXT, width));
        axis(svg, scale, axis);
        svg.line(scale.at(0), top + 10, scale.at(0), axis, "stroke:currentColor;stroke-opacity:.6;stroke-width:1.5");
        if (sample.asked() > 0) {
            mark(svg, scale, OptionalDouble.of(sample.asked()), top + 10, axis, "asked");
        }
        var places = apart(sample.margins(), scale);
        for (int i = 0; i < places.length; i++) {
            double margin = sample.margins()[i];
            dot(svg, scale.at(margin), middle + places[i], Svg.colour(margin < 0 ? 1 : 0), hint(i, margin));
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

    private static void mark(Svg svg, Scale scale, OptionalDouble at, double top, double bottom, String word) {
        double x = scale.at(at.getAsDouble());
        svg.line(x, top, x, bottom, "stroke-width:1.5;stroke-dasharray:4 4;stroke:" + Svg.colour(4));
        boolean left = x > (scale.start() + scale.end()) / 2;
        svg.text(
                left ? x - 6 : x + 6,
                top + 10,
                left ? Anchor.END : Anchor.START,
                TICK,
                "fill:" + Svg.colour(4),
                word);
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

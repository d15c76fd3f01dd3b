package dev.kedge.lab.plot;

import dev.kedge.lab.plot.Svg.Anchor;
import dev.kedge.run.result.Comparison;
import dev.kedge.statistics.Estimate;
import java.util.List;
import java.util.stream.DoubleStream;

/// Draws before and after as pairs of bars.
final class BarPlot {
    private static final double ROW = 82;
    private static final double BAR = 18;
    private static final double TEXT = 12.5;
    private static final double SIDE = 46;

    private BarPlot() {}

    static String draw(String title, List<Comparison> comparisons, int width) {
        double top = title.isEmpty() ? 4 : 34;
        var svg = new Svg(width, top + ROW * comparisons.size(), title.isEmpty() ? "before and after" : title);
        if (!title.isEmpty()) {
            svg.text(0, 18, Anchor.START, 15, Svg.STRONG, Svg.fit(title, 15, width));
        }
        double room = comparisons.stream()
                .flatMap(c -> java.util.stream.Stream.of(words(c.before(), c.unit()), words(c.after(), c.unit())))
                .mapToDouble(w -> Svg.width(w, TEXT))
                .max()
                .orElse(0);
        var values = comparisons.stream().flatMapToDouble(c -> DoubleStream.concat(ends(c.before()), ends(c.after())));
        // A bar's length is its value: the scale always holds zero.
        var scale = Scale.over(DoubleStream.concat(DoubleStream.of(0), values).toArray(), 0, SIDE, width - room - 14);
        for (int i = 0; i < comparisons.size(); i++) {
            var c = comparisons.get(i);
            double y = top + ROW * i;
            svg.text(0, y + 14, Anchor.START, 13.5, Svg.STRONG, Svg.fit(c.name(), 13.5, width));
            bar(svg, scale, y + 24, "before", c.before(), c.unit(), "currentColor;fill-opacity:.32");
            bar(svg, scale, y + 24 + BAR + 6, "after", c.after(), c.unit(), Svg.colour(0));
        }
        return svg.end();
    }

    private static DoubleStream ends(Estimate e) {
        return DoubleStream.of(e.value(), e.low(), e.high());
    }

    private static void bar(Svg svg, Scale scale, double y, String side, Estimate e, String unit, String fill) {
        double middle = y + BAR / 2;
        svg.text(0, middle + 4, Anchor.START, TEXT, Svg.MUTED, side);
        double from = scale.at(0);
        double to = Double.isFinite(e.value()) ? scale.at(e.value()) : from;
        svg.rect(Math.min(from, to), y, Math.max(1, Math.abs(to - from)), BAR, 2, "fill:" + fill);
        double end = Math.max(from, to);
        if (e.hasInterval() && Double.isFinite(e.low()) && Double.isFinite(e.high())) {
            var stroke = "stroke:currentColor;stroke-width:1.5;stroke-opacity:.75";
            svg.line(scale.at(e.low()), middle, scale.at(e.high()), middle, stroke);
            svg.line(scale.at(e.low()), middle - 4, scale.at(e.low()), middle + 4, stroke);
            svg.line(scale.at(e.high()), middle - 4, scale.at(e.high()), middle + 4, stroke);
            end = Math.max(end, scale.at(e.high()));
        }
        svg.text(end + 8, middle + 4.5, Anchor.START, TEXT, "fill:currentColor", words(e, unit));
    }

    private static String words(Estimate e, String unit) {
        var interval = Quantity.interval(e, unit);
        return Quantity.text(e.value(), unit) + (interval.isEmpty() ? "" : " (" + interval + ")");
    }
}

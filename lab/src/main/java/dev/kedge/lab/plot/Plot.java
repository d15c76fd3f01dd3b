package dev.kedge.lab.plot;

import dev.kedge.lab.plot.Frame.Labels;
import dev.kedge.lab.plot.Frame.Name;
import dev.kedge.run.result.Comparison;
import dev.kedge.run.result.Frontier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;

/// Plots as SVG text to be set into an HTML page as it is.
///
/// A picture is drawn for the width at which it will be seen, in pixels, so that its letters keep their size: 720 for a
/// page, 360 for a phone or a small multiple. It takes its ink from the text colour around it and its series colours
/// from the CSS variables `--plot-1` to `--plot-9`, with fallbacks for a light background.
public final class Plot {
    private Plot() {}

    /// Curves over a common axis, each named beside its end.
    public static String lines(String title, String xLabel, String yLabel, List<Line> lines, int width) {
        var xs = lines.stream().flatMapToDouble(l -> Arrays.stream(l.x())).toArray();
        var ys = lines.stream()
                .flatMapToDouble(l -> DoubleStream.concat(Arrays.stream(l.y()), Arrays.stream(l.raw())))
                .toArray();
        var names = lines.size() < 2
                ? List.<String>of()
                : lines.stream().map(Line::name).toList();
        var frame = new Frame(new Labels(title, xLabel, yLabel), width, xs, ys, names);
        for (int i = 0; i < lines.size(); i++) {
            var l = lines.get(i);
            var stroke = "fill:none;stroke-linejoin:round;stroke-linecap:round;stroke:" + Svg.colour(i);
            if (l.raw().length > 0) {
                frame.svg.path(frame.path(l.x(), l.raw()), stroke + ";stroke-width:1;stroke-opacity:.28");
            }
            frame.svg.path(frame.path(l.x(), l.y()), stroke + ";stroke-width:2");
        }
        if (!names.isEmpty()) {
            frame.names(ends(frame, lines));
        }
        return frame.svg.end();
    }

    private static List<Name> ends(Frame frame, List<Line> lines) {
        var ends = new ArrayList<Name>();
        for (int i = 0; i < lines.size(); i++) {
            double last = Double.NaN;
            for (double v : lines.get(i).y()) {
                last = Double.isFinite(v) ? v : last;
            }
            ends.add(new Name(lines.get(i).name(), Svg.colour(i), false, frame.y.at(last)));
        }
        return ends;
    }

    /// Reward over divergence: points and lines per method, bars where intervals are known, the exact optimum behind.
    public static String frontier(Frontier frontier, int width) {
        return FrontierPlot.draw(frontier, width);
    }

    /// Horizontal bars before and after, with intervals and values; all of one unit.
    public static String bars(String title, List<Comparison> comparisons, int width) {
        return BarPlot.draw(title, comparisons, width);
    }

    /// Two arms seed by seed, and their differences with the mean and its interval.
    public static String pairs(PairedSample sample, int width) {
        return PairPlot.draw(sample, width);
    }
}

package dev.kedge.lab.plot;

import dev.kedge.lab.plot.Frame.Labels;
import dev.kedge.lab.plot.Frame.Name;
import dev.kedge.lab.plot.Svg.Anchor;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Frontier.Arm;
import dev.kedge.run.result.Frontier.Point;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/// Draws a frontier.
final class FrontierPlot {
    private static final String EXACT = "exact optimum";
    private static final int GREY = 5;
    private static final double SMALL = 11;

    private FrontierPlot() {}

    static String draw(Frontier frontier, int width) {
        var optimum = nearTheArms(frontier);
        var all = Stream.concat(optimum.stream(), frontier.arms().stream().flatMap(a -> a.points().stream()))
                .toList();
        // A divergence starts at zero; there stands the reference.
        var xs = DoubleStream.concat(
                        DoubleStream.of(0), all.stream().mapToDouble(Point::x).map(v -> v * 1.02))
                .toArray();
        var ys = all.stream()
                .flatMapToDouble(p -> DoubleStream.of(p.y().value(), p.y().low(), p.y().high()))
                .toArray();
        var names = new ArrayList<>(frontier.arms().stream()
                .filter(a -> !a.points().isEmpty())
                .map(Arm::name)
                .toList());
        if (!frontier.optimum().isEmpty()) {
            names.add(optimumName(frontier));
        }
        var labels = new Labels(frontier.title(), frontier.x(), frontier.y());
        var frame = new Frame(labels, width, xs, ys, names);
        optimum(frame, optimum);
        for (int i = 0; i < frontier.arms().size(); i++) {
            arm(
                    frame,
                    frontier.arms().get(i).points().stream()
                            .filter(FrontierPlot::drawn)
                            .toList(),
                    i,
                    frontier.arms().get(i).name());
        }
        if (width >= 560) {
            labels(frame, frontier.arms());
        }
        frame.names(names(frame, frontier, optimum));
        return frame.svg.end();
    }

    /// The optimum up to twice the divergence that any method reached: drawn whole it may squeeze them into a corner.
    private static List<Point> nearTheArms(Frontier frontier) {
        double reach = frontier.arms().stream()
                .flatMap(a -> a.points().stream())
                .filter(FrontierPlot::drawn)
                .mapToDouble(Point::x)
                .max()
                .orElse(0);
        return reach > 0
                ? frontier.optimum().stream().filter(p -> p.x() <= 2 * reach).toList()
                : frontier.optimum();
    }

    private static String optimumName(Frontier frontier) {
        var label = frontier.optimum().getFirst().label();
        return label.isEmpty() ? EXACT : label;
    }

    private static List<Name> names(Frame frame, Frontier frontier, List<Point> optimum) {
        var names = new ArrayList<Name>();
        for (int i = 0; i < frontier.arms().size(); i++) {
            if (frontier.arms().get(i).points().isEmpty()) {
                continue;
            }
            var points = sorted(frontier.arms().get(i).points());
            double end = points.isEmpty() ? Double.NaN : points.getLast().y().value();
            names.add(new Name(frontier.arms().get(i).name(), Svg.colour(i), false, frame.y.at(end)));
        }
        if (!frontier.optimum().isEmpty()) {
            var points = sorted(optimum);
            double end = points.isEmpty() ? Double.NaN : points.getLast().y().value();
            names.add(new Name(optimumName(frontier), Svg.colour(GREY), true, frame.y.at(end)));
        }
        return names;
    }

    private static void optimum(Frame frame, List<Point> optimum) {
        var points = sorted(optimum);
        frame.svg.path(
                path(frame, points),
                "fill:none;stroke-width:2;stroke-dasharray:1 4;stroke-linecap:round;stroke:" + Svg.colour(GREY));
    }

    private static void arm(Frame frame, List<Point> points, int series, String name) {
        var colour = Svg.colour(series);
        frame.svg.path(path(frame, points), "fill:none;stroke-width:2;stroke-opacity:.55;stroke:" + colour);
        for (var p : points) {
            double x = frame.x.at(p.x());
            if (Double.isFinite(p.y().low()) && Double.isFinite(p.y().high())) {
                double low = frame.y.at(p.y().low());
                double high = frame.y.at(p.y().high());
                frame.svg.line(x, low, x, high, "stroke-width:1.5;stroke-opacity:.8;stroke:" + colour);
            }
        }
        for (var p : points) {
            double x = frame.x.at(p.x());
            double y = frame.y.at(p.y().value());
            frame.svg.mark(
                    marker(series, x, y), "stroke-width:1.5;stroke:" + Svg.PAPER + ";fill:" + colour, hint(name, p));
        }
    }

    /// Writes the labels of the points that stand free; the others show theirs under the pointer.
    private static void labels(Frame frame, List<Arm> arms) {
        var points = arms.stream()
                .flatMap(a -> a.points().stream())
                .filter(FrontierPlot::drawn)
                .toList();
        for (var p : points) {
            double x = frame.x.at(p.x());
            double y = frame.y.at(p.y().value());
            double reach = Svg.width(p.label(), SMALL) + 12;
            boolean free = !p.label().isEmpty()
                    && x + reach < frame.x.end()
                    && points.stream().noneMatch(q -> q != p && covers(frame, q, x, y, reach));
            if (free) {
                frame.svg.text(x + 8, y + 16, Anchor.START, SMALL, Svg.MUTED, p.label());
            }
        }
    }

    private static boolean covers(Frame frame, Point q, double x, double y, double reach) {
        double right = frame.x.at(q.x()) - x;
        double down = frame.y.at(q.y().value()) - y;
        return right > -reach && right < reach && down > -22 && down < 30;
    }

    private static String hint(String name, Point p) {
        var interval = Quantity.interval(p.y(), "");
        return name + (p.label().isEmpty() ? "" : ", " + p.label()) + ": " + Quantity.number(p.y().value())
                + (interval.isEmpty() ? "" : " (" + interval + ")") + " at " + Quantity.number(p.x());
    }

    private static List<Point> sorted(List<Point> points) {
        return points.stream()
                .filter(FrontierPlot::drawn)
                .sorted(Comparator.comparingDouble(Point::x))
                .toList();
    }

    private static boolean drawn(Point p) {
        return Double.isFinite(p.x()) && Double.isFinite(p.y().value());
    }

    private static String path(Frame frame, List<Point> points) {
        return frame.path(
                points.stream().mapToDouble(Point::x).toArray(),
                points.stream().mapToDouble(p -> p.y().value()).toArray());
    }

    /// Circle, square, diamond, triangle in turn: a second sign beside the colour.
    private static String marker(int series, double x, double y) {
        return switch (series % 4) {
            case 0 -> at(x - 5, y) + "a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z";
            case 1 -> at(x - 4.5, y - 4.5) + "h9v9h-9Z";
            case 2 -> at(x, y - 6) + "l6 6l-6 6l-6 -6Z";
            default -> at(x, y - 6) + "l5.8 10h-11.6Z";
        };
    }

    private static String at(double x, double y) {
        return "M" + Svg.number(x) + " " + Svg.number(y);
    }
}

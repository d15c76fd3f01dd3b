package dev.kedge.run.result;

import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/// Reward against divergence for one or more methods, each swept over its strength, beside the exact optimum.
///
/// @param x       label of the horizontal axis, a divergence from the reference in nats
/// @param y       label of the vertical axis
/// @param optimum the exact optimum curve, or what its first point's label says; empty where it cannot be computed
public record Frontier(String title, String x, String y, List<Arm> arms, List<Point> optimum) {
    public Frontier {
        arms = List.copyOf(arms);
        optimum = List.copyOf(optimum);
    }

    /// One whose optimum is not drawn.
    public Frontier(String title, String x, String y, List<Arm> arms) {
        this(title, x, y, arms, List.of());
    }

    /// The mean over seeds, point by point, with the bootstrap interval of each mean. A point that is not finite in one
    /// seed is not finite in the mean, and not drawn.
    ///
    /// @param seeds the same measurement from different seeds: equal arms with equal numbers of points
    public static Frontier mean(List<Frontier> seeds, Bootstrap bootstrap) {
        var first = seeds.getFirst();
        var arms = new ArrayList<Arm>();
        for (int a = 0; a < first.arms.size(); a++) {
            int arm = a;
            var points = seeds.stream().map(s -> s.arms.get(arm).points()).toList();
            arms.add(new Arm(first.arms.get(a).name(), meanPoints(points, bootstrap)));
        }
        var optima = seeds.stream().map(Frontier::optimum).toList();
        return new Frontier(
                first.title,
                first.x,
                first.y,
                arms,
                meanPoints(optima, bootstrap).stream()
                        .map(p -> Point.of(p.x(), p.y().value()))
                        .toList());
    }

    private static List<Point> meanPoints(List<List<Point>> seeds, Bootstrap bootstrap) {
        return IntStream.range(0, seeds.getFirst().size())
                .mapToObj(i -> {
                    var same = seeds.stream().map(points -> points.get(i)).toList();
                    double[] ys = same.stream().mapToDouble(p -> p.y().value()).toArray();
                    double x = same.stream().mapToDouble(Point::x).sum() / same.size();
                    return new Point(x, mean(ys, bootstrap), same.getFirst().label());
                })
                .toList();
    }

    private static Estimate mean(double[] values, Bootstrap bootstrap) {
        double mean = Arrays.stream(values).sum() / values.length;
        return values.length > 1 && Double.isFinite(mean) ? bootstrap.bca(values) : Estimate.of(mean);
    }

    /// One method: a point for each strength, or for each policy on its way; a plot joins them in their order. One
    /// without points keeps the others' colours what they are beside it, and is not named.
    public record Arm(String name, List<Point> points) {
        public Arm {
            points = List.copyOf(points);
        }

        /// One with a point for each of several things.
        public static <T> Arm of(String name, Collection<T> things, ToDoubleFunction<T> x, ToDoubleFunction<T> y) {
            return new Arm(
                    name,
                    things.stream()
                            .map(t -> Point.of(x.applyAsDouble(t), y.applyAsDouble(t)))
                            .toList());
        }

        /// One through points without labels.
        public static Arm of(String name, double[] x, double[] y) {
            return new Arm(
                    name,
                    IntStream.range(0, x.length)
                            .mapToObj(i -> Point.of(x[i], y[i]))
                            .toList());
        }
    }

    /// Arms by their names, in their order.
    public static List<Arm> arms(Map<String, List<Point>> points) {
        return points.entrySet().stream()
                .map(arm -> new Arm(arm.getKey(), arm.getValue()))
                .toList();
    }

    /// A divergence and the reward reached there; the label names the strength and may be empty.
    public record Point(double x, Estimate y, String label) {
        /// A point with neither interval nor label.
        public static Point of(double x, double y) {
            return new Point(x, Estimate.of(y), "");
        }
    }
}

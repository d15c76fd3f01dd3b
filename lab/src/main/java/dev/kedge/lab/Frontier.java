package dev.kedge.lab;

import dev.kedge.recipe.statistics.Estimate;
import java.util.List;

/// Reward against divergence for one or more methods, each swept over its strength, beside the exact optimum.
///
/// @param x       label of the horizontal axis, a divergence from the reference in nats
/// @param y       label of the vertical axis
/// @param optimum the exact optimum curve; empty where it cannot be computed
public record Frontier(String title, String x, String y, List<Arm> arms, List<Point> optimum) {
    public Frontier {
        arms = List.copyOf(arms);
        optimum = List.copyOf(optimum);
    }

    /// One method: a point for each strength.
    public record Arm(String name, List<Point> points) {
        public Arm {
            points = List.copyOf(points);
        }
    }

    /// A divergence and the reward reached there; the label names the strength and may be empty.
    public record Point(double x, Estimate y, String label) {
        /// A point with neither interval nor label.
        public static Point of(double x, double y) {
            return new Point(x, Estimate.of(y), "");
        }
    }
}

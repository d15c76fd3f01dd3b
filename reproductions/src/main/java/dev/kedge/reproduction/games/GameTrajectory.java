package dev.kedge.reproduction.games;

import dev.kedge.run.result.Frontier;
import java.util.List;
import java.util.function.ToDoubleFunction;

/// How a policy came on in one game.
///
/// @param points    in order, from before the first update to after the last
/// @param logPolicy log-probabilities of the last policy, nats, `[n]`
public record GameTrajectory(List<Point> points, double[] logPolicy) {
    public GameTrajectory {
        points = List.copyOf(points);
    }

    /// The policy after some updates, and the average of all policies so far, the first among them.
    ///
    /// @param updates   made so far
    /// @param gradients of losses evaluated so far
    public record Point(int updates, int gradients, Quality last, Quality average) {}

    /// How far a policy is from equilibrium: 0 there, and positive elsewhere.
    ///
    /// @param dualityGap     of the regularised game
    /// @param exploitability of the bare game, `max_y P(y > π) - 1/2`
    public record Quality(double dualityGap, double exploitability) {
        private static final double LEAST = 1e-16;

        /// Powers of ten of the duality gap; from -16 on, as rounding leaves nothing to tell apart below.
        public double logGap() {
            return Math.log10(Math.max(LEAST, dualityGap));
        }
    }

    /// The way as an arm of a picture.
    public Frontier.Arm arm(String name, ToDoubleFunction<Point> x, ToDoubleFunction<Point> y) {
        return Frontier.Arm.of(name, points, x, y);
    }

    /// Where it ended.
    public Point end() {
        return points.getLast();
    }

    /// The last point with at most so many updates.
    public Point afterUpdates(int updates) {
        return points.stream()
                .filter(p -> p.updates() <= updates)
                .reduce((_, later) -> later)
                .orElseThrow();
    }

    /// The last point with at most so many gradients.
    public Point afterGradients(int gradients) {
        return points.stream()
                .filter(p -> p.gradients() <= gradients)
                .reduce((_, later) -> later)
                .orElseThrow();
    }
}

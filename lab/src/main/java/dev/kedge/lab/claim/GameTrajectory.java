package dev.kedge.lab.claim;

import java.util.List;

/// How a policy came on in one game.
///
/// @param points    in order, from before the first update to after the last
/// @param logPolicy log-probabilities of the last policy, nats, [n]
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
    public record Quality(double dualityGap, double exploitability) {}

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

package dev.kedge.env;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.hipparchus.optim.linear.LinearConstraint;
import org.hipparchus.optim.linear.LinearConstraintSet;
import org.hipparchus.optim.linear.LinearObjectiveFunction;
import org.hipparchus.optim.linear.NonNegativeConstraint;
import org.hipparchus.optim.linear.Relationship;
import org.hipparchus.optim.linear.SimplexSolver;
import org.hipparchus.optim.nonlinear.scalar.GoalType;

/// The linear programme of a game: maximise `Σ x` subject to `P·x <= 1` and `x >= 0`. Its x is an equilibrium, but for
/// its sum, which is 1 over the value of the game: 2. Unlike the programme in policy and value it starts from a
/// feasible point, 0.
final class MinimaxProgram {
    private static final double PRECISION = 1e-12;
    private static final int ULPS = 10;

    private MinimaxProgram() {}

    static double[] strategy(PreferenceGame game) {
        List<LinearConstraint> constraints = new ArrayList<>();
        for (double[] row : game.winProbabilities()) {
            constraints.add(new LinearConstraint(row, Relationship.LEQ, 1));
        }
        double[] ones = new double[game.actions()];
        Arrays.fill(ones, 1);
        double[] solution = new SimplexSolver(PRECISION, ULPS)
                .optimize(
                        new LinearObjectiveFunction(ones, 0),
                        new LinearConstraintSet(constraints),
                        GoalType.MAXIMIZE,
                        new NonNegativeConstraint(true))
                .getPoint();
        double[] policy = Arrays.stream(solution).map(x -> Math.max(0, x)).toArray();
        double sum = Arrays.stream(policy).sum();
        return Arrays.stream(policy).map(x -> x / sum).toArray();
    }
}

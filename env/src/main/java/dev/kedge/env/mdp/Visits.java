package dev.kedge.env.mdp;

import java.util.Arrays;

/// Where actions led, counted stage by stage.
public final class Visits {
    private final double[][][] counts;
    private final double[][][][] successors;

    public Visits(int horizon, int states, int actions) {
        counts = new double[horizon][states][actions];
        successors = new double[horizon][states][actions][states];
    }

    /// Counts all stages. After the last one nothing has value, and where it led is not counted.
    ///
    /// @throws IllegalArgumentException if the trajectory has another number of stages, or a state or an action is
    ///     out of range
    public void add(Trajectory trajectory) {
        requireShape(trajectory);
        for (int h = 0; h < counts.length; h++) {
            int s = trajectory.states()[h];
            int a = trajectory.actions()[h];
            counts[h][s][a]++;
            if (h + 1 < counts.length) {
                successors[h][s][a][trajectory.states()[h + 1]]++;
            }
        }
    }

    private void requireShape(Trajectory trajectory) {
        if (trajectory.states().length != counts.length) {
            throw new IllegalArgumentException(
                    "a trajectory of " + trajectory.states().length + " stages in a process of " + counts.length);
        }
        for (int h = 0; h < counts.length; h++) {
            int s = trajectory.states()[h];
            int a = trajectory.actions()[h];
            if (s < 0 || s >= counts[0].length || a < 0 || a >= counts[0][0].length) {
                throw new IllegalArgumentException("stage " + h + ": states are from 0 to " + (counts[0].length - 1)
                        + " and actions from 0 to " + (counts[0][0].length - 1) + ", were " + s + " and " + a);
            }
        }
    }

    /// `n_h(s, a)`, `[H][S][A]`, which goes on counting.
    public double[][][] counts() {
        return counts;
    }

    /// `n_h(s, a, s')/n_h(s, a)`, uniform where nothing was seen.
    ///
    /// @param reward `[H][S][A]`
    public OptimisticPlanning.Estimate estimate(double[][][] reward) {
        int states = counts[0].length;
        double[][][][] weights = new double[counts.length][states][counts[0][0].length][states];
        for (int h = 0; h < counts.length; h++) {
            for (int s = 0; s < states; s++) {
                for (int a = 0; a < weights[h][s].length; a++) {
                    double n = h + 1 < counts.length ? counts[h][s][a] : 0;
                    double[] seen = successors[h][s][a];
                    Arrays.setAll(weights[h][s][a], to -> n == 0 ? 1.0 / states : seen[to] / n);
                }
            }
        }
        return new OptimisticPlanning.Estimate(reward, weights);
    }
}

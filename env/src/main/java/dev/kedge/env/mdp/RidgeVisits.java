package dev.kedge.env.mdp;

import java.util.Arrays;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.CholeskyDecomposition;
import org.hipparchus.linear.RealMatrix;

/// Where actions led, as ridge regressions of each stage's next values on features of state and action: the estimate of
/// LSVI-UCB (arXiv:1907.05388) and LSVI-UCB-Ent (arXiv:2310.17303). With `Λ = ridge·I + Σ φφᵀ` the value expected is
/// `φ(s,a)ᵀΛ⁻¹ Σ φ·V(s')`, linear in V. With one-hot features it is the empirical mean, shrunk by `n/(n + ridge)`.
public final class RidgeVisits {
    private final double[][][] features;
    private final double ridge;
    private final double[][][] covariance;
    private final double[][][] successors;

    /// @param features φ(s, a): `[S][A][d]`
    /// @param ridge    finite and > 0
    /// @throws IllegalArgumentException if features have different lengths, or ridge is out of range
    public RidgeVisits(int horizon, double[][][] features, double ridge) {
        int d = features[0][0].length;
        for (int s = 0; s < features.length; s++) {
            for (int a = 0; a < features[s].length; a++) {
                if (features[s].length != features[0].length || features[s][a].length != d) {
                    throw new IllegalArgumentException(
                            Transitions.at(s, a) + ": " + d + " features expected, were " + features[s][a].length);
                }
            }
        }
        if (!(ridge > 0 && ridge < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("ridge must be finite and > 0, was " + ridge);
        }
        this.features = features;
        this.ridge = ridge;
        covariance = new double[horizon][d][d];
        successors = new double[horizon][d][features.length];
    }

    /// A feature of its own for each state and action: `[S][A][S·A]`.
    public static double[][][] oneHot(int states, int actions) {
        double[][][] features = new double[states][actions][states * actions];
        for (int s = 0; s < states; s++) {
            for (int a = 0; a < actions; a++) {
                features[s][a][s * actions + a] = 1;
            }
        }
        return features;
    }

    /// Adds all stages; see [Visits#add].
    public void add(Trajectory trajectory) {
        for (int h = 0; h < covariance.length; h++) {
            double[] phi = features[trajectory.states()[h]][trajectory.actions()[h]];
            for (int i = 0; i < phi.length; i++) {
                if (phi[i] == 0) {
                    continue;
                }
                for (int j = 0; j < phi.length; j++) {
                    covariance[h][i][j] += phi[i] * phi[j];
                }
                if (h + 1 < covariance.length) {
                    successors[h][i][trajectory.states()[h + 1]] += phi[i];
                }
            }
        }
    }

    /// What the regressions say, and how sure they are.
    ///
    /// @param norms `sqrt(φᵀΛ⁻¹φ)`, `[H][S][A]`
    public record Fit(OptimisticPlanning.Estimate estimate, double[][][] norms) {}

    /// @param reward `[H][S][A]`
    public Fit fit(double[][][] reward) {
        int states = features.length;
        double[][][][] weights = new double[covariance.length][states][features[0].length][states];
        double[][][] norms = new double[covariance.length][states][features[0].length];
        for (int h = 0; h < covariance.length; h++) {
            double[][] inverse = inverse(covariance[h]);
            for (int s = 0; s < states; s++) {
                for (int a = 0; a < features[s].length; a++) {
                    double[] phi = features[s][a];
                    double[] solved = times(phi, inverse);
                    norms[h][s][a] = Math.sqrt(ValueIteration.expectation(solved, phi));
                    weights[h][s][a] = times(solved, successors[h]);
                }
            }
        }
        return new Fit(new OptimisticPlanning.Estimate(reward, weights), norms);
    }

    private double[][] inverse(double[][] gram) {
        RealMatrix lambda = new Array2DRowRealMatrix(gram, true);
        for (int i = 0; i < gram.length; i++) {
            lambda.addToEntry(i, i, ridge);
        }
        // Thresholds of 0: a ridge near 0 is positive all the same.
        return new CholeskyDecomposition(lambda, 1e-10, 0)
                .getSolver()
                .getInverse()
                .getData();
    }

    /// A row times a matrix.
    private static double[] times(double[] row, double[][] matrix) {
        double[] product = new double[matrix[0].length];
        for (int i = 0; i < row.length; i++) {
            double factor = row[i];
            if (factor != 0) {
                double[] from = matrix[i];
                Arrays.setAll(product, j -> product[j] + factor * from[j]);
            }
        }
        return product;
    }
}

package dev.kedge.env;

import java.util.Arrays;
import org.hipparchus.linear.ArrayRealVector;
import org.hipparchus.linear.BlockRealMatrix;
import org.hipparchus.linear.LUDecomposition;
import org.hipparchus.linear.RealMatrix;

/// Follows the regularised equilibrium from the reference, where the games begin at s = 1/beta = 0, to the s wanted.
///
/// With `A = P - 1/2`, which is skew, the equilibrium's logits solve `θ = log ref + s·A·softmax(θ)`. The Jacobian
/// `I - s·A·(diag p - p·pᵀ)` has eigenvalues `1 + i·λ`: a skew matrix times a positive semidefinite one has imaginary
/// eigenvalues. So it is never singular, the path has no turns, and small steps with Newton's corrections keep to it
/// whatever the game; the length of a step doubles while they succeed.
final class NashPath {
    private static final int CORRECTIONS = 30;
    private static final double RESIDUAL = 1e-12;
    private static final double ROUNDING = 1e-14;

    private final double[][] a;
    private final double[] logRef;

    private NashPath(PreferenceGame game, double[] logRef) {
        this.a = game.winProbabilities();
        for (double[] row : a) {
            Arrays.setAll(row, j -> row[j] - 0.5);
        }
        this.logRef = logRef;
    }

    static double[] equilibrium(PreferenceGame game, double[] logRef, double beta) {
        NashPath path = new NashPath(game, logRef);
        double end = 1 / beta;
        double[] at = logRef.clone();
        double s = 0;
        double step = 1;
        while (s < end) {
            double next = Math.min(end, s + step);
            if (next == s) {
                throw new ArithmeticException("no equilibrium found beyond beta = " + 1 / s);
            }
            double[] corrected = path.corrected(path.predicted(at, s, next - s), next);
            if (corrected == null) {
                step /= 2;
            } else {
                at = corrected;
                s = next;
                step *= 2;
            }
        }
        return Categorical.logSoftmax(at);
    }

    private double[] predicted(double[] logits, double s, double step) {
        double[] p = policy(logits);
        return plus(logits, step, solve(p, s, product(p)));
    }

    /// Newton's method for as long as it gains; null where that is not close enough.
    private double[] corrected(double[] start, double s) {
        double[] best = start;
        double[] residual = residual(start, s);
        for (int i = 0; i < CORRECTIONS; i++) {
            double[] trial = plus(best, -1, solve(policy(best), s, residual));
            double[] left = residual(trial, s);
            if (!(size(left) < size(residual))) {
                break;
            }
            best = trial;
            residual = left;
        }
        return size(residual) <= Math.max(RESIDUAL, ROUNDING * s) ? best : null;
    }

    private double[] residual(double[] logits, double s) {
        double[] target = plus(logRef, s, product(policy(logits)));
        return plus(logits, -1, target);
    }

    /// The x with `(I - s·A·(diag p - p·pᵀ))·x = right`.
    private double[] solve(double[] p, double s, double[] right) {
        int n = p.length;
        double[] rates = product(p);
        RealMatrix jacobian = new BlockRealMatrix(n, n);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                jacobian.setEntry(i, j, (i == j ? 1 : 0) - s * p[j] * (a[i][j] - rates[i]));
            }
        }
        return new LUDecomposition(jacobian)
                .getSolver()
                .solve(new ArrayRealVector(right, false))
                .toArray();
    }

    /// `A·p`.
    private double[] product(double[] p) {
        double[] product = new double[p.length];
        Arrays.setAll(product, i -> {
            double sum = 0;
            for (int j = 0; j < p.length; j++) {
                sum += a[i][j] * p[j];
            }
            return sum;
        });
        return product;
    }

    private static double[] policy(double[] logits) {
        return Categorical.probabilities(Categorical.logSoftmax(logits));
    }

    private static double[] plus(double[] x, double factor, double[] y) {
        double[] sum = new double[x.length];
        Arrays.setAll(sum, i -> x[i] + factor * y[i]);
        return sum;
    }

    private static double size(double[] x) {
        return Arrays.stream(x).map(Math::abs).max().orElseThrow();
    }
}

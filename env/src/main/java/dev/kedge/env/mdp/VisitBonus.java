package dev.kedge.env.mdp;

import dev.kedge.config.Kind;

/// How far a value that is expected from n visits may be off: what optimism adds and pessimism takes away. All are
/// scaled: with the constants of the theory every value of a small task is at its limit until n is large.
public sealed interface VisitBonus {
    /// One stage, state and action.
    ///
    /// @param horizon  H
    /// @param stage    h, from 0
    /// @param cells    `H·S·A`
    /// @param visits   n, >= 0
    /// @param variance of the optimistic values after it
    /// @param width    expected distance of optimistic and pessimistic values after it
    record Cell(int horizon, int stage, long cells, double visits, double variance, double width) {
        /// The most that can be had from this stage on, with rewards up to 1.
        double left() {
            return horizon - stage;
        }
    }

    /// The bonus, >= 0.
    double of(Cell cell);

    /// The bonuses for planning on an estimate.
    ///
    /// @param visits `[H][S][A]`
    default OptimisticPlanning.Bonus of(OptimisticPlanning.Estimate estimate, double[][][] visits) {
        int horizon = estimate.horizon();
        long cells = (long) horizon * visits[0].length * visits[0][0].length;
        return (h, s, a, upper, lower) -> {
            double mean = estimate.expectation(h, s, a, upper);
            return of(new Cell(
                    horizon,
                    h,
                    cells,
                    visits[h][s][a],
                    estimate.variance(h, s, a, upper, mean),
                    mean - estimate.expectation(h, s, a, lower)));
        };
    }

    /// `scale·(root·sqrt(Var·L/n) + rest·H²·L/n + width/H)` with `L = log(S·A·H·n/delta)`, and H where nothing was
    /// seen: Bernstein's form as in arXiv:2310.17303, whose constants are 3 and 9 at scale 1 as far as they are
    /// known.
    ///
    /// @param root  of the variance's part, finite and >= 0
    /// @param rest  of the part that falls with 1/n, finite and >= 0
    /// @param scale of the whole, finite and > 0
    /// @param delta the probability that a bound fails, in (0, 1)
    @Kind("bernstein")
    record Bernstein(double root, double rest, double scale, double delta) implements VisitBonus {
        public Bernstein {
            if (!(root >= 0 && rest >= 0 && root + rest < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "root and rest must be finite and >= 0, were " + root + " and " + rest);
            }
            requireScale(scale);
            if (!(delta > 0 && delta < 1)) {
                throw new IllegalArgumentException("delta must be in (0, 1), was " + delta);
            }
        }

        @Override
        public double of(Cell cell) {
            double n = cell.visits;
            if (n == 0) {
                return cell.horizon;
            }
            double log = Math.log(cell.cells * n / delta);
            double h = cell.horizon;
            return scale * (root * Math.sqrt(cell.variance * log / n) + rest * h * h * log / n + cell.width / h);
        }
    }

    /// `scale·(sqrt(Var·L/n) + (H - h)·L/n)` with `L = 1 + log(1 + n)` and n at least 1: Bernstein's form without the
    /// constants that suit a proof.
    ///
    /// @param scale finite and > 0; 0.1 suits small tasks
    @Kind("light")
    record Light(double scale) implements VisitBonus {
        public Light {
            requireScale(scale);
        }

        @Override
        public double of(Cell cell) {
            double n = Math.max(1, cell.visits);
            double log = 1 + Math.log1p(cell.visits);
            return scale * (Math.sqrt(cell.variance * log / n) + cell.left() * log / n);
        }
    }

    /// `scale·(H - h)/sqrt(n)`, and H where nothing was seen: Hoeffding's form, whose counterpart in a regression is
    /// `scale·(H - h)·||φ||` in the norm of the inverse covariance.
    ///
    /// @param scale finite and > 0
    @Kind("hoeffding")
    record Hoeffding(double scale) implements VisitBonus {
        public Hoeffding {
            requireScale(scale);
        }

        @Override
        public double of(Cell cell) {
            return cell.visits == 0 ? cell.horizon : scale * cell.left() / Math.sqrt(cell.visits);
        }
    }

    private static void requireScale(double scale) {
        if (!(scale > 0 && scale < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("scale must be finite and > 0, was " + scale);
        }
    }
}

package dev.kedge.objective.divergence;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(InScope.class)
class DivergenceTest {
    private static final double[] RATIOS = {1e-3, 0.2, 0.9, 1.1, 3, 50};
    private static final double[] P = {0.5, 0.3, 0.15, 0.05};
    private static final double[] Q = {0.2, 0.25, 0.15, 0.4};

    static Stream<Divergence> all() {
        return Stream.concat(barriers(), Stream.of(new ChiSquared(), new TotalVariation()));
    }

    static Stream<BarrierDivergence> barriers() {
        return Stream.of(
                new ReverseKl(),
                new ForwardKl(),
                new JensenShannon(),
                new AlphaDivergence(0.3),
                new AlphaDivergence(0.8));
    }

    static Stream<Divergence> invertible() {
        return Stream.concat(barriers(), Stream.of(new ChiSquared()));
    }

    static Stream<Divergence> withGaussianForm() {
        return invertible().filter(d -> !(d instanceof JensenShannon));
    }

    @ParameterizedTest
    @MethodSource("all")
    void fIsZeroAtOneAndConvex(Divergence d) {
        assertEquals(0, d.f(1), 1e-15);
        for (double a : RATIOS) {
            for (double b : RATIOS) {
                assertTrue(d.f((a + b) / 2) <= (d.f(a) + d.f(b)) / 2 + 1e-12, d + " at " + a + ", " + b);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void derivativeEqualsCentralDifferencesOfF(Divergence d) {
        for (double u : RATIOS) {
            double h = 1e-5 * u;
            double slope = (d.f(u + h) - d.f(u - h)) / (2 * h);
            assertEquals(slope, d.derivative(u), 1e-7 * Math.max(1, Math.abs(slope)), d + " at " + u);
        }
    }

    @ParameterizedTest
    @MethodSource("invertible")
    void inverseUndoesTheDerivative(Divergence d) {
        for (double u : RATIOS) {
            assertTrue(d.derivativeRange().contains(d.derivative(u)));
            assertEquals(u, d.inverseDerivative(d.derivative(u)), 1e-12 * u, d + " at " + u);
        }
    }

    @ParameterizedTest
    @MethodSource("invertible")
    void theRangeIsWhatTheDerivativeTendsTo(Divergence d) {
        assertEquals(d.derivativeRange().infimum(), d.derivative(0));
        double supremum = d.derivativeRange().supremum();
        assertTrue(d.derivative(1e300) > (Double.isInfinite(supremum) ? 600 : supremum - 1e-12));
    }

    @ParameterizedTest
    @MethodSource("invertible")
    void outsideItsDomainTheInverseIsRefusedByName(Divergence d) {
        Divergence.Range range = d.derivativeRange();
        for (double v : new double[] {range.infimum(), range.supremum(), Double.NaN}) {
            var e = assertThrows(IllegalArgumentException.class, () -> d.inverseDerivative(v));
            assertTrue(e.getMessage().contains(String.valueOf(range.supremum())), e.getMessage());
        }
    }

    @ParameterizedTest
    @MethodSource("barriers")
    void aBarrierHoldsAtZero(BarrierDivergence d) {
        assertEquals(Double.NEGATIVE_INFINITY, d.derivative(0));
    }

    @Test
    void zeroIsInTheDomainOfChiSquaredsDerivative() {
        assertEquals(-2, new ChiSquared().derivative(0));
    }

    @Test
    void totalVariationHasNoInverse() {
        var e = assertThrows(UnsupportedOperationException.class, () -> new TotalVariation().inverseDerivative(0));
        assertEquals("f' of total variation has no inverse: it is -1/2 or 1/2", e.getMessage());
        assertThrows(UnsupportedOperationException.class, () -> new TotalVariation().derivativeRange());
    }

    @ParameterizedTest
    @MethodSource("all")
    void aNegativeRatioIsRefused(Divergence d) {
        refused("a ratio of probabilities is >=", () -> d.f(-0.1));
        refused("a ratio of probabilities is >=", () -> d.derivative(Double.NaN));
        assertEquals(d.derivative(0.0), d.derivative(-0.0), "-0.0 is not negative");
    }

    @Test
    void limitsAtZero() {
        assertEquals(0, new ReverseKl().f(0));
        assertEquals(Double.POSITIVE_INFINITY, new ForwardKl().f(0));
        assertEquals(Math.log(2), new JensenShannon().f(0), 1e-15);
        assertEquals(1 / (1 - 0.3), new AlphaDivergence(0.3).f(0), 1e-15);
    }

    @ParameterizedTest
    @MethodSource("barriers")
    void scoreIsTheDerivativeUpToItsNamedConstant(BarrierDivergence d) {
        double constant =
                switch (d) {
                    case ReverseKl _ -> 1;
                    case ForwardKl _, JensenShannon _ -> 0;
                    case AlphaDivergence(double alpha) -> 1 / alpha;
                };
        for (double x : new double[] {-3, -0.5, 0, 0.5, 3}) {
            assertEquals(d.derivative(Math.exp(x)), d.score(Tensor.of(x)).item() + constant, 1e-13 * Math.exp(3));
        }
        CentralDifferences.assertGradient(
                new double[] {-3, -0.5, 0, 0.5, 3}, x -> d.score(x).sum(), 1e-8);
    }

    @Test
    void theScoreOfJensenShannonIsBoundedAndStable() {
        Tensor x = Tensor.of(-1e6, -40, 40, 1e6).requiresGrad();
        Tensor score = new JensenShannon().score(x);
        score.sum().backward();
        double log2 = Math.log(2);
        assertArrayEquals(new double[] {-1e6 + log2, -40 + log2, log2, log2}, score.toDoubles(), 1e-9);
        assertTrue(score.le(log2).allTrue());
        assertArrayEquals(new double[] {1, 1, 0, 0}, x.grad().toDoubles(), 1e-15);
    }

    /// The definition, `Σ q f(p/q)`, outcome by outcome.
    @ParameterizedTest
    @MethodSource("all")
    void categoricalIsTheExpectationOfF(Divergence d) {
        double oracle = 0;
        for (int i = 0; i < P.length; i++) {
            oracle += Q[i] * d.f(P[i] / Q[i]);
        }
        Tensor logP = Tensor.of(P).log();
        Tensor logQ = Tensor.of(Q).log();
        assertEquals(oracle, d.categorical(logP, logQ).item(), 1e-14);
        Tensor rows = d.categorical(Tensor.stack(List.of(logP, logQ), 0), Tensor.stack(List.of(logQ, logQ), 0));
        assertArrayEquals(new double[] {oracle, 0}, rows.toDoubles(), 1e-14);
    }

    @ParameterizedTest
    @MethodSource("all")
    void categoricalGradientsEqualCentralDifferences(Divergence d) {
        CentralDifferences.assertGradient(
                new double[] {0.3, -1, 0.5, 2, 1, 1.1, -0.7, 0.2},
                x -> d.categorical(
                        x.narrow(0, 0, 4).logSoftmax(0), x.narrow(0, 4, 4).logSoftmax(0)),
                1e-8);
    }

    /// With p = 0, with both 0: nothing breaks. With q = 0 only, p counts as often as f grows: the limit of f'.
    @ParameterizedTest
    @MethodSource("all")
    void outcomesOfProbabilityZero(Divergence d) {
        double none = Double.NEGATIVE_INFINITY;
        Tensor logP = Tensor.of(Math.log(0.4), Math.log(0.6), none, none).requiresGrad();
        Tensor logQ =
                Tensor.of(Math.log(0.5), Math.log(0.2), none, Math.log(0.3)).requiresGrad();
        Tensor value = d.categorical(logP, logQ);
        assertEquals(0.5 * d.f(0.8) + 0.2 * d.f(3) + 0.3 * d.f(0), value.item(), 1e-14);
        if (Double.isFinite(value.item())) {
            value.backward();
            assertTrue(
                    logP.grad().isFinite().allTrue() && logQ.grad().isFinite().allTrue(), d.toString());
        }
        double beyond = d.categorical(logQ.detach(), logP.detach()).item();
        double limit = d.derivative(Double.POSITIVE_INFINITY);
        assertEquals(0.4 * d.f(1.25) + 0.6 * d.f(1.0 / 3) + 0.3 * limit, beyond, 1e-14);
    }

    @ParameterizedTest
    @MethodSource("withGaussianForm")
    void gaussianEqualsNumericalIntegration(Divergence d) {
        double[][] cases = {{0.3, Math.log(0.8), -0.2, Math.log(1.1)}, {-1, 0.1, 0.5, 0}, {0, 0, 0, 0}};
        for (double[] c : cases) {
            double oracle = integral(x -> {
                double p = density(x, c[0], Math.exp(c[1]));
                double q = density(x, c[2], Math.exp(c[3]));
                return p == 0 || q == 0 ? 0 : q * d.f(p / q);
            });
            Tensor got = d.gaussian(Tensor.of(c[0]), Tensor.of(c[1]), Tensor.of(c[2]), Tensor.of(c[3]));
            assertEquals(oracle, got.item(), 1e-10 * Math.max(1, oracle), d.toString());
        }
    }

    /// In two dimensions the divergence of products: checked on a grid of both.
    @ParameterizedTest
    @MethodSource("withGaussianForm")
    void gaussianOfSeveralDimensionsIsThatOfTheJointDensity(Divergence d) {
        double[] p = {0.3, -0.1, -0.2, 0.1};
        double[] q = {0.0, 0.2, 0.0, 0.15};
        double oracle = 0;
        double step = 0.05;
        for (double x = -8; x <= 8; x += step) {
            for (double y = -8; y <= 8; y += step) {
                double pxy = density(x, p[0], Math.exp(p[2])) * density(y, p[1], Math.exp(p[3]));
                double qxy = density(x, q[0], Math.exp(q[2])) * density(y, q[1], Math.exp(q[3]));
                oracle += qxy * d.f(pxy / qxy) * step * step;
            }
        }
        Tensor got =
                d.gaussian(Tensor.of(p[0], p[1]), Tensor.of(p[2], p[3]), Tensor.of(q[0], q[1]), Tensor.of(q[2], q[3]));
        assertEquals(oracle, got.item(), 1e-9, d.toString());
    }

    @ParameterizedTest
    @MethodSource("withGaussianForm")
    void gaussianGradientsEqualCentralDifferences(Divergence d) {
        CentralDifferences.assertGradient(
                new double[] {0.3, -0.2, -0.4, 0.1, 0.5, 0.1, 0.2, 0.05},
                x -> d.gaussian(x.narrow(0, 0, 2), x.narrow(0, 2, 2), x.narrow(0, 4, 2), x.narrow(0, 6, 2)),
                1e-8);
    }

    @Test
    void chiSquaredOfATooWideGaussianIsInfinite() {
        Tensor zeros = Tensor.of(0, 0);
        Tensor wide = Tensor.of(0, Math.log(2) / 2 + 1e-9).requiresGrad(); // σp² just above 2 σq²
        Tensor value = new ChiSquared().gaussian(zeros, wide, zeros, zeros);
        value.backward();
        assertEquals(Double.POSITIVE_INFINITY, value.item());
        assertArrayEquals(new double[] {0, 0}, wide.grad().toDoubles());
        // In another unit of length, on both sides of the bound.
        Tensor unit = Tensor.of(-3, -3);
        assertEquals(
                Double.POSITIVE_INFINITY,
                new ChiSquared()
                        .gaussian(zeros, wide.detach().plus(unit), zeros, unit)
                        .item());
        Tensor narrower = Tensor.of(-3, -3 + Math.log(2) / 2 - 1e-9);
        assertTrue(new ChiSquared()
                .gaussian(zeros, narrower, zeros, unit)
                .isFinite()
                .allTrue());
    }

    @Test
    void gaussianFormsThatDoNotExistAreRefused() {
        Tensor x = Tensor.of(0.0);
        assertThrows(UnsupportedOperationException.class, () -> new JensenShannon().gaussian(x, x, x, x));
        assertThrows(UnsupportedOperationException.class, () -> new TotalVariation().gaussian(x, x, x, x));
    }

    @ParameterizedTest
    @MethodSource("all")
    void unequalShapesAreRefused(Divergence d) {
        refused("logQ must have the shape of logP, [2], was [1]", () -> d.categorical(Tensor.of(0, 0), Tensor.of(0.0)));
    }

    @ParameterizedTest
    @MethodSource("withGaussianForm")
    void unequalShapesOfGaussiansAreRefused(Divergence d) {
        Tensor one = Tensor.of(0.0);
        Tensor two = Tensor.of(0, 0);
        refused("logStdP", () -> d.gaussian(one, two, one, one));
        refused("meanQ", () -> d.gaussian(one, one, two, one));
        refused("logStdQ", () -> d.gaussian(one, one, one, two));
    }

    private static double density(double x, double mean, double std) {
        double z = (x - mean) / std;
        return Math.exp(-z * z / 2) / (std * Math.sqrt(2 * Math.PI));
    }

    /// The trapezoid rule, which converges faster than any power for a smooth integrand that dies off.
    private static double integral(DoubleUnaryOperator f) {
        double sum = 0;
        double step = 0.01;
        for (double x = -20; x <= 20; x += step) {
            sum += f.applyAsDouble(x) * step;
        }
        return sum;
    }
}

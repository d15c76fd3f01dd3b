package dev.kedge.env.mdp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.env.Categorical;
import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class RegularizerTest {
    private static final double NEVER = Double.NEGATIVE_INFINITY;

    /// One state: action values, a reference, and another policy beside it.
    record Choice(double[] q, double[] logRef, double[] other) {}

    @Provide
    Arbitrary<Choice> choice() {
        return Arbitraries.integers().between(1, 6).flatMap(n -> {
            Arbitrary<double[]> numbers =
                    Arbitraries.doubles().between(-5, 5).array(double[].class).ofSize(n);
            return Combinators.combine(numbers, numbers, numbers)
                    .as((q, ref, other) -> new Choice(q, Categorical.logSoftmax(ref), Categorical.logSoftmax(other)));
        });
    }

    @Provide
    Arbitrary<Regularizer> regularizer() {
        Arbitrary<Double> beta = Arbitraries.doubles().between(-3, 3).map(x -> Math.pow(10, x));
        return Arbitraries.oneOf(
                Arbitraries.of(new Regularizer.None()),
                beta.map(Regularizer.Kl::new),
                beta.map(Regularizer.ChiSquared::new));
    }

    private static double objective(Regularizer regularizer, double[] q, double[] logPolicy, double[] logRef) {
        double sum = 0;
        for (int a = 0; a < q.length; a++) {
            sum += Math.exp(logPolicy[a]) * q[a];
        }
        return sum - regularizer.penalty(logPolicy, logRef);
    }

    private static double[] log(double... p) {
        return Arrays.stream(p).map(Math::log).toArray();
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.MIXIN)
    void theMaximumIsThatOfTheMaximizerAndOfNoOtherPolicy(
            @ForAll("choice") Choice c, @ForAll("regularizer") Regularizer regularizer) {
        double maximum = regularizer.maximum(c.q, c.logRef);
        double[] maximizer = regularizer.maximizer(c.q, c.logRef);
        assertEquals(0, Categorical.logSumExp(maximizer), 1e-12);
        // A penalty is rounded to 1e-16 of its largest part, beta.
        assertEquals(maximum, objective(regularizer, c.q, maximizer, c.logRef), 1e-10);
        for (double share : new double[] {1e-3, 0.1, 1}) {
            double[] mixed = new double[c.q.length];
            Arrays.setAll(mixed, a -> Math.log((1 - share) * Math.exp(maximizer[a]) + share * Math.exp(c.other[a])));
            assertTrue(objective(regularizer, c.q, Categorical.logSoftmax(mixed), c.logRef) <= maximum + 1e-10);
        }
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.MIXIN)
    void theBackupIsMonotoneAndMovesWithConstants(
            @ForAll("choice") Choice c, @ForAll("regularizer") Regularizer regularizer) {
        double maximum = regularizer.maximum(c.q, c.logRef);
        double[] raised = Arrays.stream(c.q).map(x -> x + 3.25).toArray();
        assertEquals(maximum + 3.25, regularizer.maximum(raised, c.logRef), 1e-11);
        double[] better = new double[c.q.length];
        Arrays.setAll(better, a -> c.q[a] + Math.exp(c.other[a]));
        double grown = regularizer.maximum(better, c.logRef);
        assertTrue(grown >= maximum - 1e-11 && grown <= maximum + 1 + 1e-11);
    }

    @Property(tries = 200, edgeCases = EdgeCasesMode.MIXIN)
    void theDerivativeIsThatOfThePenalty(@ForAll("choice") Choice c, @ForAll("regularizer") Regularizer regularizer) {
        double h = 1e-6; // from action a to action 0, along the simplex
        for (int a = 1; a < c.q.length; a++) {
            double[] p = Categorical.probabilities(c.other);
            if (p[0] < 0.01 || p[a] < 0.01 || Math.exp(c.logRef[a]) < 1e-3 || Math.exp(c.logRef[0]) < 1e-3) {
                continue; // too curved for differences
            }
            double[] up = p.clone();
            double[] down = p.clone();
            up[0] += h;
            up[a] -= h;
            down[0] -= h;
            down[a] += h;
            double difference =
                    (regularizer.penalty(log(up), c.logRef) - regularizer.penalty(log(down), c.logRef)) / (2 * h);
            double exact =
                    regularizer.derivative(c.other[0], c.logRef[0]) - regularizer.derivative(c.other[a], c.logRef[a]);
            assertEquals(exact, difference, 1e-5 * (1 + Math.abs(exact)) + 1e-9 * scale(regularizer));
        }
    }

    private static double scale(Regularizer regularizer) {
        return switch (regularizer) {
            case Regularizer.None() -> 0;
            case Regularizer.Kl(double beta) -> beta * 1e2; // rounding of the penalty, 1e-16·beta, over h
            case Regularizer.ChiSquared(double beta) -> beta * 1e5; // χ² is up to 1e3 here
        };
    }

    /// Worked numbers: reference [.8, .2], rewards [0, 1].
    @Test
    void workedTilts() {
        double[] q = {0, 1};
        double[] ref = log(0.8, 0.2);
        assertEquals(0.41160750, new Regularizer.Kl(0.5).maximum(q, ref), 5e-9);
        double[] half = new Regularizer.Kl(0.5).maximizer(q, ref);
        assertArrayEquals(new double[] {0.35121436, 0.64878564}, Categorical.probabilities(half), 5e-9);
        assertEquals(0.47435630, Categorical.kl(half, ref), 5e-9);
        assertEquals(0.83907437, new Regularizer.Kl(0.1).maximum(q, ref), 5e-9);
        assertEquals(0.99981843, Math.exp(new Regularizer.Kl(0.1).maximizer(q, ref)[1]), 5e-9);
        assertEquals(0.20816019, new Regularizer.Kl(10).maximum(q, ref), 5e-9);
        assertEquals(0.21648069, Math.exp(new Regularizer.Kl(10).maximizer(q, ref)[1]), 5e-9);
    }

    /// Worked numbers of a posterior: prior [.5, .3, .2], rewards [0, 1, 2], beta .5.
    @Test
    void workedPosterior() {
        double[] q = {0, 1, 2};
        double[] prior = log(0.5, 0.3, 0.2);
        var kl = new Regularizer.Kl(0.5);
        assertEquals(1.30636939, kl.maximum(q, prior), 5e-9);
        assertArrayEquals(
                new double[] {0.03666671, 0.16255943, 0.80077385},
                Categorical.probabilities(kl.maximizer(q, prior)),
                5e-9);
        assertEquals(1.16255639, objective(kl, q, log(0.2, 0.3, 0.5), prior), 5e-9);
    }

    @Test
    void chiSquaredIsLinearInsideAndCutOffOutside() {
        double[] ref = log(0.7, 0.2, 0.1);
        double[] q = {0, 1, 2};
        assertArrayEquals(
                new double[] {0.63, 0.23, 0.14},
                Categorical.probabilities(new Regularizer.ChiSquared(2).maximizer(q, ref)),
                1e-15);
        // beta 0.1: of all three the threshold is .4, and 1 + (0 - .4)/.2 < 0 shuts out the first. Of the others it is
        // (.4 - .2·(1 - .3))/.3, and both are above.
        double threshold = 0.26 / 0.3;
        assertArrayEquals(
                new double[] {0, 0.2 * (1 + (1 - threshold) / 0.2), 0.1 * (1 + (2 - threshold) / 0.2)},
                Categorical.probabilities(new Regularizer.ChiSquared(0.1).maximizer(q, ref)),
                1e-14);
    }

    @Test
    void whatTheReferenceNeverDoesIsNotDone() {
        double[] q = {0, 5, 1e6};
        double[] ref = {Math.log(0.5), Math.log(0.5), NEVER};
        for (Regularizer regularizer : new Regularizer[] {
            new Regularizer.Kl(1e-3), new Regularizer.Kl(1), new Regularizer.Kl(1e9), new Regularizer.ChiSquared(1)
        }) {
            assertEquals(NEVER, regularizer.maximizer(q, ref)[2]);
            double[] without = Arrays.copyOf(q, 2);
            assertEquals(regularizer.maximum(without, Arrays.copyOf(ref, 2)), regularizer.maximum(q, ref), 1e-12);
            assertEquals(Double.POSITIVE_INFINITY, regularizer.penalty(log(0.5, 0.25, 0.25), ref));
        }
    }

    @Test
    void extremesOfBetaKeepTheirDigits() {
        double[] q = {1, 3, 2};
        double[] ref = log(0.5, 0.2, 0.3);
        double mean = 0.5 + 0.6 + 0.6;
        double variance = 0.5 + 1.8 + 1.2 - mean * mean;
        assertEquals(mean + variance / 2e6, new Regularizer.Kl(1e6).maximum(q, ref), 1e-11);
        assertEquals(mean, new Regularizer.Kl(1e15).maximum(q, ref), 1e-14);
        assertEquals(3 + 1e-9 * Math.log(0.2), new Regularizer.Kl(1e-9).maximum(q, ref), 1e-15);
        assertArrayEquals(ref, new Regularizer.Kl(1e12).maximizer(q, ref), 1e-11);
        assertArrayEquals(new double[] {NEVER, 0, NEVER}, new Regularizer.None().maximizer(q, ref));
        assertEquals(0, new Regularizer.Kl(1e-9).maximizer(q, ref)[1]);
        double[] rare = {0, -800}; // exp(-800) is 0 as a double; log Σ is not
        assertEquals(1.5, new Regularizer.Kl(1e-3).maximum(new double[] {0, 2.3}, rare), 1e-12);
    }

    @Test
    void strengthsMustBePositive() {
        for (double beta : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThrows(IllegalArgumentException.class, () -> new Regularizer.Kl(beta));
            assertThrows(IllegalArgumentException.class, () -> new Regularizer.ChiSquared(beta));
        }
    }
}

package dev.kedge.objective.demonstration;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class FiniteHorizonTest {
    /// One state and one step.
    private static FiniteHorizon.Solution single(double lambda) {
        var process =
                new FiniteHorizon(Tensor.of(new double[] {0, 1}, 1, 1, 2), Tensor.of(new double[] {1, 1}, 1, 1, 2, 1));
        Tensor logRef = Tensor.of(new double[] {Math.log(0.8), Math.log(0.2)}, 1, 1, 2);
        return process.regularised(logRef, lambda);
    }

    @Test
    void workedByHand() {
        double z = 0.8 + 0.2 * Math.exp(2);
        assertEquals(0.5 * Math.log(z), single(0.5).v().item(), 1e-15);
        assertEquals(0.41160750, single(0.5).v().item(), 5e-9);
        assertArrayEquals(
                new double[] {0.8 / z, 1 - 0.8 / z},
                single(0.5).logPolicy().exp().toDoubles(),
                1e-15);
        assertEquals(0.83907437, single(0.1).v().item(), 5e-9);
        assertEquals(0.99981843, single(0.1).logPolicy().exp().toDoubles()[1], 5e-9);
        assertEquals(0.20816019, single(10).v().item(), 5e-9);
        assertEquals(0.21648069, single(10).logPolicy().exp().toDoubles()[1], 5e-9);
    }

    /// Value and divergence of a policy, by going through every trajectory from state 0.
    private static double[] enumerated(double[] r, double[] p, double[] logPi, double[] logRef, int h, int s) {
        double[] sums = new double[2];
        if (h == Processes.H) {
            return sums;
        }
        for (int a = 0; a < Processes.A; a++) {
            int sa = (h * Processes.S + s) * Processes.A + a;
            double chance = Math.exp(logPi[sa]);
            sums[0] += chance * r[sa];
            sums[1] += chance * (logPi[sa] - logRef[sa]);
            for (int to = 0; to < Processes.S; to++) {
                double[] rest = enumerated(r, p, logPi, logRef, h + 1, to);
                sums[0] += chance * p[sa * Processes.S + to] * rest[0];
                sums[1] += chance * p[sa * Processes.S + to] * rest[1];
            }
        }
        return sums;
    }

    @Test
    void valuesAndDivergencesAreThoseOfAllTrajectories() {
        var random = new Random(1);
        FiniteHorizon process = Processes.process(random);
        Tensor logPolicy = Processes.logPolicy(random);
        Tensor logRef = Processes.logPolicy(random);
        double[] expected = enumerated(
                process.reward().toDoubles(),
                process.transitions().toDoubles(),
                logPolicy.toDoubles(),
                logRef.toDoubles(),
                0,
                0);
        assertEquals(expected[0], Processes.start(process.valuesOf(logPolicy.exp())), 1e-14);
        assertEquals(expected[1], Processes.start(process.trajectoryKl(logPolicy, logRef)), 1e-14);
    }

    @Test
    void theOptimumIsItsValueLessItsDivergenceAndNoPolicyIsBetter() {
        var random = new Random(2);
        for (int i = 0; i < 10; i++) {
            FiniteHorizon process = Processes.process(random);
            Tensor logRef = Processes.logPolicy(random);
            double lambda = 0.05 + random.nextDouble();
            var optimum = process.regularised(logRef, lambda);
            double best = Processes.start(optimum.v());
            assertEquals(best, regularisedValue(process, optimum.logPolicy(), logRef, lambda), 1e-13);
            double other = regularisedValue(process, Processes.logPolicy(random), logRef, lambda);
            assertTrue(other < best, "draw " + i);
        }
    }

    private static double regularisedValue(FiniteHorizon process, Tensor logPolicy, Tensor logRef, double lambda) {
        return Processes.start(process.valuesOf(logPolicy.exp()))
                - lambda * Processes.start(process.trajectoryKl(logPolicy, logRef));
    }

    @Test
    void theValueFallsWithLambdaFromTheOptimumToTheReference() {
        var random = new Random(3);
        FiniteHorizon process = Processes.process(random);
        Tensor logRef = Processes.logPolicy(random);
        double greedy = Processes.start(process.optimal());
        double ref = Processes.start(process.valuesOf(logRef.exp()));
        double last = greedy;
        for (double lambda : new double[] {1e-4, 0.01, 0.1, 1, 10, 1e5}) {
            double v = Processes.start(process.regularised(logRef, lambda).v());
            assertTrue(v < last && v > ref, "lambda " + lambda);
            last = v;
        }
        assertEquals(greedy, Processes.start(process.regularised(logRef, 1e-6).v()), 1e-4);
        assertEquals(ref, last, 1e-4);
        Tensor held = process.regularised(logRef, 1e9).logPolicy();
        assertArrayEquals(logRef.toDoubles(), held.toDoubles(), 1e-8);
    }

    /// If the expert is near the best and the policy near the regularised best, the policy is near the best.
    @Test
    void theGapIsBoundedByThoseOfExpertAndPlanningAndTheDivergenceOfTheClone() {
        var random = new Random(4);
        for (int i = 0; i < 20; i++) {
            FiniteHorizon process = Processes.process(random);
            Tensor logExpert = Processes.logPolicy(random);
            Tensor logClone = Processes.logPolicy(random);
            double lambda = 0.01 + random.nextDouble();
            Tensor logPolicy = Processes.logPolicy(random);
            double best = Processes.start(process.optimal());
            double expertGap = best - Processes.start(process.valuesOf(logExpert.exp()));
            double planningGap =
                    Processes.start(process.regularised(logClone, lambda).v())
                            - regularisedValue(process, logPolicy, logClone, lambda);
            double bound =
                    expertGap + planningGap + lambda * Processes.start(process.trajectoryKl(logExpert, logClone));
            double gap = best - Processes.start(process.valuesOf(logPolicy.exp()));
            assertTrue(gap <= bound + 1e-12, "draw " + i);
        }
    }

    @Test
    void theGradientOfTheValueIsWhereThePolicyGoes() {
        var random = new Random(5);
        FiniteHorizon process = Processes.process(random);
        Tensor logRef = Processes.logPolicy(random);
        CentralDifferences.assertGradient(
                process.reward().toDoubles(),
                r -> new FiniteHorizon(r, process.transitions())
                        .regularised(logRef, 0.3)
                        .v()
                        .select(0, 0)
                        .select(0, 0),
                1e-9,
                Processes.H,
                Processes.S,
                Processes.A);
        Tensor reward = process.reward().requiresGrad();
        var solution = new FiniteHorizon(reward, process.transitions()).regularised(logRef, 0.3);
        solution.v().select(0, 0).select(0, 0).backward();
        double[] first = reward.grad().select(0, 0).select(0, 0).toDoubles();
        double[] policy = solution.logPolicy().exp().select(0, 0).select(0, 0).toDoubles();
        assertArrayEquals(policy, first, 1e-14);
    }

    @Test
    void actionsThatTheReferenceNeverTakesStayUntaken() {
        var random = new Random(6);
        FiniteHorizon process = Processes.process(random);
        double never = Double.NEGATIVE_INFINITY;
        double[] logRef = new double[Processes.H * Processes.S * Processes.A];
        for (int i = 1; i < logRef.length; i += 2) {
            logRef[i] = never;
        }
        Tensor ref = Tensor.of(logRef, Processes.H, Processes.S, Processes.A);
        var solution = process.regularised(ref, 1e-3);
        assertArrayEquals(logRef, solution.logPolicy().toDoubles());
        assertEquals(Processes.start(process.valuesOf(ref.exp())), Processes.start(solution.v()), 1e-12);
    }

    @Test
    void badArgumentsAreRefused() {
        var random = new Random(7);
        FiniteHorizon process = Processes.process(random);
        Tensor logRef = Processes.logPolicy(random);
        assertThrows(IllegalArgumentException.class, () -> process.regularised(logRef, 0));
        assertThrows(IllegalArgumentException.class, () -> process.valuesOf(logRef.select(0, 0)));
        assertThrows(IllegalArgumentException.class, () -> new FiniteHorizon(logRef, logRef));
    }
}

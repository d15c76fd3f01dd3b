package dev.kedge.objective.demonstration;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class UcbviEntTest {
    private static final double LAMBDA = 0.3;

    private static Tensor full(double value) {
        return Tensor.of(new double[Processes.H * Processes.S * Processes.A], Processes.H, Processes.S, Processes.A)
                .plus(value);
    }

    @Test
    void withoutABonusBothAreTheOptimumAndNothingIsLeftToExplore() {
        var random = new Random(1);
        FiniteHorizon process = Processes.process(random);
        Tensor logRef = Processes.logPolicy(random);
        var bounds = UcbviEnt.backup(process, UcbviEnt.fixed(full(0)), logRef, LAMBDA, 0, Processes.H);
        var optimum = process.regularised(logRef, LAMBDA);
        assertArrayEquals(optimum.q().toDoubles(), bounds.upperQ().toDoubles(), 1e-14);
        assertArrayEquals(bounds.upperQ().toDoubles(), bounds.lowerQ().toDoubles());
        assertArrayEquals(optimum.v().toDoubles(), bounds.upperV().toDoubles(), 1e-14);
        assertArrayEquals(optimum.logPolicy().toDoubles(), bounds.logPolicy().toDoubles(), 1e-13);
        assertEquals(0, bounds.explorationAction().sum().item());
        assertEquals(0, UcbviEnt.gapBound(process, bounds, LAMBDA).sum().item());
    }

    @Test
    void theBoundsHoldTheTrueValuesAndTheGapIsBounded() {
        var random = new Random(2);
        for (int i = 0; i < 20; i++) {
            FiniteHorizon process = Processes.process(random);
            Tensor logRef = Processes.logPolicy(random);
            Tensor bonus = Tensor.of(
                    random.doubles(Processes.H * Processes.S * Processes.A, 0, 0.5)
                            .toArray(),
                    Processes.H,
                    Processes.S,
                    Processes.A);
            var bounds = UcbviEnt.backup(process, UcbviEnt.fixed(bonus), logRef, LAMBDA, -9, 9);
            var optimum = process.regularised(logRef, LAMBDA);
            assertTrue(bounds.upperQ().ge(optimum.q()).allTrue(), "upper, draw " + i);
            assertTrue(bounds.lowerQ().le(optimum.q()).allTrue(), "lower, draw " + i);
            Tensor policy = bounds.logPolicy();
            double reached = Processes.start(process.valuesOf(policy.exp()))
                    - LAMBDA * Processes.start(process.trajectoryKl(policy, logRef));
            double gap = Processes.start(optimum.v()) - reached;
            assertTrue(gap >= 0 && gap <= Processes.start(UcbviEnt.gapBound(process, bounds, LAMBDA)), "draw " + i);
        }
    }

    @Test
    void valuesAreClippedAtEveryStep() {
        var random = new Random(3);
        FiniteHorizon process = Processes.process(random);
        Tensor logRef = Processes.logPolicy(random);
        var bounds = UcbviEnt.backup(process, UcbviEnt.fixed(full(100)), logRef, LAMBDA, 0, 2.5);
        assertArrayEquals(full(2.5).toDoubles(), bounds.upperQ().toDoubles());
        assertArrayEquals(full(0).toDoubles(), bounds.lowerQ().toDoubles());
        assertArrayEquals(logRef.toDoubles(), bounds.logPolicy().toDoubles(), 1e-13);
    }

    /// One step before the last, from a state that leads to either of two with equal chance.
    @Test
    void bernsteinsBonusWorkedByHand() {
        Tensor transitions = Tensor.of(new double[] {0.5, 0.5, 1, 0}, 1, 2, 1, 2);
        var model = new FiniteHorizon(Tensor.of(new double[2], 1, 2, 1), transitions);
        Tensor visits = Tensor.of(new double[] {10, 0}, 1, 2, 1);
        double delta = 20 * Math.exp(-3); // S·A·H·n = 20, so that L = 3
        var factors = new UcbviEnt.Bernstein(3, 9, 0.5, delta);
        Tensor upper = Tensor.of(2, 1); // variance 1/4
        Tensor lower = Tensor.of(1, 0.5);
        double[] bonus = factors.of(model, visits).at(0, upper, lower).toDoubles();
        double root = 3 * Math.sqrt(0.25 * 3 / 10);
        assertEquals(0.82158384, root, 5e-9);
        assertEquals(0.5 * (root + 9 * 3 / 10.0 + 0.75), bonus[0], 1e-14);
        assertEquals(1, bonus[1], 0, "never visited: H");
    }

    @Test
    void badArgumentsAreRefused() {
        var random = new Random(4);
        FiniteHorizon process = Processes.process(random);
        Tensor logRef = Processes.logPolicy(random);
        UcbviEnt.Bonus none = UcbviEnt.fixed(full(0));
        assertThrows(IllegalArgumentException.class, () -> UcbviEnt.backup(process, none, logRef, 0, 0, 4));
        assertThrows(IllegalArgumentException.class, () -> UcbviEnt.backup(process, none, logRef, 1, 4, 4));
        assertThrows(IllegalArgumentException.class, () -> new UcbviEnt.Bernstein(3, 9, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> new UcbviEnt.Bernstein(3, 9, 0, 0.1));
        assertThrows(IllegalArgumentException.class, () -> new UcbviEnt.Bernstein(3, 9, 1, 0.1)
                .of(process, logRef.select(0, 0)));
    }
}

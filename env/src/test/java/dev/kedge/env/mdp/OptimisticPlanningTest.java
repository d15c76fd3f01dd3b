package dev.kedge.env.mdp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.env.mdp.OptimisticPlanning.Bonus;
import dev.kedge.env.mdp.OptimisticPlanning.Bounds;
import dev.kedge.env.mdp.OptimisticPlanning.Estimate;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class OptimisticPlanningTest {
    private static final int H = 4;
    private static final Regularizer KL = new Regularizer.Kl(0.3);

    private static double[] limits(double high) {
        double[] limits = new double[H];
        Arrays.fill(limits, high);
        return limits;
    }

    private static double[][][] filled(double value) {
        double[][][] bonus = new double[H][3][2];
        for (double[][] stage : bonus) {
            for (double[] row : stage) {
                Arrays.fill(row, value);
            }
        }
        return bonus;
    }

    private static void assertSame(double[][][] expected, double[][][] actual, double tolerance) {
        for (int h = 0; h < expected.length; h++) {
            for (int s = 0; s < expected[h].length; s++) {
                assertArrayEquals(expected[h][s], actual[h][s], tolerance, "stage " + h + ", state " + s);
            }
        }
    }

    @Test
    void withoutABonusBothAreTheOptimumAndNothingIsLeftToExplore() {
        for (Regularizer regularizer : List.of(KL, new Regularizer.None(), new Regularizer.ChiSquared(0.3))) {
            FiniteHorizonMdp mdp = BackwardInductionTest.random(H, 3, 2, 1);
            List<MdpPolicy> ref = BackwardInductionTest.policies(mdp, 2);
            var optimum = BackwardInduction.optimal(mdp, ref, regularizer);
            Bounds bounds = OptimisticPlanning.plan(
                    Estimate.of(mdp), OptimisticPlanning.none(), ref, regularizer, 0, limits(H));
            assertSame(optimum.actionValues(), bounds.upperQ(), 1e-14);
            assertSame(bounds.upperQ(), bounds.lowerQ(), 0);
            for (int h = 0; h < H; h++) {
                assertArrayEquals(optimum.values()[h], bounds.upperV()[h], 1e-14);
                assertArrayEquals(
                        optimum.policies().get(h).logProbs()[1],
                        bounds.policies().get(h).logProbs()[1],
                        1e-12);
                assertArrayEquals(new int[3], bounds.explorationAction()[h]);
            }
            double[] gap =
                    OptimisticPlanning.gapBound(Estimate.of(mdp), bounds, OptimisticPlanning.none(), 0.3, limits(H))[0];
            assertArrayEquals(new double[3], gap);
        }
    }

    /// What the optimistic policy lacks of the regularised optimum is at most `E[Σ max (Q_up - Q*)²]/(2·lambda)`,
    /// and so at most the bound that takes the pessimistic values for the true ones (arXiv:2310.17303).
    @Test
    void theBoundsHoldTheTrueValuesAndTheGapIsBounded() {
        var random = new SplittableRandom(2);
        for (int seed = 0; seed < 200; seed++) {
            FiniteHorizonMdp mdp = BackwardInductionTest.random(H, 3, 2, 1000 + seed);
            List<MdpPolicy> ref = BackwardInductionTest.policies(mdp, 7 * seed);
            double lambda = random.nextDouble(0.02, 1);
            var regularizer = new Regularizer.Kl(lambda);
            double[][][] bonus = filled(0);
            for (double[][] stage : bonus) {
                for (double[] row : stage) {
                    Arrays.setAll(row, _ -> random.nextDouble(0.5));
                }
            }
            var optimum = BackwardInduction.optimal(mdp, ref, regularizer);
            Bounds bounds = OptimisticPlanning.plan(
                    Estimate.of(mdp), OptimisticPlanning.fixed(bonus), ref, regularizer, -9, limits(9));
            for (int h = 0; h < H; h++) {
                for (int s = 0; s < 3; s++) {
                    for (int a = 0; a < 2; a++) {
                        assertTrue(bounds.upperQ()[h][s][a] >= optimum.actionValues()[h][s][a]);
                        assertTrue(bounds.lowerQ()[h][s][a] <= optimum.actionValues()[h][s][a]);
                    }
                }
            }
            double reached = BackwardInduction.evaluate(mdp, bounds.policies(), ref, regularizer)
                    .values()[0][0];
            double gap = optimum.values()[0][0] - reached;
            double lemma = lemma(mdp, bounds, optimum.actionValues(), lambda);
            double bound = OptimisticPlanning.gapBound(
                    Estimate.of(mdp), bounds, OptimisticPlanning.none(), lambda, limits(1e9))[0][0];
            assertTrue(gap >= -1e-13 && gap <= lemma + 1e-13, "seed " + seed + ": " + gap + " and " + lemma);
            assertTrue(lemma <= bound + 1e-13, "seed " + seed);
        }
    }

    /// `E_π[Σ_h max_a (Q_up - Q*)²]/(2·lambda)` by occupancies, from state 0.
    private static double lemma(FiniteHorizonMdp mdp, Bounds bounds, double[][][] optimum, double lambda) {
        List<Occupancy> occupancies = Occupancy.perStage(mdp, bounds.policies());
        double sum = 0;
        for (int h = 0; h < H; h++) {
            double[] states = occupancies.get(h).states();
            for (int s = 0; s < states.length; s++) {
                double widest = 0;
                for (int a = 0; a < 2; a++) {
                    widest = Math.max(widest, Math.pow(bounds.upperQ()[h][s][a] - optimum[h][s][a], 2));
                }
                sum += states[s] * widest;
            }
        }
        return sum / (2 * lambda);
    }

    @Test
    void valuesAreClippedAtEveryStage() {
        FiniteHorizonMdp mdp = BackwardInductionTest.random(H, 3, 2, 3);
        List<MdpPolicy> ref = BackwardInductionTest.policies(mdp, 4);
        Bounds bounds = OptimisticPlanning.plan(
                Estimate.of(mdp), OptimisticPlanning.fixed(filled(100)), ref, KL, 0, new double[] {4, 3, 2, 1});
        assertEquals(4, bounds.upperQ()[0][2][1]);
        assertEquals(1, bounds.upperQ()[3][0][0]);
        assertSame(filled(0), bounds.lowerQ(), 0);
        assertArrayEquals(ref.get(1).logProbs()[2], bounds.policies().get(1).logProbs()[2], 1e-13);
    }

    /// From a state that leads to either of two with equal chance, before values 2 and 1: variance 1/4, L = 3.
    @Test
    void bernsteinsBonusWorkedByHand() {
        double delta = 20 * Math.exp(-3); // S·A·H·n = 20
        double[][][] visits = {{{10}, {0}}};
        var estimate = new Estimate(new double[1][2][1], new double[][][][] {{{{0.5, 0.5}}, {{1, 0}}}});
        Bonus bonus = new VisitBonus.Bernstein(3, 9, 0.5, delta).of(estimate, visits);
        double root = 3 * Math.sqrt(0.25 * 3 / 10);
        double[] upper = {2, 1};
        double[] lower = {1, 0.5};
        assertEquals(0.82158384, root, 5e-9);
        assertEquals(0.5 * (root + 9 * 3 / 10.0 + 0.75), bonus.at(0, 0, 0, upper, lower), 1e-14);
        assertEquals(1, bonus.at(0, 1, 0, upper, lower), "never visited: H");
        var full = new VisitBonus.Cell(5, 0, 1, 10, 0.25, 0);
        double five = new VisitBonus.Bernstein(3, 9, 1, 10 * Math.exp(-3)).of(full);
        assertEquals(68.32158384, five, 5e-9);
        assertEquals(
                0.1 * (Math.sqrt(0.25 * (1 + Math.log(11)) / 10) + 5 * (1 + Math.log(11)) / 10),
                new VisitBonus.Light(0.1).of(full),
                1e-15);
        assertEquals(0.1 * 5.5, new VisitBonus.Light(0.1).of(new VisitBonus.Cell(5, 0, 10, 0, 0.25, 0)), 1e-15);
        assertEquals(2 * 5 / Math.sqrt(10), new VisitBonus.Hoeffding(2).of(full), 1e-15);
    }

    private static Trajectory walk(int... statesAndActions) {
        int[] states = new int[H];
        int[] actions = new int[H];
        for (int h = 0; h < H; h++) {
            states[h] = statesAndActions[2 * h];
            actions[h] = statesAndActions[2 * h + 1];
        }
        return new Trajectory(states, actions, new double[H]);
    }

    @Test
    void visitsAreCountedStageByStage() {
        Visits visits = new Visits(H, 3, 2);
        visits.add(walk(0, 1, 2, 0, 0, 1, 1, 1));
        visits.add(walk(0, 1, 1, 0, 0, 1, 2, 0));
        double[][][][] weights = visits.estimate(filled(0)).weights();
        assertArrayEquals(new double[] {0, 0.5, 0.5}, weights[0][0][1]);
        assertArrayEquals(new double[] {1, 0, 0}, weights[1][2][0]);
        assertArrayEquals(new double[] {1 / 3.0, 1 / 3.0, 1 / 3.0}, weights[1][2][1]);
        assertEquals(2, visits.counts()[2][0][1]);
        var shorter = new Trajectory(new int[2], new int[2], new double[2]);
        var error = assertThrows(IllegalArgumentException.class, () -> visits.add(shorter));
        assertEquals("a trajectory of 2 stages in a process of 4", error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> visits.add(walk(0, 2, 0, 0, 0, 0, 0, 0)));
    }

    /// Ridge 1 shrinks the mean by n/(n + 1); a ridge near 0 leaves it. What is not one-hot obeys the normal equations.
    @Test
    void regressionOnOneHotFeaturesIsTheEmpiricalMean() {
        FiniteHorizonMdp mdp = BackwardInductionTest.random(H, 3, 2, 5);
        List<MdpPolicy> policies = BackwardInductionTest.policies(mdp, 6);
        Visits visits = new Visits(H, 3, 2);
        RidgeVisits one = new RidgeVisits(H, RidgeVisits.oneHot(3, 2), 1);
        RidgeVisits none = new RidgeVisits(H, RidgeVisits.oneHot(3, 2), 1e-10);
        var random = new SplittableRandom(7);
        for (int i = 0; i < 30; i++) {
            Trajectory walk = Trajectory.sample(mdp, policies, random);
            visits.add(walk);
            one.add(walk);
            none.add(walk);
        }
        double[][][][] empirical = visits.estimate(filled(0)).weights();
        var shrunk = one.fit(filled(0));
        var plain = none.fit(filled(0));
        int seen = 0;
        for (int h = 0; h < H - 1; h++) {
            for (int s = 0; s < 3; s++) {
                for (int a = 0; a < 2; a++) {
                    double n = visits.counts()[h][s][a];
                    if (n > 0) {
                        seen++;
                        double[] mean = empirical[h][s][a];
                        assertArrayEquals(mean, plain.estimate().weights()[h][s][a], 1e-9);
                        assertArrayEquals(
                                Arrays.stream(mean).map(p -> p * n / (n + 1)).toArray(),
                                shrunk.estimate().weights()[h][s][a],
                                1e-12);
                        assertEquals(1 / Math.sqrt(n), plain.norms()[h][s][a], 1e-9);
                    }
                }
            }
        }
        assertTrue(seen > 10, "cells seen: " + seen);
    }

    /// With enough visits the regression on a low-rank process's own features finds its kernel, unseen cells included.
    @Test
    void regressionOnTheProcessesOwnFeaturesFindsItsKernel() {
        LowRank environment = LowRank.random(6, 3, 2, 2, 8);
        RidgeVisits visits = new RidgeVisits(2, environment.features(), 1e-6);
        List<MdpPolicy> policies = List.of(MdpPolicy.deterministic(new int[6], 3), MdpPolicy.uniform(6, 3));
        Visits counted = new Visits(2, 6, 3);
        var random = new SplittableRandom(9);
        for (int i = 0; i < 40_000; i++) {
            List<MdpPolicy> some = i % 2 == 0
                    ? policies
                    : List.of(MdpPolicy.deterministic(new int[] {1, 1, 1, 1, 1, 1}, 3), policies.get(1));
            Trajectory walk = Trajectory.sample(environment.mdp(), some, random);
            visits.add(walk);
            counted.add(walk);
        }
        assertEquals(0, counted.counts()[0][0][2], "never tried");
        double[] truth = Estimate.of(environment.mdp()).weights()[0][0][2];
        assertArrayEquals(
                truth, visits.fit(environment.mdp().reward()).estimate().weights()[0][0][2], 0.05);
    }

    @Test
    void badArgumentsAreRefused() {
        FiniteHorizonMdp mdp = BackwardInductionTest.random(H, 3, 2, 4);
        List<MdpPolicy> ref = BackwardInductionTest.policies(mdp, 5);
        Estimate known = Estimate.of(mdp);
        Bonus none = OptimisticPlanning.none();
        assertThrows(
                IllegalArgumentException.class,
                () -> OptimisticPlanning.plan(known, none, ref.subList(0, 2), KL, 0, limits(4)));
        assertThrows(IllegalArgumentException.class, () -> OptimisticPlanning.plan(known, none, ref, KL, 4, limits(4)));
        Bounds bounds = OptimisticPlanning.plan(known, none, ref, KL, 0, limits(4));
        assertThrows(
                IllegalArgumentException.class, () -> OptimisticPlanning.gapBound(known, bounds, none, 0, limits(4)));
        assertThrows(IllegalArgumentException.class, () -> new VisitBonus.Bernstein(3, 9, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> new VisitBonus.Bernstein(3, 9, 0, 0.1));
        assertThrows(IllegalArgumentException.class, () -> new VisitBonus.Light(-1));
        assertThrows(IllegalArgumentException.class, () -> new RidgeVisits(4, RidgeVisits.oneHot(3, 2), 0));
        assertThrows(IllegalArgumentException.class, () -> LowRank.random(3, 2, 0, 4, 1));
    }
}

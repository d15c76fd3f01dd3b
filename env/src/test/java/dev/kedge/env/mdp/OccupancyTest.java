package dev.kedge.env.mdp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class OccupancyTest {
    private static double total(Occupancy occupancy) {
        double sum = 0;
        for (double s : occupancy.states()) {
            sum += s;
        }
        return sum;
    }

    /// `μ(s') = (1 - discount)·start(s') + discount·Σ μ(s,a)·P(s'|s,a)`, and the mass is 1.
    @Property(tries = 100)
    void theFlowIsConserved(
            @ForAll @IntRange(min = 1, max = 12) int states,
            @ForAll @IntRange(min = 1, max = 4) int actions,
            @ForAll @DoubleRange(min = 0, max = 0.97) double discount,
            @ForAll long seed) {
        Mdp mdp = Garnet.mdp(states, actions, Math.min(states, 3), discount, seed);
        MdpPolicy policy = Garnet.policy(states, actions, seed + 1);
        Occupancy occupancy = Occupancy.discounted(mdp, policy, 1e-12);
        assertEquals(1, total(occupancy), 1e-12);
        double[] inflow = new double[states];
        for (int s = 0; s < states; s++) {
            inflow[s] += (1 - discount) * mdp.start()[s];
            for (int a = 0; a < actions; a++) {
                mdp.transitions().push(s, a, discount * occupancy.mass()[s][a], inflow);
            }
        }
        assertArrayEquals(inflow, occupancy.states(), 1e-11);
    }

    /// `(1 - discount)·V(start) = Σ μ·r`, the two ways to a return.
    @Property(tries = 100)
    void returnsAreLinear(
            @ForAll @IntRange(min = 1, max = 12) int states,
            @ForAll @DoubleRange(min = 0, max = 0.97) double discount,
            @ForAll long seed) {
        Mdp mdp = Garnet.mdp(states, 3, Math.min(states, 3), discount, seed);
        MdpPolicy policy = Garnet.policy(states, 3, seed + 1);
        Occupancy occupancy = Occupancy.discounted(mdp, policy, 1e-12);
        double[] values = ValueIteration.evaluate(mdp, policy, 1e-11).values();
        assertEquals(mdp.normalisedReturn(values), occupancy.expectation(mdp.reward()), 1e-10);
    }

    /// State 0 stays with probability p, state 1 is the end: mass `(1 - discount)/(1 - discount·p)` in state 0.
    @Test
    void aChainOfTwoStates() {
        var chain = Transitions.dense(new double[][][] {{{0.3, 0.7}}, {{0, 1}}});
        var mdp = new Mdp(chain, new double[2][1], new double[] {1, 0}, 0.9);
        double[] states =
                Occupancy.discounted(mdp, MdpPolicy.uniform(2, 1), 1e-13).states();
        double here = 0.1 / (1 - 0.9 * 0.3);
        assertArrayEquals(new double[] {here, 1 - here}, states, 1e-13);
    }

    @Test
    void stagesKeepTheirMassAndAddUpToTheReturn() {
        for (int seed = 0; seed < 20; seed++) {
            FiniteHorizonMdp mdp = BackwardInductionTest.random(7, 5, 3, seed);
            List<MdpPolicy> policies = BackwardInductionTest.policies(mdp, 70 + seed);
            List<Occupancy> stages = Occupancy.perStage(mdp, policies);
            double sum = 0;
            for (int h = 0; h < 7; h++) {
                assertEquals(1, total(stages.get(h)), 1e-13);
                sum += stages.get(h).expectation(mdp.reward()[h]);
            }
            assertEquals(
                    mdp.expectedReturn(BackwardInduction.evaluate(mdp, policies).values()[0]), sum, 1e-12);
        }
    }

    @Test
    void theLastStepOfAGeometricTrajectoryIsADraw() {
        Mdp mdp = Garnet.mdp(4, 2, 2, 0.8, 21);
        MdpPolicy policy = Garnet.policy(4, 2, 22);
        Occupancy exact = Occupancy.discounted(mdp, policy, 1e-12);
        var random = new SplittableRandom(23);
        int n = 40_000;
        int[][] counts = new int[4][2];
        for (int i = 0; i < n; i++) {
            Trajectory drawn = Trajectory.geometric(mdp, policy, random);
            int last = drawn.states().length - 1;
            counts[drawn.states()[last]][drawn.actions()[last]]++;
        }
        for (int s = 0; s < 4; s++) {
            for (int a = 0; a < 2; a++) {
                double p = exact.mass()[s][a];
                assertEquals(p, (double) counts[s][a] / n, 5 * Math.sqrt(p * (1 - p) / n));
            }
        }
    }

    @Test
    void theStagesOfSampledTrajectories() {
        FiniteHorizonMdp mdp = BackwardInductionTest.random(3, 3, 2, 31);
        List<MdpPolicy> policies = BackwardInductionTest.policies(mdp, 32);
        List<Occupancy> exact = Occupancy.perStage(mdp, policies);
        var random = new SplittableRandom(33);
        int n = 20_000;
        int[][][] counts = new int[3][3][2];
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < n; i++) {
            Trajectory drawn = Trajectory.sample(mdp, policies, random);
            for (int h = 0; h < 3; h++) {
                counts[h][drawn.states()[h]][drawn.actions()[h]]++;
            }
            sum += drawn.total();
            squares += drawn.total() * drawn.total();
        }
        double error = Math.sqrt((squares / n - sum / n * (sum / n)) / n);
        assertEquals(
                mdp.expectedReturn(BackwardInduction.evaluate(mdp, policies).values()[0]), sum / n, 5 * error);
        for (int h = 0; h < 3; h++) {
            for (int s = 0; s < 3; s++) {
                for (int a = 0; a < 2; a++) {
                    double p = exact.get(h).mass()[s][a];
                    assertEquals(p, (double) counts[h][s][a] / n, 5 * Math.sqrt(p * (1 - p) / n));
                }
            }
        }
    }

    @Test
    void equalSeedsDrawEqualTrajectories() {
        Mdp mdp = Garnet.mdp(6, 3, 3, 0.9, 1);
        MdpPolicy policy = Garnet.policy(6, 3, 2);
        Trajectory once = Trajectory.sample(mdp, policy, 100, new SplittableRandom(5));
        Trajectory again = Trajectory.sample(mdp, policy, 100, new SplittableRandom(5));
        assertArrayEquals(once.states(), again.states());
        assertArrayEquals(once.actions(), again.actions());
        for (int t = 0; t < 100; t++) {
            assertEquals(mdp.reward()[once.states()[t]][once.actions()[t]], once.rewards()[t]);
        }
    }

    @Test
    void anOccupancyKnowsItsPolicy() {
        Mdp mdp = Garnet.mdp(6, 3, 3, 0.9, 1);
        MdpPolicy policy = Garnet.policy(6, 3, 2);
        double[][] found = Occupancy.discounted(mdp, policy, 1e-12).policy().logProbs();
        for (int s = 0; s < 6; s++) {
            assertArrayEquals(policy.logProbs()[s], found[s], 1e-13);
        }
        var unseen = new Occupancy(new double[][] {{1, 0}, {0, 0}}).policy();
        assertEquals(0.5, unseen.probability(1, 0));
    }

    @Test
    void divergencesAreTheirSums() {
        var p = new Occupancy(new double[][] {{0.2, 0.3}, {0.5, 0}});
        var q = new Occupancy(new double[][] {{0.7, 0.2}, {0.1, 0}});
        double kl = 0.2 * Math.log(0.2 / 0.7) + 0.3 * Math.log(0.3 / 0.2) + 0.5 * Math.log(0.5 / 0.1);
        assertEquals(kl, p.kl(q), 1e-15);
        assertEquals(0.04 / 0.7 + 0.09 / 0.2 + 0.25 / 0.1 - 1, p.chiSquared(q), 1e-15);
        assertEquals(0.5, p.totalVariation(q), 1e-15);
        var worked = new Occupancy(new double[][] {{0.2, 0.3, 0.5}});
        assertEquals(2.00714286, worked.chiSquared(new Occupancy(new double[][] {{0.7, 0.2, 0.1}})), 5e-9);
        assertEquals(0, p.kl(p));
        assertEquals(0, p.chiSquared(p));
        var elsewhere = new Occupancy(new double[][] {{0, 0}, {0.5, 0.5}});
        assertEquals(Double.POSITIVE_INFINITY, elsewhere.kl(q));
        assertEquals(Double.POSITIVE_INFINITY, elsewhere.chiSquared(q));
    }

    /// Pinsker's and Jensen's inequalities.
    @Property(tries = 100)
    void totalVariationKlAndChiSquaredAreOrdered(@ForAll long seed) {
        Mdp mdp = Garnet.mdp(6, 3, 2, 0.9, seed);
        Occupancy p = Occupancy.discounted(mdp, Garnet.policy(6, 3, seed + 1), 1e-12);
        Occupancy q = Occupancy.discounted(mdp, Garnet.policy(6, 3, seed + 2), 1e-12);
        double tv = p.totalVariation(q);
        assertTrue(2 * tv * tv <= p.kl(q) + 1e-12);
        assertTrue(p.kl(q) <= Math.log1p(p.chiSquared(q)) + 1e-12);
    }

    @Test
    void badMassesAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Occupancy(new double[][] {{0.5, 0.4}}));
        var error =
                assertThrows(IllegalArgumentException.class, () -> new Occupancy(new double[][] {{1, 0}, {0.5, -0.5}}));
        assertEquals("state 1, action 1: the occupancy must be >= 0, was -0.5", error.getMessage());
        Mdp mdp = Garnet.mdp(3, 2, 2, 0.9, 1);
        assertThrows(ArithmeticException.class, () -> Occupancy.discounted(mdp, MdpPolicy.uniform(3, 2), 1e-17));
    }
}

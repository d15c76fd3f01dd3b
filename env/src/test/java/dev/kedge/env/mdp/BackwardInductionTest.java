package dev.kedge.env.mdp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.env.Categorical;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BackwardInductionTest {
    /// Another kernel and other rewards in each stage.
    static FiniteHorizonMdp random(int horizon, int states, int actions, long seed) {
        List<Transitions> kernels = new ArrayList<>();
        double[][][] reward = new double[horizon][][];
        for (int h = 0; h < horizon; h++) {
            kernels.add(Garnet.transitions(states, actions, 2, seed + 10 * h));
            reward[h] = Garnet.rewards(states, actions, seed + 10 * h);
        }
        return new FiniteHorizonMdp(kernels, reward, Mdp.startAt(0, states));
    }

    static List<MdpPolicy> policies(FiniteHorizonMdp mdp, long seed) {
        return IntStream.range(0, mdp.horizon())
                .mapToObj(h -> Garnet.policy(mdp.states(), mdp.actions(), seed + h))
                .toList();
    }

    /// `Σ over trajectories of probability · (rewards - beta·log-ratios)`: every one of them, from a state on.
    private static double enumerated(
            FiniteHorizonMdp mdp, List<MdpPolicy> policies, List<MdpPolicy> ref, double beta, int h, int state) {
        if (h == mdp.horizon()) {
            return 0;
        }
        double sum = 0;
        for (int a = 0; a < mdp.actions(); a++) {
            double[] next = new double[mdp.states()];
            mdp.transitions().get(h).push(state, a, 1, next);
            double value = mdp.reward()[h][state][a]
                    - beta * (policies.get(h).logProbs()[state][a] - ref.get(h).logProbs()[state][a]);
            for (int s = 0; s < next.length; s++) {
                value += next[s] == 0 ? 0 : next[s] * enumerated(mdp, policies, ref, beta, h + 1, s);
            }
            sum += policies.get(h).probability(state, a) * value;
        }
        return sum;
    }

    @Test
    void oneStageIsTheTiltedReference() {
        var ref = List.of(MdpPolicy.of(new double[][] {{0.8, 0.2}}));
        var soft = BackwardInduction.optimal(FiniteHorizonMdp.bandit(0, 1), ref, new Regularizer.Kl(0.5));
        assertEquals(0.5 * Math.log(0.8 + 0.2 * Math.exp(2)), soft.values()[0][0], 1e-15);
        double odds = 0.25 * Math.exp(2);
        assertEquals(odds / (1 + odds), soft.policies().getFirst().probability(0, 1), 1e-15);
        assertArrayEquals(new double[1], soft.values()[1]);
        assertEquals(0.41160750, soft.values()[0][0], 5e-9);
        assertEquals(
                0.47435630, BackwardInduction.trajectoryKl(FiniteHorizonMdp.bandit(0, 1), soft.policies(), ref), 5e-9);
        var near = BackwardInduction.optimal(FiniteHorizonMdp.bandit(0, 1), ref, new Regularizer.Kl(10));
        assertEquals(0.20816019, near.values()[0][0], 5e-9);
        assertEquals(0.21648069, near.policies().getFirst().probability(0, 1), 5e-9);
        var far = BackwardInduction.optimal(FiniteHorizonMdp.bandit(0, 1), ref, new Regularizer.Kl(0.1));
        assertEquals(0.83907437, far.values()[0][0], 5e-9);
        assertEquals(0.99981843, far.policies().getFirst().probability(0, 1), 5e-9);
    }

    @Test
    void actionsThatTheReferenceNeverTakesStayUntaken() {
        FiniteHorizonMdp mdp = random(4, 3, 2, 6);
        List<MdpPolicy> ref = Collections.nCopies(4, MdpPolicy.deterministic(new int[] {0, 1, 1}, 2));
        var soft = BackwardInduction.optimal(mdp, ref, new Regularizer.Kl(1e-3));
        assertArrayEquals(ref.getFirst().logProbs()[1], soft.policies().get(2).logProbs()[1]);
        assertEquals(BackwardInduction.evaluate(mdp, ref).values()[0][0], soft.values()[0][0], 1e-12);
    }

    @Test
    void evaluationIsTheSumOverTrajectories() {
        FiniteHorizonMdp mdp = random(4, 3, 2, 1);
        List<MdpPolicy> policies = policies(mdp, 2);
        List<MdpPolicy> ref = policies(mdp, 30);
        var plain = BackwardInduction.evaluate(mdp, policies);
        var held = BackwardInduction.evaluate(mdp, policies, ref, new Regularizer.Kl(0.7));
        for (int s = 0; s < 3; s++) {
            assertEquals(enumerated(mdp, policies, ref, 0, 0, s), plain.values()[0][s], 1e-13);
            assertEquals(enumerated(mdp, policies, ref, 0.7, 0, s), held.values()[0][s], 1e-13);
        }
    }

    @Test
    void theRegularisedValueIsReturnLessTrajectoryKl() {
        for (int seed = 0; seed < 10; seed++) {
            FiniteHorizonMdp mdp = random(6, 5, 3, seed);
            List<MdpPolicy> ref = policies(mdp, 100 + seed);
            var best = BackwardInduction.optimal(mdp, ref, new Regularizer.Kl(0.2));
            double plain = mdp.expectedReturn(
                    BackwardInduction.evaluate(mdp, best.policies()).values()[0]);
            double kl = BackwardInduction.trajectoryKl(mdp, best.policies(), ref);
            assertEquals(plain - 0.2 * kl, mdp.expectedReturn(best.values()[0]), 1e-12);
        }
    }

    @Test
    void noPoliciesBeatTheOptimum() {
        var random = new SplittableRandom(1);
        FiniteHorizonMdp mdp = random(5, 4, 3, 3);
        List<MdpPolicy> ref = policies(mdp, 50);
        for (Regularizer regularizer : new Regularizer[] {new Regularizer.Kl(0.3), new Regularizer.ChiSquared(0.3)}) {
            var best = BackwardInduction.optimal(mdp, ref, regularizer);
            double[] own = BackwardInduction.evaluate(mdp, best.policies(), ref, regularizer)
                    .values()[0];
            assertArrayEquals(own, best.values()[0], 1e-13);
            for (int trial = 0; trial < 200; trial++) {
                double scale = trial % 2 == 0 ? 0.05 : 1;
                List<MdpPolicy> moved = best.policies().stream()
                        .map(policy -> MdpPolicy.softmax(Arrays.stream(policy.logProbs())
                                .map(row -> Arrays.stream(row)
                                        .map(x -> x + scale * random.nextGaussian())
                                        .toArray())
                                .toArray(double[][]::new)))
                        .toList();
                double[] values =
                        BackwardInduction.evaluate(mdp, moved, ref, regularizer).values()[0];
                for (int s = 0; s < values.length; s++) {
                    assertTrue(values[s] <= own[s] + 1e-13);
                }
            }
        }
    }

    /// `V* - V^π <= (V* - V^E) + (regularised gap of π) + beta·KLtraj(E||ref)` for every expert E (arXiv:2310.17303).
    @Test
    void theLossOfDemonstrationsIsBounded() {
        for (int seed = 0; seed < 50; seed++) {
            FiniteHorizonMdp mdp = random(4, 4, 2, seed);
            List<MdpPolicy> ref = policies(mdp, 200 + seed);
            List<MdpPolicy> expert = policies(mdp, 300 + seed);
            List<MdpPolicy> policy = policies(mdp, 400 + seed);
            var kl = new Regularizer.Kl(0.3);
            double best = mdp.expectedReturn(BackwardInduction.optimal(mdp).values()[0]);
            double regularisedGap =
                    mdp.expectedReturn(BackwardInduction.optimal(mdp, ref, kl).values()[0])
                            - mdp.expectedReturn(BackwardInduction.evaluate(mdp, policy, ref, kl)
                                    .values()[0]);
            double own =
                    mdp.expectedReturn(BackwardInduction.evaluate(mdp, policy).values()[0]);
            double experts =
                    mdp.expectedReturn(BackwardInduction.evaluate(mdp, expert).values()[0]);
            double bound = best - experts + regularisedGap + 0.3 * BackwardInduction.trajectoryKl(mdp, expert, ref);
            assertTrue(best - own <= bound + 1e-12, "seed " + seed);
        }
    }

    @Test
    void theValueFallsWithTheStrengthFromGreedyToTheReference() {
        FiniteHorizonMdp mdp = random(5, 4, 3, 8);
        List<MdpPolicy> ref = policies(mdp, 60);
        double greedy = BackwardInduction.optimal(mdp).values()[0][0];
        double reference = BackwardInduction.evaluate(mdp, ref).values()[0][0];
        double before = greedy;
        for (double beta : new double[] {1e-9, 1e-3, 0.1, 1, 10, 1e9}) {
            double value = BackwardInduction.optimal(mdp, ref, new Regularizer.Kl(beta))
                    .values()[0][0];
            assertTrue(value < before && value > reference, "beta " + beta);
            before = value;
        }
        assertEquals(reference, before, 1e-8);
        assertEquals(
                greedy,
                BackwardInduction.optimal(mdp, ref, new Regularizer.Kl(1e-9)).values()[0][0],
                1e-7);
    }

    @Test
    void maximumEntropyIsAUniformReference() {
        FiniteHorizonMdp mdp = random(4, 3, 2, 11);
        var soft = BackwardInduction.maximumEntropy(mdp, 0.4);
        for (int h = 0; h < 4; h++) {
            for (int s = 0; s < 3; s++) {
                double[] logits = new double[2];
                for (int a = 0; a < 2; a++) {
                    double q = mdp.reward()[h][s][a] + mdp.transitions().get(h).expectation(s, a, soft.values()[h + 1]);
                    assertEquals(q, soft.actionValues()[h][s][a], 1e-13);
                    logits[a] = q / 0.4;
                }
                assertEquals(0.4 * Categorical.logSumExp(logits), soft.values()[h][s], 1e-13);
                assertArrayEquals(
                        Categorical.logSoftmax(logits), soft.policies().get(h).logProbs()[s], 1e-12);
            }
        }
    }

    /// Discounting is stopping: with so many stages and rewards scaled down stage by stage the values are the same.
    @Test
    void manyStagesWithFallingRewardsAreDiscounting() {
        Mdp endless = Garnet.mdp(5, 2, 3, 0.5, 3);
        double[][][] reward = new double[60][][];
        for (int h = 0; h < 60; h++) {
            double scale = Math.pow(0.5, h);
            reward[h] = Arrays.stream(endless.reward())
                    .map(row -> Arrays.stream(row).map(r -> scale * r).toArray())
                    .toArray(double[][]::new);
        }
        var staged = new FiniteHorizonMdp(Collections.nCopies(60, endless.transitions()), reward, endless.start());
        assertArrayEquals(
                ValueIteration.optimal(endless, 1e-13).values(),
                BackwardInduction.optimal(staged).values()[0],
                1e-12);
    }

    /// Known of eight states and twelve stages: the best return is 3.27, and with 5 % of uniformly random actions 2.84.
    @Test
    void riverSwim() {
        FiniteHorizonMdp swim = RiverSwim.mdp(8, 12, 0.9, 0.05, 1);
        var best = BackwardInduction.optimal(swim);
        assertEquals(3.27, swim.expectedReturn(best.values()[0]), 0.005);
        List<MdpPolicy> noisy = best.policies().stream()
                .map(policy -> policy.mixedWith(MdpPolicy.uniform(8, 2), 0.05))
                .toList();
        assertEquals(
                2.84,
                swim.expectedReturn(BackwardInduction.evaluate(swim, noisy).values()[0]),
                0.005);
    }

    @Test
    void stagesAreNamedInErrors() {
        FiniteHorizonMdp mdp = random(2, 2, 2, 1);
        List<MdpPolicy> policies = policies(mdp, 1);
        var error = assertThrows(
                IllegalArgumentException.class,
                () -> BackwardInduction.evaluate(
                        mdp,
                        policies,
                        List.of(policies.get(0), MdpPolicy.deterministic(new int[] {0, 1}, 2)),
                        new Regularizer.Kl(1)));
        assertTrue(error.getMessage().startsWith("stage 1, state 0, action 1: "), error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> BackwardInduction.evaluate(mdp, policies.subList(0, 1)));
    }
}

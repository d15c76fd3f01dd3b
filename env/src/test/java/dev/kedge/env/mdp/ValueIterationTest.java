package dev.kedge.env.mdp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.env.Categorical;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.ArrayRealVector;
import org.hipparchus.linear.LUDecomposition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ValueIterationTest {
    private static final double NEAR = 1e-11;

    /// `V = (I - discount·P_π)⁻¹·r_π` by elimination.
    static double[] solved(Mdp mdp, MdpPolicy policy, double[] gain) {
        int n = mdp.states();
        double[][] matrix = new double[n][n];
        for (int s = 0; s < n; s++) {
            matrix[s][s] = 1;
            double[] next = new double[n];
            for (int a = 0; a < mdp.actions(); a++) {
                mdp.transitions().push(s, a, policy.probability(s, a), next);
            }
            for (int t = 0; t < n; t++) {
                matrix[s][t] -= mdp.discount() * next[t];
            }
        }
        return new LUDecomposition(new Array2DRowRealMatrix(matrix, false))
                .getSolver()
                .solve(new ArrayRealVector(gain, false))
                .toArray();
    }

    private static double[] gain(Mdp mdp, MdpPolicy policy) {
        double[] gain = new double[mdp.states()];
        Arrays.setAll(gain, s -> {
            double sum = 0;
            for (int a = 0; a < mdp.actions(); a++) {
                sum += policy.probability(s, a) * mdp.reward()[s][a];
            }
            return sum;
        });
        return gain;
    }

    /// State 0 stays with probability p, and pays 1; state 1 is the end: `V(0) = 1/(1 - discount·p)`.
    @Test
    void aChainOfTwoStates() {
        for (double p : new double[] {0, 0.3, 1}) {
            var chain = Transitions.dense(new double[][][] {{{p, 1 - p}}, {{0, 1}}});
            var mdp = new Mdp(chain, new double[][] {{1}, {0}}, new double[] {1, 0}, 0.9);
            double[] values =
                    ValueIteration.evaluate(mdp, MdpPolicy.uniform(2, 1), NEAR).values();
            assertArrayEquals(new double[] {1 / (1 - 0.9 * p), 0}, values, 1e-10);
            assertEquals(0.1 / (1 - 0.9 * p), mdp.normalisedReturn(values), 1e-11);
        }
    }

    /// Go to the other state for 0, or stay for 1 in state 0 and 2 in state 1. Best: to state 1 and stay.
    @Test
    void theBestOfTwoStates() {
        var moves = Transitions.dense(new double[][][] {{{1, 0}, {0, 1}}, {{0, 1}, {1, 0}}});
        var mdp = new Mdp(moves, new double[][] {{1, 0}, {2, 0}}, new double[] {1, 0}, 0.8);
        var best = ValueIteration.optimal(mdp, NEAR);
        assertArrayEquals(new double[] {8, 10}, best.values(), 1e-10);
        assertEquals(1, best.policy().probability(0, 1));
        assertEquals(1, best.policy().probability(1, 0));
    }

    @Test
    void aBanditIsTheTiltedReference() {
        double[] rewards = {1, -0.5, 2};
        MdpPolicy ref = MdpPolicy.of(new double[][] {{0.5, 0.4, 0.1}});
        double sum = 0.5 * Math.exp(1 / 0.3) + 0.4 * Math.exp(-0.5 / 0.3) + 0.1 * Math.exp(2 / 0.3);
        var soft = ValueIteration.optimal(Mdp.bandit(rewards), ref, new Regularizer.Kl(0.3), NEAR);
        assertEquals(0.3 * Math.log(sum), soft.values()[0], 1e-14);
        assertEquals(0.1 * Math.exp(2 / 0.3) / sum, soft.policy().probability(0, 2), 1e-14);
        assertEquals(1, soft.sweeps());
    }

    @Test
    void evaluationSolvesTheLinearSystem() {
        for (double discount : new double[] {0, 0.5, 0.95, 0.99}) {
            Mdp mdp = Garnet.mdp(20, 3, 4, discount, 5);
            MdpPolicy policy = Garnet.policy(20, 3, 6);
            var solution = ValueIteration.evaluate(mdp, policy, NEAR);
            assertArrayEquals(solved(mdp, policy, gain(mdp, policy)), solution.values(), 1e-10);
            assertTrue(solution.errorBound() <= NEAR);
        }
    }

    /// At a loose tolerance the values are off, but by no more than the bound says.
    @Test
    void theBoundHoldsWhereItIsLoose() {
        for (int seed = 0; seed < 20; seed++) {
            Mdp mdp = Garnet.mdp(15, 2, 1, 0.9, seed); // one successor: no forgetting
            MdpPolicy ref = Garnet.policy(15, 2, 100 + seed);
            var kl = new Regularizer.Kl(0.1);
            var exact = ValueIteration.optimal(mdp, ref, kl, 1e-12);
            var loose = ValueIteration.optimal(mdp, ref, kl, 0.1);
            double error = distance(exact.values(), loose.values());
            assertTrue(error <= loose.errorBound() && error > 1e-6, "off by " + error);
            double lost = distance(
                    exact.values(),
                    ValueIteration.evaluate(mdp, loose.policy(), ref, kl, 1e-12).values());
            double e = 0.9 * loose.errorBound();
            assertTrue(lost <= e * e / (2 * 0.1 * (1 - 0.9)), "policy worse by " + lost);
        }
    }

    private static double distance(double[] x, double[] y) {
        double most = 0;
        for (int i = 0; i < x.length; i++) {
            most = Math.max(most, Math.abs(x[i] - y[i]));
        }
        return most;
    }

    @Test
    void backupsContract() {
        Mdp mdp = Garnet.mdp(12, 3, 3, 0.9, 1);
        MdpPolicy ref = Garnet.policy(12, 3, 2);
        var random = new SplittableRandom(3);
        for (Regularizer regularizer :
                new Regularizer[] {new Regularizer.None(), new Regularizer.Kl(0.2), new Regularizer.ChiSquared(0.2)}) {
            for (int trial = 0; trial < 100; trial++) {
                double[] v = random.doubles(12, -10, 10).toArray();
                double[] w = random.doubles(12, -10, 10).toArray();
                double apart = distance(backup(mdp, ref, regularizer, v), backup(mdp, ref, regularizer, w));
                assertTrue(apart <= 0.9 * distance(v, w) + 1e-12);
            }
        }
    }

    private static double[] backup(Mdp mdp, MdpPolicy ref, Regularizer regularizer, double[] values) {
        double[][] q = mdp.actionValues(values);
        double[] backup = new double[values.length];
        Arrays.setAll(backup, s -> regularizer.maximum(q[s], ref.logProbs()[s]));
        return backup;
    }

    @Test
    void theOptimumIsTheBestOfAllDeterministicPolicies() {
        for (int seed = 0; seed < 10; seed++) {
            Mdp mdp = Garnet.mdp(5, 2, 2, 0.9, seed);
            double[] best = new double[5];
            for (int code = 0; code < 32; code++) {
                int[] choice = new int[5];
                int bits = code;
                Arrays.setAll(choice, s -> bits >> s & 1);
                MdpPolicy policy = MdpPolicy.deterministic(choice, 2);
                double[] values = solved(mdp, policy, gain(mdp, policy));
                Arrays.setAll(best, s -> Math.max(best[s], values[s]));
            }
            assertArrayEquals(best, ValueIteration.optimal(mdp, NEAR).values(), 1e-10);
        }
    }

    @Test
    void noPolicyBeatsTheRegularisedOptimum() {
        var random = new SplittableRandom(9);
        for (Regularizer regularizer : new Regularizer[] {new Regularizer.Kl(0.3), new Regularizer.ChiSquared(0.3)}) {
            Mdp mdp = Garnet.mdp(8, 3, 3, 0.9, 4);
            MdpPolicy ref = Garnet.policy(8, 3, 5);
            var best = ValueIteration.optimal(mdp, ref, regularizer, NEAR);
            double[] own = ValueIteration.evaluate(mdp, best.policy(), ref, regularizer, NEAR)
                    .values();
            assertArrayEquals(best.values(), own, 1e-9);
            for (int trial = 0; trial < 100; trial++) {
                double[][] logits = best.policy().logProbs();
                double[][] moved = new double[8][];
                double scale = trial % 2 == 0 ? 0.05 : 1;
                Arrays.setAll(moved, s -> Arrays.stream(logits[s])
                        .map(x -> x + scale * random.nextGaussian())
                        .toArray());
                double[] values = ValueIteration.evaluate(mdp, MdpPolicy.softmax(moved), ref, regularizer, NEAR)
                        .values();
                for (int s = 0; s < 8; s++) {
                    assertTrue(values[s] <= own[s] + 1e-10, "trial " + trial + ", state " + s);
                }
            }
        }
    }

    @Test
    void theTiltGoesFromGreedyToTheReference() {
        Mdp mdp = Garnet.mdp(30, 4, 5, 0.9, 7);
        MdpPolicy ref = Garnet.policy(30, 4, 8);
        double[] before = ValueIteration.optimal(mdp, NEAR).values();
        var greedy = ValueIteration.optimal(mdp, ref, new Regularizer.Kl(1e-6), NEAR);
        assertArrayEquals(before, greedy.values(), 1e-6 * 8 / (1 - 0.9)); // beta·log(1/ref) a step, ref > e⁻⁸
        for (int s = 0; s < 30; s++) {
            assertEquals(
                    1,
                    ValueIteration.expectation(
                            greedy.policy().probabilities()[s],
                            ValueIteration.optimal(mdp, NEAR).policy().probabilities()[s]),
                    1e-9);
        }
        for (double beta : new double[] {1e-3, 0.01, 0.1, 1, 10}) { // falls as the strength grows
            double[] values = ValueIteration.optimal(mdp, ref, new Regularizer.Kl(beta), NEAR)
                    .values();
            for (int s = 0; s < 30; s++) {
                assertTrue(values[s] < before[s]);
            }
            before = values;
        }
        double[] refValues = ValueIteration.evaluate(mdp, ref, NEAR).values();
        for (Regularizer strong : new Regularizer[] {new Regularizer.Kl(1e9), new Regularizer.ChiSquared(1e9)}) {
            var held = ValueIteration.optimal(mdp, ref, strong, NEAR);
            assertArrayEquals(refValues, held.values(), 1e-7); // the variance of Q over beta, a step
            for (int s = 0; s < 30; s++) {
                assertArrayEquals(ref.logProbs()[s], held.policy().logProbs()[s], 1e-7);
            }
        }
    }

    @Test
    void maximumEntropyIsAUniformReference() {
        Mdp mdp = Garnet.mdp(10, 3, 3, 0.8, 2);
        var soft = ValueIteration.maximumEntropy(mdp, 0.4, NEAR);
        double[] gain = gain(mdp, soft.policy());
        for (int s = 0; s < 10; s++) {
            double[] logits = new double[3];
            int state = s;
            Arrays.setAll(logits, a -> soft.actionValues()[state][a] / 0.4);
            assertEquals(soft.values()[s], 0.4 * Categorical.logSumExp(logits), 1e-10);
            assertArrayEquals(Categorical.logSoftmax(logits), soft.policy().logProbs()[s], 1e-10);
            for (double logP : soft.policy().logProbs()[s]) {
                gain[s] -= 0.4 * Math.exp(logP) * logP;
            }
        }
        assertArrayEquals(solved(mdp, soft.policy(), gain), soft.values(), 1e-9);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.5, 0.9})
    void evaluationAgreesWithSampledReturns(double discount) {
        Mdp mdp = Garnet.mdp(6, 2, 3, discount, 11);
        MdpPolicy policy = Garnet.policy(6, 2, 12);
        double exact =
                mdp.normalisedReturn(ValueIteration.evaluate(mdp, policy, NEAR).values());
        var random = new SplittableRandom(13);
        int n = 20_000;
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < n; i++) {
            double total =
                    (1 - discount) * Trajectory.geometric(mdp, policy, random).total();
            sum += total;
            squares += total * total;
        }
        double error = Math.sqrt((squares / n - sum / n * (sum / n)) / n);
        assertEquals(exact, sum / n, 5 * error);
    }

    @Test
    void aToleranceBeyondRoundingIsRefused() {
        var chain = Garnet.mdp(5, 2, 2, 0.99, 1);
        var large = chain.withReward(Arrays.stream(chain.reward())
                .map(row -> Arrays.stream(row).map(r -> 1e6 * r).toArray())
                .toArray(double[][]::new));
        var error = assertThrows(ArithmeticException.class, () -> ValueIteration.optimal(large, 1e-12));
        assertTrue(error.getMessage().startsWith("rounding keeps the error bound at "), error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> ValueIteration.optimal(chain, 0));
    }

    @Test
    void aReferenceWithoutMassIsNamed() {
        Mdp mdp = Garnet.mdp(3, 2, 2, 0.9, 1);
        MdpPolicy ref = MdpPolicy.of(new double[][] {{0.5, 0.5}, {1, 0}, {0.5, 0.5}});
        MdpPolicy policy = MdpPolicy.uniform(3, 2);
        var error = assertThrows(
                IllegalArgumentException.class,
                () -> ValueIteration.evaluate(mdp, policy, ref, new Regularizer.Kl(1), NEAR));
        assertTrue(error.getMessage().startsWith("state 1, action 1: "), error.getMessage());
        var found = ValueIteration.optimal(mdp, ref, new Regularizer.Kl(1), NEAR);
        assertEquals(0, found.policy().probability(1, 1));
    }
}

package dev.kedge.env;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PreferenceGameTest {
    @Test
    void aMatrixThatIsNoGameIsRefusedWithItsRowAndColumn() {
        assertRefused("row 1 of P has 1 entries, needs 2, one for each action", new double[][] {{0.5, 0.4}, {0.6}});
        assertRefused("P[1][0] must be in [0, 1], was 1.2", new double[][] {{0.5, -0.2}, {1.2, 0.5}});
        assertRefused("P[0][1] must be in [0, 1], was NaN", new double[][] {{0.5, Double.NaN}, {0.6, 0.5}});
        assertRefused("P[1][1] must be 1/2, was 0.4", new double[][] {{0.5, 0.4}, {0.6, 0.4}});
        assertRefused(
                "P[1][0] and P[0][1] must add up to 1, were 0.6 and 0.3", new double[][] {{0.5, 0.3}, {0.6, 0.5}});
        assertRefused("a game needs at least one action", new double[0][]);
    }

    private static void assertRefused(String message, double[][] p) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, () -> new PreferenceGame(p))
                        .getMessage());
    }

    @Test
    void theMatrixIsCopiedOnItsWayInAndOut() {
        double[][] p = {{0.5, 0.3}, {0.7, 0.5}};
        var game = new PreferenceGame(p);
        p[0][1] = 1;
        game.winProbabilities()[0][1] = 1;
        assertEquals(0.3, game.winProbability(0, 1));
    }

    @Test
    void randomGamesAreUniformBelowTheDiagonalAndRepeatable() {
        var game = PreferenceGame.random(200, 5);
        double sum = 0;
        double squares = 0;
        int count = 0;
        for (int i = 0; i < 200; i++) {
            for (int j = 0; j < i; j++) {
                sum += game.winProbability(i, j);
                squares += Math.pow(game.winProbability(i, j) - 0.5, 2);
                count++;
            }
        }
        assertEquals(0.5, sum / count, 5 * Math.sqrt(1 / 12.0 / count)); // five standard errors
        assertEquals(1 / 12.0, squares / count, 5 * Math.sqrt(1 / 180.0 / count));
        assertArrayEquals(game.winProbabilities(), PreferenceGame.random(200, 5).winProbabilities());
        assertTrue(game.winProbability(1, 0) != PreferenceGame.random(200, 6).winProbability(1, 0));
    }

    @Test
    void bradleyTerryIsTheLogisticOfTheDifference() {
        var game = PreferenceGame.bradleyTerry(0, Math.log(3), -800);
        assertEquals(0.25, game.winProbability(0, 1), 1e-15);
        assertEquals(1, game.winProbability(1, 2));
        assertEquals(0, game.winProbability(2, 1), 1e-300);
        assertThrows(IllegalArgumentException.class, () -> PreferenceGame.bradleyTerry(0, Double.NaN));
    }

    @Test
    void winRatesAreMatrixTimesPolicy() {
        var game = new PreferenceGame(new double[][] {{.5, .9, .2}, {.1, .5, .8}, {.8, .2, .5}});
        double[] policy = {0.5, 0.3, 0.2};
        double[] rates = {.25 + .27 + .04, .05 + .15 + .16, .4 + .06 + .1};
        assertArrayEquals(rates, game.winRates(policy), 1e-15);
        assertEquals(0.2 * rates[0] + 0.8 * rates[2], game.winRate(new double[] {0.2, 0, 0.8}, policy), 1e-15);
        assertEquals(0.5, game.winRate(policy, policy), 1e-15);
        assertEquals(0.06, game.exploitability(policy), 1e-15);
        assertEquals(0.12, game.dualityGap(policy), 1e-15);
        assertThrows(IllegalArgumentException.class, () -> game.winRates(new double[2]));
        assertThrows(IllegalArgumentException.class, () -> game.winRate(new double[4], policy));
    }

    /// The gap from its definition: both players' best deviations, found among all pure ones.
    @Test
    void theDualityGapIsThatOfBothPlayers() {
        var random = new Random(8);
        for (int trial = 0; trial < 50; trial++) {
            var game = PreferenceGame.random(6, trial);
            double[] policy = distribution(random, 6);
            double best = 0;
            double worst = 1;
            for (int y = 0; y < 6; y++) {
                double[] pure = new double[6];
                pure[y] = 1;
                best = Math.max(best, game.winRate(pure, policy));
                worst = Math.min(worst, game.winRate(policy, pure));
            }
            assertEquals(best - worst, game.dualityGap(policy), 1e-14);
        }
    }

    /// With `A = P - 1/2` of three actions, A is a cross product: the kernel is the equilibrium of a cycle.
    @Test
    void theEquilibriumOfACycleIsItsKernel() {
        assertArrayEquals(
                new double[] {1 / 3.0, 1 / 3.0, 1 / 3.0},
                PreferenceGame.rockPaperScissors().nash(),
                1e-12);
        var game = new PreferenceGame(new double[][] {{.5, .9, .2}, {.1, .5, .8}, {.8, .2, .5}});
        assertArrayEquals(new double[] {0.3, 0.3, 0.4}, game.nash(), 1e-12);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 10, 30, 60})
    void theEquilibriumCannotBeExploited(int actions) {
        for (int seed = 0; seed < 20; seed++) {
            var game = PreferenceGame.random(actions, seed);
            double[] nash = game.nash();
            assertEquals(1, Arrays.stream(nash).sum(), 1e-14);
            assertTrue(Arrays.stream(nash).allMatch(x -> x >= 0));
            assertEquals(0, game.exploitability(nash), 1e-13, "seed " + seed);
        }
    }

    @Test
    void withoutCyclesTheBestActionIsTheEquilibrium() {
        assertArrayEquals(
                new double[] {0, 0, 1, 0},
                PreferenceGame.bradleyTerry(0.1, -2, 0.3, 0.2).nash(),
                1e-12);
    }

    @Test
    void whereAllTieNothingCanBeExploited() {
        var ties = PreferenceGame.bradleyTerry(0, 0, 0);
        assertEquals(0, ties.exploitability(ties.nash()), 1e-15);
        assertEquals(0, ties.exploitability(new double[] {0.2, 0.7, 0.1}), 1e-15);
    }

    @Test
    void anOutsiderLosesToEveryOther() {
        var game = PreferenceGame.rockPaperScissors().withOutsider();
        assertArrayEquals(new double[] {0, 0, 0, 0.5}, game.winProbabilities()[3]);
        assertEquals(1, game.winProbability(2, 3));
        assertEquals(0, game.winProbability(1, 0));
        assertArrayEquals(new double[] {1 / 3.0, 1 / 3.0, 1 / 3.0, 0}, game.nash(), 1e-12);
    }

    static double[] distribution(Random random, int n) {
        return Categorical.probabilities(
                Categorical.logSoftmax(random.doubles(n, -2, 2).toArray()));
    }
}

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

class RegularizedGameTest {
    private static final PreferenceGame CYCLE =
            new PreferenceGame(new double[][] {{.5, .9, .2}, {.1, .5, .8}, {.8, .2, .5}});

    private final Random random = new Random(12);

    private RegularizedGame game(int n, double beta) {
        return new RegularizedGame(
                PreferenceGame.random(n, random.nextLong()),
                random.doubles(n, -2, 2).toArray(),
                beta);
    }

    private double[] policy(int n) {
        return Categorical.logSoftmax(random.doubles(n, -3, 3).toArray());
    }

    @Test
    void theValueIsWinRateLessDivergencesAndSymmetric() {
        for (int trial = 0; trial < 50; trial++) {
            RegularizedGame game = game(5, 0.3);
            double[] p = policy(5);
            double[] q = policy(5);
            double value = 0;
            for (int i = 0; i < 5; i++) {
                value += -0.3 * Math.exp(p[i]) * (p[i] - game.logRef()[i]);
                value += 0.3 * Math.exp(q[i]) * (q[i] - game.logRef()[i]);
                for (int j = 0; j < 5; j++) {
                    value += Math.exp(p[i]) * game.game().winProbability(i, j) * Math.exp(q[j]);
                }
            }
            assertEquals(value, game.value(p, q), 1e-13);
            assertEquals(1, game.value(p, q) + game.value(q, p), 1e-14);
            assertEquals(0.5, game.value(p, p), 1e-14);
        }
    }

    @Test
    void nothingDoesBetterThanTheBestResponse() {
        for (int trial = 0; trial < 20; trial++) {
            RegularizedGame game = game(4, 0.1);
            double[] opponent = policy(4);
            double[] best = game.bestResponse(opponent);
            for (int i = 0; i < 100; i++) {
                double[] other = best.clone();
                Arrays.setAll(other, y -> other[y] + 0.1 * random.nextGaussian());
                assertTrue(game.value(Categorical.logSoftmax(other), opponent) <= game.value(best, opponent));
            }
        }
    }

    @Test
    void theDualityGapIsItsDefinitionAndNeverNegative() {
        for (double beta : new double[] {0.01, 0.1, 1, 10}) {
            for (int trial = 0; trial < 20; trial++) {
                RegularizedGame game = game(6, beta);
                double[] p = policy(6);
                double[] best = game.bestResponse(p);
                assertEquals(game.value(best, p) - game.value(p, best), game.dualityGap(p), 1e-12);
                assertTrue(game.dualityGap(p) > 0);
            }
        }
    }

    /// Worked numbers: three actions, a uniform reference, beta 0.2, steps of h = 0.08.
    @Test
    void workedDualityGaps() {
        var game = new RegularizedGame(CYCLE, new double[3], 0.2);
        assertEquals(0.06047735, gap(game, 0.5, 0, -0.5), 5e-9);
        assertEquals(0.05407927, gap(game, 0.48944962, -0.05602089, -0.43342873), 2e-8);
        assertEquals(0.05346789, gap(game, 0.48562136, -0.05397699, -0.43164437), 2e-8);
        var rps = new RegularizedGame(PreferenceGame.rockPaperScissors(), new double[] {.3, -.2, 0}, 0.01);
        assertEquals(0.401, gap(rps, 1, 0, -1), 5e-4);
    }

    private static double gap(RegularizedGame game, double... logits) {
        return game.dualityGap(Categorical.logSoftmax(logits));
    }

    @Test
    void workedEquilibrium() {
        double[] nash = new RegularizedGame(CYCLE, new double[] {0, 0.5, 0}, 0.4).nash();
        assertArrayEquals(new double[] {0.33782120, 0.39730440, 0.26487440}, Categorical.probabilities(nash), 5e-9);
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.4, 1, 30, 1e4})
    void theEquilibriumSolvesItsEquation(double beta) {
        for (int n : new int[] {1, 2, 3, 10, 40}) {
            for (int trial = 0; trial < 5; trial++) {
                RegularizedGame game = game(n, beta);
                double[] nash = game.nash();
                double[] rates = game.game().winRates(Categorical.probabilities(nash));
                double[] residual = new double[n];
                Arrays.setAll(residual, y -> nash[y] - game.logRef()[y] - rates[y] / beta);
                double constant = Arrays.stream(residual).average().orElseThrow();
                double largest = Arrays.stream(residual)
                        .map(r -> Math.abs(r - constant))
                        .max()
                        .orElseThrow();
                assertEquals(0, largest, 2 * Math.max(1e-12, 1e-14 / beta), n + " actions");
                assertEquals(0, Categorical.logSumExp(nash), 1e-12);
            }
        }
    }

    @Test
    void theEquilibriumOfACycleIsFoundHoweverWeakTheReference() {
        for (double beta : new double[] {1e-6, 1e-3, 0.01}) {
            var game = new RegularizedGame(PreferenceGame.rockPaperScissors(), new double[] {3, -2, 0}, beta);
            assertEquals(0, game.dualityGap(game.nash()), 1e-20);
        }
    }

    @Test
    void withAWeakReferenceTheEquilibriumIsThatOfTheGame() {
        for (int seed = 0; seed < 20; seed++) {
            var game = PreferenceGame.random(8, seed);
            double[] nash = new RegularizedGame(game, new double[8], 1e-6).nash();
            assertArrayEquals(game.nash(), Categorical.probabilities(nash), 1e-3, "seed " + seed);
            // ½ >= V(q, π) for the best pure q: exploitability is at most beta times the range of KL to the reference.
            assertEquals(0, game.exploitability(Categorical.probabilities(nash)), 1e-6 * Math.log(8));
        }
    }

    @Test
    void withAStrongReferenceTheEquilibriumIsTheReference() {
        RegularizedGame game = game(7, 1e9);
        assertArrayEquals(game.logRef(), game.nash(), 1e-9);
        double[] drawn = policy(7);
        assertEquals(2e9 * Categorical.kl(drawn, game.logRef()), game.dualityGap(drawn), 1);
    }

    /// Against rewards, the equilibrium is not the policy `~ ref·exp(reward/beta)`, but that of the win rates.
    @Test
    void twoActionsHaveTheEquilibriumOfOneEquation() {
        double beta = 0.3;
        var game = new RegularizedGame(PreferenceGame.bradleyTerry(1, 0), new double[] {0, 0}, beta);
        double advantage = 1 / (1 + Math.exp(-1.0)) - 0.5; // in logits θ1 - θ0 = advantage/beta whatever the policy
        double p = 1 / (1 + Math.exp(-advantage / beta));
        assertArrayEquals(new double[] {p, 1 - p}, Categorical.probabilities(game.nash()), 1e-14);
    }

    @Test
    void badArgumentsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new RegularizedGame(CYCLE, new double[2], 0.1));
        assertThrows(IllegalArgumentException.class, () -> new RegularizedGame(CYCLE, new double[3], 0));
        assertThrows(IllegalArgumentException.class, () -> new RegularizedGame(CYCLE, new double[3], Double.NaN));
        assertThrows(
                IllegalArgumentException.class,
                () -> new RegularizedGame(CYCLE, new double[] {0, 0, Double.NEGATIVE_INFINITY}, 0.1));
        var game = new RegularizedGame(CYCLE, new double[3], 0.1);
        assertThrows(IllegalArgumentException.class, () -> game.dualityGap(new double[] {0.5, 0, -0.5}));
        assertThrows(IllegalArgumentException.class, () -> game.bestResponse(new double[] {0}));
        assertThrows(IllegalArgumentException.class, () -> game.value(game.logRef(), new double[] {0}));
    }
}

package dev.kedge.env;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MirrorDescentTest {
    private static final PreferenceGame CYCLE =
            new PreferenceGame(new double[][] {{.5, .9, .2}, {.1, .5, .8}, {.8, .2, .5}});
    private static final double[] REF = {0, 0.5, 0};

    private static double[] logProbs(double... logits) {
        return Categorical.logSoftmax(logits);
    }

    @Test
    void workedStepOfInpo() {
        double[] next = new MirrorDescent(CYCLE, REF, 1, 0.4).online(logProbs(0.2, 0, -0.1));
        assertArrayEquals(new double[] {0.35858613, 0.34779110, 0.29362277}, Categorical.probabilities(next), 5e-9);
    }

    @Test
    void iteratingInpoComesToTheEquilibrium() {
        var mirror = new MirrorDescent(CYCLE, REF, 1, 0.4);
        double[] policy = logProbs(0.2, 0, -0.1);
        for (int t = 0; t < 500; t++) {
            policy = mirror.online(policy);
        }
        assertArrayEquals(new RegularizedGame(CYCLE, REF, 0.4).nash(), policy, 1e-13);
    }

    /// Worked numbers: beta 0.2, h = 0.08, so eta = 2.5; logits with mean 0.
    @Test
    void workedStepOfEgpo() {
        var mirror = new MirrorDescent(CYCLE, new double[3], 0.2 / 0.08, 0.2);
        double[] policy = logProbs(0.5, 0, -0.5);
        assertArrayEquals(new double[] {0.48944962, -0.05602089, -0.43342873}, centred(mirror.online(policy)), 5e-9);
        assertArrayEquals(
                new double[] {0.48562136, -0.05397699, -0.43164437}, centred(mirror.extragradient(policy)), 5e-9);
    }

    private static double[] centred(double[] logits) {
        double mean = Arrays.stream(logits).average().orElseThrow();
        return Arrays.stream(logits).map(x -> x - mean).toArray();
    }

    @Test
    void aStepMaximisesWinRateLessTheTwoDivergences() {
        var random = new Random(4);
        double eta = 0.7;
        double tau = 0.2;
        double[] policy = logProbs(1, -0.5, 0.3);
        double[] opponent = logProbs(0, 1, -1);
        double[] next = new MirrorDescent(CYCLE, REF, eta, tau).against(opponent, policy);
        double best = aim(next, opponent, policy, eta, tau);
        for (int i = 0; i < 200; i++) {
            double[] other = logProbs(
                    next[0] + 0.1 * random.nextGaussian(),
                    next[1] + 0.1 * random.nextGaussian(),
                    next[2] + 0.1 * random.nextGaussian());
            assertTrue(aim(other, opponent, policy, eta, tau) <= best);
        }
    }

    private static double aim(double[] next, double[] opponent, double[] policy, double eta, double tau) {
        double wins = CYCLE.winRate(Categorical.probabilities(next), Categorical.probabilities(opponent));
        return wins - tau * Categorical.kl(next, logProbs(REF)) - (eta - tau) * Categorical.kl(next, policy);
    }

    @Test
    void theEquilibriumStaysWhereItIs() {
        for (int seed = 0; seed < 20; seed++) {
            var random = new Random(seed);
            var game = PreferenceGame.random(9, seed);
            double[] ref = random.doubles(9, -1, 1).toArray();
            double[] nash = new RegularizedGame(game, ref, 0.05).nash();
            var mirror = new MirrorDescent(game, ref, 0.5, 0.05);
            assertArrayEquals(nash, mirror.online(nash), 1e-12);
            assertArrayEquals(nash, mirror.extragradient(nash), 1e-12);
            assertArrayEquals(nash, mirror.nashMd(nash, 0), 1e-12);
        }
    }

    @Test
    void whereAllTieThePolicyFadesIntoTheReference() {
        var mirror = new MirrorDescent(PreferenceGame.bradleyTerry(0, 0, 0), REF, 1, 0.25);
        double[] policy = logProbs(2, 0, -1);
        double[] mixture = new double[3];
        Arrays.setAll(mixture, y -> 0.25 * REF[y] + 0.75 * policy[y]);
        assertArrayEquals(logProbs(mixture), mirror.online(policy), 1e-14);
        assertArrayEquals(logProbs(mixture), mirror.extragradient(policy), 1e-14);
        assertArrayEquals(logProbs(REF), mirror.online(logProbs(REF)), 1e-15);
    }

    @Test
    void withoutMemoryAStepIsTheBestResponse() {
        double[] policy = logProbs(1, 0, 0.3);
        assertArrayEquals(
                new RegularizedGame(CYCLE, REF, 0.3).bestResponse(policy),
                new MirrorDescent(CYCLE, REF, 0.3, 0.3).online(policy),
                1e-14);
    }

    @Test
    void withoutReferenceTheBestOfATransitiveGameTakesAll() {
        var mirror = new MirrorDescent(PreferenceGame.bradleyTerry(0.1, 1, -1), REF, 0.5, 0);
        double[] policy = logProbs(REF);
        for (int t = 0; t < 500; t++) {
            policy = mirror.online(policy);
        }
        assertEquals(1, Math.exp(policy[1]), 1e-12);
    }

    @Test
    void withoutReferenceSelfPlayLeavesTheCentreOfACycle() {
        var mirror = new MirrorDescent(PreferenceGame.rockPaperScissors(), new double[3], 1, 0);
        double[] policy = logProbs(0.1, 0, 0);
        double before = PreferenceGame.rockPaperScissors().exploitability(Categorical.probabilities(policy));
        for (int t = 0; t < 300; t++) {
            policy = mirror.online(policy);
        }
        assertTrue(PreferenceGame.rockPaperScissors().exploitability(Categorical.probabilities(policy)) > 5 * before);
    }

    @Test
    void nashMdPlaysAgainstTheMixture() {
        double[] policy = logProbs(1, -0.5, 0.3);
        var mirror = new MirrorDescent(CYCLE, REF, 1, 0.25);
        assertArrayEquals(mirror.against(logProbs(REF), policy), mirror.nashMd(policy, 1), 1e-15);
        double[] mixture = logProbs(0.75, -0.25, 0.225); // 3/4 policy, 1/4 reference
        assertArrayEquals(mirror.against(mixture, policy), mirror.nashMd(policy, 0.25), 1e-14);
    }

    @Test
    void badArgumentsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new MirrorDescent(CYCLE, REF, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new MirrorDescent(CYCLE, REF, 1, 1.1));
        assertThrows(IllegalArgumentException.class, () -> new MirrorDescent(CYCLE, REF, 1, -0.1));
        assertThrows(IllegalArgumentException.class, () -> new MirrorDescent(CYCLE, REF, Double.NaN, 0));
        assertThrows(IllegalArgumentException.class, () -> new MirrorDescent(CYCLE, new double[2], 1, 0.1));
        assertThrows(IllegalArgumentException.class, () -> new MirrorDescent(CYCLE, REF, 1, 0.1).online(new double[2]));
    }
}

package dev.kedge.objective.game;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.env.Categorical;
import dev.kedge.env.MirrorDescent;
import dev.kedge.env.PreferenceGame;
import dev.kedge.env.RegularizedGame;
import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class EgpoTest {
    private static final double BETA = 0.2;

    /// The equation in plain numbers: all n² pairs.
    private static double oracle(int g, double[] logPolicy, double[] logOpponent, double beta) {
        double[] logRef = Games.logProbs(Games.REF_LOGITS[g]);
        double sum = 0;
        for (int i = 0; i < Games.ACTIONS; i++) {
            for (int j = 0; j < Games.ACTIONS; j++) {
                double di = logPolicy[i] - logRef[i] - Games.winRate(g, i, logOpponent) / beta;
                double dj = logPolicy[j] - logRef[j] - Games.winRate(g, j, logOpponent) / beta;
                sum += (di - dj) * (di - dj);
            }
        }
        return sum / 9;
    }

    private static Tensor loss(Tensor logPolicy, double... opponentLogits) {
        return Egpo.egpo(logPolicy, Games.policy(opponentLogits), Games.all(), BETA, 2)
                .value();
    }

    @Test
    void equalsTheEquation() {
        var random = new Random(2);
        for (int trial = 0; trial < 20; trial++) {
            double[] policy = Games.random(random);
            double[] opponent = Games.random(random);
            double expected = Games.meanOverGames(g ->
                    oracle(g, Games.logProbs(Games.game(policy, g)), Games.logProbs(Games.game(opponent, g)), BETA));
            assertEquals(expected, loss(Games.policy(policy), opponent).item(), 1e-12 * expected);
        }
    }

    @Test
    void theMetricIsTheLossOfEachGame() {
        Loss loss = Egpo.egpo(Games.policy(Games.LOGITS), Games.policy(Games.OTHER_LOGITS), Games.all(), BETA, 5);
        double[] each = loss.metric("loss").toDoubles();
        assertEquals((each[0] + each[1]) / 5, loss.value().item(), 1e-14);
        assertEquals(
                oracle(
                        1,
                        Games.logProbs(Games.game(Games.LOGITS, 1)),
                        Games.logProbs(Games.game(Games.OTHER_LOGITS, 1)),
                        BETA),
                each[1],
                1e-12);
    }

    @Test
    void gradientEqualsCentralDifferences() {
        CentralDifferences.assertGradient(Games.LOGITS, x -> loss(x.logSoftmax(1), Games.OTHER_LOGITS), 1e-8, 2, 3);
    }

    /// Worked numbers: uniform reference, lr 0.06.
    @Test
    void workedExample() {
        Tensor logits = Games.logits(0.5, 0, -0.5);
        Tensor gradient = gradient(logits, logits);
        assertArrayEquals(new double[] {0.17583964, 0.93368148, -1.10952112}, gradient.toDoubles(), 5e-9);
        Tensor half = logits.minus(gradient.times(0.06));
        Tensor update = logits.minus(gradient(logits, half).times(0.06));
        assertArrayEquals(new double[] {0.48944962, -0.05602089, -0.43342873}, half.toDoubles(), 5e-9);
        assertArrayEquals(new double[] {0.48562136, -0.05397699, -0.43164437}, update.toDoubles(), 5e-9);
    }

    private static Tensor gradient(Tensor logits, Tensor opponent) {
        Tensor leaf = logits.copy().requiresGrad();
        Tensor value = Egpo.egpo(leaf.logSoftmax(1), opponent.logSoftmax(1), Games.worked(), BETA, 1)
                .value();
        if (logits == opponent) {
            assertEquals(0.80014418, value.item(), 5e-9);
        }
        value.backward();
        return leaf.grad();
    }

    /// A plain step on logits is a mirror step with h = 4·lr/n, and two of them are EGPO's update.
    @Test
    void plainStepsAreMirrorDescent() {
        double lr = 0.07;
        double eta = BETA * Games.ACTIONS / (4 * lr);
        for (int g = 0; g < 2; g++) {
            var mirror = new MirrorDescent(new PreferenceGame(Games.P[g]), Games.REF_LOGITS[g], eta, BETA);
            double[] start = Games.logProbs(Games.game(Games.LOGITS, g));
            double[] half = step(g, start, start, lr);
            assertArrayEquals(mirror.online(start), Categorical.logSoftmax(half), 1e-13);
            double[] update = step(g, start, half, lr);
            assertArrayEquals(mirror.extragradient(start), Categorical.logSoftmax(update), 1e-13);
        }
    }

    private static double[] step(int g, double[] logits, double[] opponent, double lr) {
        MatrixGames game = Games.of(new double[][][] {Games.P[g]}, new double[][] {Games.REF_LOGITS[g]});
        Tensor leaf = Games.logits(logits).requiresGrad();
        Egpo.egpo(leaf.logSoftmax(1), Games.policy(opponent), game, BETA, 1)
                .value()
                .backward();
        double[] gradient = leaf.grad().toDoubles();
        double[] next = logits.clone();
        Arrays.setAll(next, i -> next[i] - lr * gradient[i]);
        return next;
    }

    @Test
    void theLossIsZeroAtTheBestResponse() {
        double[] opponent = Games.logProbs(0.4, -1, 0.3);
        double[] best = new RegularizedGame(new PreferenceGame(Games.P[0]), new double[3], BETA).bestResponse(opponent);
        Tensor leaf = Games.logits(best).requiresGrad();
        Tensor value = Egpo.egpo(leaf.logSoftmax(1), Games.policy(opponent), Games.worked(), BETA, 1)
                .value();
        value.backward();
        assertEquals(0, value.item(), 1e-28);
        assertArrayEquals(new double[3], leaf.grad().toDoubles(), 1e-14);
    }

    @Test
    void whereAllTieNothingMovesFromTheReference() {
        double[][] ties = {{.5, .5, .5}, {.5, .5, .5}, {.5, .5, .5}};
        double[] ref = {0.3, -1, 2};
        Tensor leaf = Games.logits(ref).requiresGrad();
        MatrixGames game = Games.of(new double[][][] {ties}, new double[][] {ref});
        Tensor value = Egpo.egpo(leaf.logSoftmax(1), Games.policy(0, 4, 0), game, 0.01, 1)
                .value();
        value.backward();
        assertEquals(0, value.item(), 1e-24);
        assertArrayEquals(new double[3], leaf.grad().toDoubles(), 1e-12);
    }

    @Test
    void aStrongRegulariserKeepsTheReference() {
        Tensor leaf = Games.logits(Games.REF_LOGITS[0]).requiresGrad();
        MatrixGames game = Games.of(new double[][][] {Games.P[0]}, new double[][] {Games.REF_LOGITS[0]});
        Egpo.egpo(leaf.logSoftmax(1), Games.policy(1, 2, 0), game, 1e9, 1)
                .value()
                .backward();
        assertArrayEquals(new double[3], leaf.grad().toDoubles(), 1e-8);
    }

    @Test
    void constantsInLogitsChangeNothing() {
        Tensor shifted =
                Games.policy(Arrays.stream(Games.LOGITS).map(x -> x + 7).toArray());
        assertEquals(
                loss(Games.policy(Games.LOGITS), Games.OTHER_LOGITS).item(),
                loss(shifted, Games.OTHER_LOGITS).item(),
                1e-12);
    }

    @Test
    void opponentReferenceAndPreferencesAreConstants() {
        Tensor p = Games.all().winProbabilities().requiresGrad();
        Tensor ref = Games.all().logRef().requiresGrad();
        Tensor logits = Games.logits(Games.LOGITS).requiresGrad();
        Tensor logPolicy = logits.logSoftmax(1);
        Egpo.egpo(logPolicy, logPolicy, new MatrixGames(p, ref), BETA, 2)
                .value()
                .backward();
        Tensor free = Games.logits(Games.LOGITS).requiresGrad();
        loss(free.logSoftmax(1), Games.LOGITS).backward();
        assertArrayEquals(free.grad().toDoubles(), logits.grad().toDoubles(), 1e-15);
        assertTrue(p.grad() == null && ref.grad() == null);
    }

    @Test
    void partsOfAStepAddUp() {
        double whole = loss(Games.policy(Games.LOGITS), Games.OTHER_LOGITS).item();
        double parts = 0;
        for (int g = 0; g < 2; g++) {
            MatrixGames game = Games.of(new double[][][] {Games.P[g]}, new double[][] {Games.REF_LOGITS[g]});
            parts += Egpo.egpo(
                            Games.policy(Games.game(Games.LOGITS, g)),
                            Games.policy(Games.game(Games.OTHER_LOGITS, g)),
                            game,
                            BETA,
                            2)
                    .value()
                    .item();
        }
        assertEquals(whole, parts, 1e-13);
    }

    @Test
    void extremePoliciesStayFinite() {
        Tensor leaf = Games.logits(1e5, 0, -1e5, 0, 800, -800).requiresGrad();
        Tensor value = loss(leaf.logSoftmax(1), -1e4, 1e4, 0, 0, 0, 0);
        value.backward();
        assertTrue(value.isFinite().allTrue() && leaf.grad().isFinite().allTrue());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor policy = Games.policy(Games.LOGITS);
        MatrixGames games = Games.all();
        refused("beta", () -> Egpo.egpo(policy, policy, games, 0, 2));
        refused("gamesInStep", () -> Egpo.egpo(policy, policy, games, BETA, 1));
        refused("logOpponent", () -> Egpo.egpo(policy, policy.select(0, 0), games, BETA, 2));
        refused("logPolicy", () -> Egpo.egpo(policy.t(), policy, games, BETA, 2));
        Tensor p = games.winProbabilities();
        refused("winProbabilities", () -> new MatrixGames(p.select(0, 0), games.logRef()));
        refused("logRef", () -> new MatrixGames(p, games.logRef().select(0, 0)));
    }
}

package dev.kedge.objective.game;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.env.Categorical;
import dev.kedge.env.PreferenceGame;
import dev.kedge.env.RegularizedGame;
import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class OnlineIpoTest {
    private static final double BETA = 0.2;

    /// The equation of online IPO 2 in game g, with the weights of one policy and the log-ratios of another.
    private static double oracle(int g, double[] weights, double[] logPolicy) {
        double[] logRef = Games.logProbs(Games.REF_LOGITS[g]);
        double sum = 0;
        for (int i = 0; i < Games.ACTIONS; i++) {
            for (int j = 0; j < Games.ACTIONS; j++) {
                double margin = logPolicy[i] - logRef[i] - logPolicy[j] + logRef[j];
                double e = margin - (Games.P[g][i][j] - 0.5) / BETA;
                sum += Math.exp(weights[i]) * Math.exp(weights[j]) * e * e;
            }
        }
        return sum;
    }

    private static double meanOracle(double[] weightLogits, double[] logits) {
        return Games.meanOverGames(
                g -> oracle(g, Games.logProbs(Games.game(weightLogits, g)), Games.logProbs(Games.game(logits, g))));
    }

    private static Tensor loss2(Tensor logPolicy) {
        return OnlineIpo.onlineIpo2(logPolicy, Games.all(), BETA, 2).value();
    }

    @Test
    void equalsTheEquation() {
        var random = new Random(6);
        for (int trial = 0; trial < 20; trial++) {
            double[] logits = Games.random(random);
            double expected = meanOracle(logits, logits);
            assertEquals(expected, loss2(Games.policy(logits)).item(), 1e-12 * expected);
        }
    }

    /// The weights are constants: central differences of the oracle with weights that stay.
    @Test
    void gradientHoldsTheWeights() {
        Tensor logits = Games.logits(Games.LOGITS).requiresGrad();
        loss2(logits.logSoftmax(1)).backward();
        double[] gradient = logits.grad().toDoubles();
        for (int i = 0; i < gradient.length; i++) {
            double[] up = Games.LOGITS.clone();
            double[] down = Games.LOGITS.clone();
            up[i] += 1e-5;
            down[i] -= 1e-5;
            assertEquals((meanOracle(Games.LOGITS, up) - meanOracle(Games.LOGITS, down)) / 2e-5, gradient[i], 1e-8);
        }
    }

    /// `4·π(i)·(log π/π_ref - its mean - (P(i > π) - 1/2)/beta)`: 0 at the equilibrium only.
    @Test
    void itComesToRestAtTheEquilibriumOnly() {
        for (int g = 0; g < 2; g++) {
            var regularized = new RegularizedGame(new PreferenceGame(Games.P[g]), Games.REF_LOGITS[g], BETA);
            MatrixGames game = Games.of(new double[][][] {Games.P[g]}, new double[][] {Games.REF_LOGITS[g]});
            assertArrayEquals(new double[3], gradient2(game, regularized.nash()), 1e-13);
            double[] off = Categorical.logSoftmax(new double[] {1, 0, 0.3});
            double[] gradient = gradient2(game, off);
            double mean = 0;
            for (int y = 0; y < 3; y++) {
                mean += Math.exp(off[y]) * (off[y] - regularized.logRef()[y]);
            }
            for (int y = 0; y < 3; y++) {
                double expected = off[y] - regularized.logRef()[y] - mean - (Games.winRate(g, y, off) - 0.5) / BETA;
                assertEquals(4 * Math.exp(off[y]) * expected, gradient[y], 1e-13);
            }
        }
    }

    private static double[] gradient2(MatrixGames game, double[] logits) {
        Tensor leaf = Games.logits(logits).requiresGrad();
        OnlineIpo.onlineIpo2(leaf.logSoftmax(1), game, BETA, 1).value().backward();
        return leaf.grad().toDoubles();
    }

    @Test
    void theFirstFormIsEgpoWithoutItsHalfStep() {
        Tensor policy = Games.policy(Games.LOGITS);
        assertEquals(
                Egpo.egpo(policy, policy, Games.all(), BETA, 2).value().item(),
                OnlineIpo.onlineIpo1(policy, Games.all(), BETA, 2).value().item());
    }

    @Test
    void theFirstFormsOpponentIsAConstant() {
        Tensor fixed = Games.policy(Games.LOGITS);
        Tensor leaf = Games.logits(Games.LOGITS).requiresGrad();
        OnlineIpo.onlineIpo1(leaf.logSoftmax(1), Games.all(), BETA, 2).value().backward();
        CentralDifferences.assertGradient(
                Games.LOGITS,
                x -> Egpo.egpo(x.logSoftmax(1), fixed, Games.all(), BETA, 2).value(),
                1e-8,
                2,
                3);
        Tensor against = Games.logits(Games.LOGITS).requiresGrad();
        Egpo.egpo(against.logSoftmax(1), fixed, Games.all(), BETA, 2).value().backward();
        assertArrayEquals(against.grad().toDoubles(), leaf.grad().toDoubles());
    }

    /// Pairs from a policy of weights 1/4, 2/4, 1/4, each as often as it is probable, with 1/2 as second preference.
    @Test
    void sampledPairsOfThePolicyGiveTheSecondFormsGradient() {
        int[] drawn = {0, 1, 1, 2};
        List<Long> actions = new ArrayList<>();
        List<Double> preferences = new ArrayList<>();
        for (int first : drawn) {
            for (int second : drawn) {
                actions.addAll(List.of((long) first, (long) second));
                preferences.addAll(List.of(Games.P[0][first][second], 0.5));
            }
        }
        double[] logits = {Math.log(0.25), Math.log(0.5), Math.log(0.25)};
        MatrixGames game = Games.of(new double[][][] {Games.P[0]}, new double[][] {Games.REF_LOGITS[0]});
        Tensor index = Tensor.of(actions.stream().mapToLong(Long::longValue).toArray(), actions.size());
        Tensor leaf = Games.logits(logits).requiresGrad();
        Egpo.sequences(
                        leaf.logSoftmax(1).select(0, 0).indexSelect(0, index).view(16, 2),
                        game.logRef().select(0, 0).indexSelect(0, index).view(16, 2),
                        Tensor.of(
                                preferences.stream()
                                        .mapToDouble(Double::doubleValue)
                                        .toArray(),
                                16,
                                2),
                        BETA,
                        16)
                .value()
                .backward();
        assertArrayEquals(gradient2(game, logits), leaf.grad().toDoubles(), 1e-13);
    }

    @Test
    void whereAllTieNothingMovesFromTheReference() {
        double[][] ties = {{.5, .5, .5}, {.5, .5, .5}, {.5, .5, .5}};
        double[] ref = {0.3, -1, 2};
        assertArrayEquals(
                new double[3], gradient2(Games.of(new double[][][] {ties}, new double[][] {ref}), ref), 1e-14);
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor policy = Games.policy(Games.LOGITS);
        refused("beta", () -> OnlineIpo.onlineIpo2(policy, Games.all(), 0, 2));
        refused("gamesInStep", () -> OnlineIpo.onlineIpo2(policy, Games.all(), BETA, 1));
        refused("logPolicy", () -> OnlineIpo.onlineIpo2(policy, Games.worked(), BETA, 2));
        refused("beta", () -> OnlineIpo.onlineIpo1(policy, Games.all(), -1, 2));
    }
}

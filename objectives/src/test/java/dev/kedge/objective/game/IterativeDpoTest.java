package dev.kedge.objective.game;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.env.Categorical;
import dev.kedge.env.PreferenceGame;
import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class IterativeDpoTest {
    private static final double BETA = 0.7;

    private static double oracle(int g, double[] policy, double[] previous) {
        double[] ref = Games.logProbs(Games.REF_LOGITS[g]);
        double sum = 0;
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                double margin = BETA * (policy[i] - ref[i] - policy[j] + ref[j]);
                double loss = Games.P[g][i][j] * Math.log1p(Math.exp(-margin))
                        + Games.P[g][j][i] * Math.log1p(Math.exp(margin));
                sum += Math.exp(previous[i]) * Math.exp(previous[j]) * loss;
            }
        }
        return sum;
    }

    private static Tensor loss(Tensor logPolicy) {
        return IterativeDpo.population(logPolicy, Games.policy(Games.OTHER_LOGITS), Games.all(), BETA, 2)
                .value();
    }

    @Test
    void equalsTheEquation() {
        var random = new Random(3);
        for (int trial = 0; trial < 20; trial++) {
            double[] logits = Games.random(random);
            double expected = Games.meanOverGames(g -> oracle(
                    g, Games.logProbs(Games.game(logits, g)), Games.logProbs(Games.game(Games.OTHER_LOGITS, g))));
            assertEquals(expected, loss(Games.policy(logits)).item(), 1e-13);
        }
    }

    @Test
    void gradientEqualsCentralDifferences() {
        CentralDifferences.assertGradient(Games.LOGITS, x -> loss(x.logSoftmax(1)), 1e-9, 2, 3);
    }

    /// One pair that is certain, from a policy that draws the two alike: half of its draws are that pair.
    @Test
    void ofASurePairItIsDpo() {
        double[][] p = {{.5, 1}, {0, .5}};
        var game = new MatrixGames(
                Tensor.of(p).unsqueeze(0), Tensor.of(0.3, -0.2).logSoftmax(0).unsqueeze(0));
        Tensor policy = Tensor.of(1, -0.5).logSoftmax(0);
        Tensor even = Tensor.of(Math.log(0.5), Math.log(0.5)).unsqueeze(0);
        Tensor ref = game.logRef().select(0, 0);
        var lp = new PreferenceLogProbs(
                policy.narrow(0, 0, 1), policy.narrow(0, 1, 1), ref.narrow(0, 0, 1), ref.narrow(0, 1, 1));
        double pair = Dpo.dpo(lp, BETA, 1).value().item();
        double all = IterativeDpo.population(policy.unsqueeze(0), even, game, BETA, 1)
                .value()
                .item();
        assertEquals(pair / 2 + Math.log(2) / 2, all, 1e-14); // an answer against itself is a toss
    }

    @Test
    void againstRewardsTheTiltedReferenceIsTheMinimum() {
        double[] reward = {0.4, -1, 0.2};
        double[] ref = {0.1, 0.5, -0.3};
        double[] optimum = new double[3];
        for (int y = 0; y < 3; y++) {
            optimum[y] = ref[y] + reward[y] / BETA;
        }
        MatrixGames game = Games.of(
                new double[][][] {PreferenceGame.bradleyTerry(reward).winProbabilities()}, new double[][] {ref});
        Tensor leaf = Games.logits(Categorical.logSoftmax(optimum)).requiresGrad();
        IterativeDpo.population(leaf.logSoftmax(1), Games.policy(1, 0, -1), game, BETA, 1)
                .value()
                .backward();
        assertArrayEquals(new double[3], leaf.grad().toDoubles(), 1e-15);
    }

    @Test
    void extremePoliciesStayFinite() {
        Tensor leaf = Games.logits(1e5, 0, -1e5, 0, 800, -800).requiresGrad();
        Tensor value = loss(leaf.logSoftmax(1));
        value.backward();
        assertTrue(value.isFinite().allTrue() && leaf.grad().isFinite().allTrue());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor policy = Games.policy(Games.LOGITS);
        refused("beta", () -> IterativeDpo.population(policy, policy, Games.all(), 0, 2));
        refused("gamesInStep", () -> IterativeDpo.population(policy, policy, Games.all(), 1, 1));
        refused("logPrevious", () -> IterativeDpo.population(policy, policy, Games.worked(), 1, 1));
    }
}

package dev.kedge.lab.tabular;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.divergence.BarrierDivergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.tensor.Scope;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TabularPpoTest {
    private static final TabularTraining TRAINING = new TabularTraining(1200, 0.05);
    private static final double BETA = 0.7;

    static Stream<BarrierDivergence> divergences() {
        return Stream.of(new ReverseKl(), new ForwardKl(), new JensenShannon());
    }

    @Test
    void onThePopulationTheLearnedRewardsAreTheTrueOnesUpToAConstant() {
        double[] learned = TabularPpo.reward(Population.TASK, Population.pairs(), TRAINING)[0];
        double[] reward = Population.TASK.reward()[0];
        for (int y = 1; y < reward.length; y++) {
            assertEquals(reward[y] - reward[0], learned[y] - learned[0], 1e-4);
        }
    }

    /// With the true reward the objective that is left to gain is small: the gradient is that of the objective, and
    /// what remains is the noise of the draws.
    @ParameterizedTest
    @MethodSource("divergences")
    void comesNearTheOptimumOfRewardLessDivergence(BarrierDivergence divergence) {
        var task = Population.TASK;
        double[][] trained = TabularPpo.train(task, task.reward(), divergence, BETA, 1, TRAINING);
        double start = objective(task, task.logRef(), divergence);
        double optimum = objective(task, task.optimum(divergence, BETA), divergence);
        double reached = objective(task, trained, divergence);
        assertTrue(reached <= optimum + 1e-12);
        assertTrue(reached > optimum - 0.03 * (optimum - start), start + ", " + reached + ", " + optimum);
    }

    private static double objective(Bandit task, double[][] logPolicy, BarrierDivergence divergence) {
        double spent = 0;
        for (int y = 0; y < task.outcomes(); y++) {
            double ref = Math.exp(task.logRef()[0][y]);
            spent += ref * divergence.f(Math.exp(logPolicy[0][y]) / ref);
        }
        return task.evaluate(logPolicy).reward() - BETA * spent;
    }

    @Test
    void aSeedGivesTheSamePolicyAndNothingStaysInNativeMemory() {
        long before = Scope.liveTensors();
        var task = Bandit.random(3, 6, 2);
        var training = new TabularTraining(12, 0.1);
        double[][] first = TabularPpo.train(task, task.reward(), new ReverseKl(), 0.3, 5, training);
        double[][] second = TabularPpo.train(task, task.reward(), new ReverseKl(), 0.3, 5, training);
        assertArrayEquals(first[2], second[2]);
        assertEquals(before, Scope.liveTensors());
    }
}

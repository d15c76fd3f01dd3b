package dev.kedge.lab.tabular;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.divergence.AlphaDivergence;
import dev.kedge.objective.divergence.BarrierDivergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.preference.Dpo;
import dev.kedge.objective.preference.FDpo;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TabularTrainingTest {
    private static final TabularTraining LONG = new TabularTraining(1500, 0.05);
    private static final TabularTraining SHORT = new TabularTraining(20, 0.1);

    static Stream<BarrierDivergence> divergences() {
        return Stream.of(new ReverseKl(), new ForwardKl(), new JensenShannon(), new AlphaDivergence(0.4));
    }

    /// The theorem of f-DPO: on the population of Bradley-Terry's labels its minimum is the regularised optimum.
    @ParameterizedTest
    @MethodSource("divergences")
    void onThePopulationFDpoComesToTheExactOptimum(BarrierDivergence divergence) {
        double beta = 0.7;
        double[][] trained = LONG.onPairs(
                Population.TASK, Population.pairs(), (lp, pairs) -> FDpo.fDpo(lp, divergence, beta, pairs));
        double[] optimum = Population.TASK.optimum(divergence, beta)[0];
        for (int y = 0; y < optimum.length; y++) {
            assertEquals(Math.exp(optimum[y]), Math.exp(trained[0][y]), 1e-4, "outcome " + y);
        }
    }

    @Test
    void theResultIsNormalisedAndTheSameEveryTime() {
        var task = Bandit.random(3, 7, 1);
        var pairs = task.pairs(90, 1);
        double[][] first = SHORT.onPairs(task, pairs, (lp, count) -> Dpo.dpo(lp, 0.5, count));
        double[][] second = SHORT.onPairs(task, pairs, (lp, count) -> Dpo.dpo(lp, 0.5, count));
        assertEquals(3, first.length);
        for (int x = 0; x < 3; x++) {
            assertArrayEquals(first[x], second[x]);
            assertEquals(1, Arrays.stream(first[x]).map(Math::exp).sum(), 1e-12);
        }
    }

    /// Contexts share nothing: pairs of one do not move the others.
    @Test
    void pairsMoveTheirContextOnly() {
        var task = Bandit.random(2, 5, 1);
        var pairs = new Bandit.Pairs(new long[] {7}, new long[] {9}); // outcomes 2 and 4 of the second context
        double[][] trained = SHORT.onPairs(task, pairs, (lp, count) -> Dpo.dpo(lp, 0.5, count));
        assertArrayEquals(task.logRef()[0], trained[0], 1e-12);
        assertTrue(trained[1][2] > task.logRef()[1][2] + 0.1);
        assertTrue(trained[1][4] < task.logRef()[1][4] - 0.1);
    }

    @Test
    void stepsAreCountedFromZero() {
        List<Integer> steps = new ArrayList<>();
        SHORT.train(new double[][] {{0, -1}}, (logProbs, step) -> {
            steps.add(step);
            return logProbs.sum();
        });
        assertEquals(IntStream.range(0, 20).boxed().toList(), steps);
    }

    /// Adam's first steps have the learning rate's size whatever the gradient; the sum of the rates, 20·0.1/2 and half
    /// a step, bounds how far a logit goes.
    @Test
    void theLearningRateFallsToZero() {
        double[][] trained = SHORT.train(
                new double[][] {{0, 0}}, (logProbs, _) -> logProbs.select(1, 0).sum());
        double moved = trained[0][1] - trained[0][0];
        assertEquals(2 * 1.05, moved, 0.05);
    }

    @Test
    void whereALossIsNotFiniteThePolicyIsNaN() {
        double[][] policy = SHORT.train(new double[][] {{0, -1}, {0, 0}}, (logProbs, step) -> logProbs.sum()
                .div(step < 3 ? 1 : 0));
        assertTrue(Arrays.stream(policy).flatMapToDouble(Arrays::stream).allMatch(Double::isNaN));
        assertEquals(2, policy.length);
    }

    @Test
    void nothingStaysInNativeMemory() {
        long before = Scope.liveTensors();
        var task = Bandit.random(3, 7, 1);
        SHORT.onPairs(task, task.pairs(90, 1), (lp, count) -> Dpo.dpo(lp, 0.5, count));
        SHORT.train(task.logRef(), (_, _) -> Tensor.scalarOf(Double.NaN));
        assertEquals(before, Scope.liveTensors());
    }
}

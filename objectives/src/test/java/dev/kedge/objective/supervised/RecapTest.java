package dev.kedge.objective.supervised;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.InScope;
import dev.kedge.objective.supervised.Recap.Decision;
import dev.kedge.objective.supervised.Recap.Rule;
import dev.kedge.objective.supervised.Recap.Statistics;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(InScope.class)
class RecapTest {
    private static final double[] STEADY = {1, 1, 1, 1};
    private static final double[] FALLING = {0.8, 0.6, 0.5, 0.3};

    private static double[] weights(double temperature, double[]... histories) {
        return Recap.weights(
                Arrays.stream(histories)
                        .mapToDouble(h -> Statistics.of(h, 0).priority())
                        .toArray(),
                temperature);
    }

    @Test
    void workedExampleOfLosses() {
        Statistics steady = Statistics.of(STEADY, 0);
        assertEquals(new Statistics(1, 1, 0, 1, 0), steady);
        Statistics falling = Statistics.of(FALLING, 0);
        assertEquals(0.4, falling.mean(), 1e-15);
        assertEquals(0.7, falling.previousMean(), 1e-15);
        assertEquals(0.1, falling.deviation(), 1e-15);
        assertEquals(0.57142857, falling.convergence(), 5e-9);
        assertEquals(0.09090909, falling.instability(), 5e-9);
        assertEquals(0.66233766, falling.priority(), 5e-9);
        Tensor single = Tensor.of(1.0, 0.3).to(DType.FLOAT32);
        assertEquals(DType.FLOAT32, Recap.recap(single, 1, 1).value().dtype());
        double[] lambda = weights(5, STEADY, FALLING);
        assertArrayEquals(new double[] {1.03375341, 0.96624659}, lambda, 5e-9);
        assertEquals(
                0.66181369, Recap.recap(Tensor.of(1.0, 0.3), lambda).value().item(), 5e-9);
        assertArrayEquals(new double[] {1.32538883, 0.67461117}, weights(0.5, STEADY, FALLING), 5e-9);
    }

    @Test
    void workedExampleOfRewards() {
        Statistics format = Statistics.of(new double[] {0.5, 0.7, 0.9, 0.95}, 0);
        Statistics accuracy = Statistics.of(new double[] {0.1, 0.2, 0.15, 0.3}, 0);
        assertEquals(1.54166667, format.convergence(), 5e-9);
        assertEquals(0.01639344, format.instability(), 5e-9);
        assertEquals(1.5, accuracy.convergence(), 1e-14);
        assertEquals(0.2, accuracy.instability(), 1e-14);
        double[] lambda = Recap.weights(new double[] {format.priority(), accuracy.priority()}, 5);
        assertArrayEquals(new double[] {0.98580696, 1.01419304}, lambda, 5e-9);
    }

    @Test
    void aSampleDeviationDividesByOneLess() {
        Statistics of = Statistics.of(new double[] {9, 9, 9, 1, 2, 6}, 0);
        Statistics sample = Statistics.ofSample(new double[] {9, 9, 9, 1, 2, 6}, 0);
        assertEquals(Math.sqrt(14 / 3.0), of.deviation(), 1e-15);
        assertEquals(Math.sqrt(14 / 2.0), sample.deviation(), 1e-15);
        assertEquals(sample.deviation() / 12, sample.instability(), 1e-15);
    }

    @Test
    void equalHistoriesHaveWeightsOfExactlyOne() {
        assertArrayEquals(new double[] {1, 1, 1}, weights(5, FALLING, FALLING, FALLING));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.2, 1, 5})
    void weightsAddUpToTheirNumberAndForgetAConstant(double temperature) {
        double[] s = new Random(3).doubles(7, -2, 4).toArray();
        double[] lambda = Recap.weights(s, temperature);
        assertEquals(7, Arrays.stream(lambda).sum(), 1e-14);
        double[] moved = Arrays.stream(s).map(x -> x + 12.5).toArray();
        assertArrayEquals(lambda, Recap.weights(moved, temperature), 1e-13);
        assertEquals(Math.exp((s[0] - s[1]) / temperature), lambda[0] / lambda[1], 1e-10 * lambda[0] / lambda[1]);
    }

    @Test
    void aHighTemperatureMakesAllWeightsOneAndPrioritiesDoNotOverflow() {
        assertArrayEquals(new double[] {1, 1, 1}, Recap.weights(new double[] {0.5, 3, 1}, 1e9), 1e-8);
        assertArrayEquals(new double[] {0, 2}, Recap.weights(new double[] {-1e5, 1e5}, 1));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.25, 1024, -1, -8})
    void scalingAHistoryByAnyFactorButZeroChangesNothing(double factor) {
        double[] scaled = Arrays.stream(FALLING).map(x -> x * factor).toArray();
        Statistics plain = Statistics.of(FALLING, 0);
        Statistics other = Statistics.of(scaled, 0);
        assertEquals(plain.convergence(), other.convergence(), 1e-15);
        assertEquals(plain.instability(), other.instability(), 1e-15);
    }

    @Test
    void theGuardStandsInForSmallDenominatorsAndKeepsTheirSign() {
        Statistics zero = Statistics.of(new double[4], 1e-8);
        assertEquals(new Statistics(0, 0, 0, 0, 0), zero);
        assertEquals(-4, Statistics.of(new double[] {-0.1, 2}, 0.5).convergence());
        assertEquals(0.5, Statistics.of(new double[] {-0.1, -2}, 4).convergence());
        assertEquals(4, Statistics.of(new double[] {0.1, 2}, 0.5).convergence());
        assertEquals(4, Statistics.of(new double[] {0, 2}, 0.5).convergence());
        assertEquals(4, Statistics.of(new double[] {0.5, 2}, 0.5).convergence());
        // mean + previousMean = -0.2: its guard is -0.5, its magnitude 0.5
        assertEquals(2, Statistics.of(new double[] {-1.1, -1.1, 2, 0}, 0.5).instability(), 1e-15);
    }

    @Test
    void theGradientOfALossIsItsWeightByTheirNumber() {
        Tensor losses = Tensor.of(0.7, 0.4, 1.1).requiresGrad();
        Recap.recap(losses, 1.5, 0.25, 1.25).value().backward();
        assertArrayEquals(new double[] {0.5, 0.25 / 3, 1.25 / 3}, losses.grad().toDoubles(), 1e-15);
    }

    private static final Rule RULE = new Rule(2, 5, 1e-8, 10);

    private static SequencedMap<String, Double> signals(double steady, double falling) {
        var signals = new LinkedHashMap<String, Double>();
        signals.put("steady", steady);
        signals.put("falling", falling);
        return signals;
    }

    @Test
    void weightsAreOneUntilBothWindowsAreFull() {
        Map<String, List<Double>> history = Map.of();
        for (int step = 0; step < 4; step++) {
            Decision decision = RULE.after(history, signals(STEADY[step], FALLING[step]));
            history = decision.history();
            double[] expected = step < 3 ? new double[] {1, 1} : weights(5, STEADY, FALLING);
            assertArrayEquals(expected, values(decision), 1e-15);
            assertEquals(
                    List.of("steady", "falling"), List.copyOf(decision.weights().keySet()));
        }
    }

    private static double[] values(Decision decision) {
        return decision.weights().values().stream()
                .mapToDouble(Double::doubleValue)
                .toArray();
    }

    @Test
    void onlyTheLatestSignalsCount() {
        Map<String, List<Double>> history = Map.of();
        for (double old : new double[] {7, -3, 100}) {
            history = RULE.after(history, signals(old, old)).history();
        }
        for (int step = 0; step < 3; step++) {
            history = RULE.after(history, signals(STEADY[step], FALLING[step])).history();
        }
        Decision last = RULE.after(history, signals(STEADY[3], FALLING[3]));
        assertArrayEquals(weights(5, STEADY, FALLING), values(last), 1e-15);
        assertEquals(List.of(0.8, 0.6, 0.5, 0.3), last.history().get("falling"));
    }

    @Test
    void whoIsAbsentKeepsItsHistoryAndHasNoWeight() {
        Map<String, List<Double>> history = Map.of();
        for (int step = 0; step < 4; step++) {
            history = RULE.after(history, signals(STEADY[step], FALLING[step])).history();
        }
        var alone = new LinkedHashMap<String, Double>();
        alone.put("steady", 1.0);
        Decision decision = RULE.after(history, alone);
        assertEquals(Map.of("steady", 1.0), decision.weights());
        assertEquals(history.get("falling"), decision.history().get("falling"));
        assertArrayEquals(
                weights(5, STEADY, new double[] {0.6, 0.5, 0.3, 0.2}),
                values(RULE.after(decision.history(), signals(1, 0.2))),
                1e-15);
    }

    @Test
    void aNewcomerMakesAllWaitUntilItIsKnown() {
        Map<String, List<Double>> history = Map.of("steady", List.of(1.0, 1.0, 1.0));
        assertArrayEquals(new double[] {1, 1}, values(RULE.after(history, signals(2, 0.8))));
    }

    @Test
    void oneExplodingRatioDoesNotTakeAllTheWeight() {
        Map<String, List<Double>> history =
                Map.of("steady", List.of(1.0, 1.0, 1.0), "falling", List.of(1e-7, 0.0, 1.0));
        double[] lambda = values(RULE.after(history, signals(1, 1)));
        assertEquals(Math.exp((10 - 1) / 5.0), lambda[1] / lambda[0], 1e-12);
        history = Map.of("steady", List.of(1.0, 1.0, 1.0), "falling", List.of(-1.0, -1.0, 4.0));
        lambda = values(RULE.after(history, signals(1, 4)));
        assertEquals(Math.exp((0 - 1) / 5.0), lambda[1] / lambda[0], 1e-15);
    }

    /// Signals of surrogates that vanish, as when all rewards of every group are equal.
    @Test
    void signalsOfZeroStayFinite() {
        Map<String, List<Double>> history = Map.of("steady", List.of(0.0, 0.0, 0.0), "falling", List.of(0.0, 0.0, 0.0));
        assertArrayEquals(new double[] {1, 1}, values(RULE.after(history, signals(0, 0))));
    }

    @Test
    void whatItReturnsCannotBeChangedAndWhatItIsGivenIsNot() {
        var history = new LinkedHashMap<String, List<Double>>();
        history.put("steady", new ArrayList<>(List.of(1.0)));
        Decision decision = RULE.after(history, signals(2, 3));
        assertEquals(Map.of("steady", List.of(1.0)), history);
        assertEquals(Map.of("steady", List.of(1.0, 2.0), "falling", List.of(3.0)), decision.history());
        assertThrows(
                UnsupportedOperationException.class, () -> decision.history().clear());
        assertThrows(
                UnsupportedOperationException.class, () -> decision.weights().clear());
    }

    @Test
    void badNumbersAreRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> Statistics.of(new double[3], 0));
        assertEquals("signals fill two windows of 1 or more steps each, were 3", e.getMessage());
        refused("signals fill two windows of", () -> Statistics.of(new double[0], 0));
        e = assertThrows(IllegalArgumentException.class, () -> Statistics.ofSample(new double[2], 0));
        assertEquals("signals fill two windows of 2 or more steps each, were 2", e.getMessage());
        refused("guard", () -> Statistics.of(STEADY, -1));
        e = assertThrows(IllegalArgumentException.class, () -> Recap.weights(new double[] {1, Double.NaN}, 5));
        assertEquals("priorities must be one or more finite numbers, were [1.0, NaN]", e.getMessage());
        refused("priorities", () -> Recap.weights(new double[0], 5));
        refused("temperature", () -> Recap.weights(STEADY, 0));
        e = assertThrows(IllegalArgumentException.class, () -> Recap.recap(Tensor.of(1, 2), 1, 1, 1));
        assertEquals("weights must have the shape of losses, [2], was [3]", e.getMessage());
        refused("losses", () -> Recap.recap(Tensor.scalarOf(1), 1));
    }

    @Test
    void aWindowOfOneComparesTwoSteps() {
        var rule = new Rule(1, 5, 1e-8, 10);
        Decision first = rule.after(Map.of(), signals(1, 2));
        assertArrayEquals(new double[] {1, 1}, values(first));
        double[] expected = Recap.weights(new double[] {1, 0.5}, 5);
        assertArrayEquals(expected, values(rule.after(first.history(), signals(1, 1))), 1e-15);
    }

    @Test
    void badRulesAndSignalsAreRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> new Rule(0, 5, 1e-8, 10));
        assertEquals("window must be >= 1, was 0", e.getMessage());
        refused("temperature", () -> new Rule(2, -5, 1e-8, 10));
        refused("guard", () -> new Rule(2, 5, 0, 10));
        refused("maxConvergence", () -> new Rule(2, 5, 1e-8, 0));
        e = assertThrows(IllegalArgumentException.class, () -> RULE.after(Map.of(), signals(1, Double.NaN)));
        assertEquals("signal of falling must be finite, was NaN", e.getMessage());
        refused("priorities", () -> RULE.after(Map.of(), new LinkedHashMap<>()));
    }
}

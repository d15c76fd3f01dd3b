package dev.kedge.objective.occupancy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.env.mdp.DifferentiableOccupancy;
import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.divergence.ChiSquared;
import dev.kedge.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class DifferentiableOccupancyTest {
    private static final int S = 4;
    private static final int A = 3;
    private static final double GAMMA = 0.9;

    private static Tensor transitions(long seed) {
        return Tensor.of(new Random(seed).doubles(S * A * S, -2, 2).toArray(), S, A, S)
                .softmax(2);
    }

    private static Tensor policy(long seed) {
        return Tensor.of(new Random(seed).doubles(S * A, -2, 2).toArray(), S, A).softmax(1);
    }

    @Test
    void isTheDiscountedSumOfVisits() {
        double[] p = transitions(1).toDoubles();
        double[] pi = policy(2).toDoubles();
        double[] state = {0.5, 0, 0.3, 0.2};
        double[] expected = new double[S * A];
        double weight = 1 - GAMMA;
        for (int t = 0; t < 400; t++, weight *= GAMMA) { // what is left out weighs 0.9^400
            double[] next = new double[S];
            for (int sa = 0; sa < S * A; sa++) {
                double chance = state[sa / A] * pi[sa];
                expected[sa] += weight * chance;
                for (int to = 0; to < S; to++) {
                    next[to] += chance * p[sa * S + to];
                }
            }
            state = next;
        }
        Tensor measure = DifferentiableOccupancy.measure(transitions(1), Tensor.of(0.5, 0, 0.3, 0.2), policy(2), GAMMA);
        assertArrayEquals(expected, measure.toDoubles(), 1e-14);
        assertEquals(1, measure.sum().item(), 1e-14);
    }

    @Test
    void withoutDiscountOnlyTheFirstStepCounts() {
        Tensor start = Tensor.of(0.5, 0, 0.3, 0.2);
        assertArrayEquals(
                policy(2).times(start.unsqueeze(1)).toDoubles(),
                DifferentiableOccupancy.measure(transitions(1), start, policy(2), 0)
                        .toDoubles(),
                1e-15);
    }

    @Test
    void gradientsOfReturnsAndDivergencesEqualCentralDifferences() {
        Tensor start = Tensor.of(0.5, 0, 0.3, 0.2);
        Tensor reward = Tensor.of(new Random(3).doubles(S * A).toArray(), S, A);
        Tensor reference = DifferentiableOccupancy.measure(transitions(1), start, policy(2), GAMMA);
        CentralDifferences.assertGradient(
                new Random(4).doubles(S * A).toArray(),
                logits -> {
                    Tensor measure = DifferentiableOccupancy.measure(transitions(1), start, logits.softmax(1), GAMMA);
                    return DifferentiableOccupancy.expected(measure, reward)
                            .plus(DifferentiableOccupancy.chiSquared(measure.reshape(-1), reference.reshape(-1)));
                },
                1e-9,
                S,
                A);
    }

    @Test
    void chiSquaredOfDistributionsIsTheDivergence() {
        Tensor p = policy(5);
        Tensor q = policy(6);
        assertArrayEquals(
                new ChiSquared().categorical(p.log(), q.log()).toDoubles(),
                DifferentiableOccupancy.chiSquared(p, q).toDoubles(),
                1e-13);
    }

    @Test
    void whatNeitherVisitsCountsNothing() {
        Tensor measure = Tensor.of(0, 0, 0.5, 0.5).requiresGrad();
        Tensor chi = DifferentiableOccupancy.chiSquared(measure, Tensor.of(0, 0.2, 0.4, 0.4));
        chi.backward();
        assertEquals(0.25, chi.item(), 1e-15);
        assertArrayEquals(new double[] {0, -2, 0.5, 0.5}, measure.grad().toDoubles(), 1e-15);
        double impossible = DifferentiableOccupancy.chiSquared(Tensor.of(0.5, 0.5), Tensor.of(0, 1))
                .item();
        assertEquals(Double.POSITIVE_INFINITY, impossible);
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor start = Tensor.of(1, 0, 0, 0);
        assertThrows(
                IllegalArgumentException.class,
                () -> DifferentiableOccupancy.measure(transitions(1), start, policy(2), 1));
        assertThrows(
                IllegalArgumentException.class,
                () -> DifferentiableOccupancy.measure(transitions(1), Tensor.of(1, 0), policy(2), 0.5));
        assertThrows(
                IllegalArgumentException.class,
                () -> DifferentiableOccupancy.measure(transitions(1).select(0, 0), start, policy(2), 0.5));
        assertThrows(IllegalArgumentException.class, () -> DifferentiableOccupancy.chiSquared(start, policy(2)));
    }
}

package dev.kedge.env.mdp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.env.mdp.Penalty.Divergence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class OccupancyAscentTest {
    private static final Mdp MDP = Garnet.mdp(6, 3, 3, 0.9, 5);

    private static List<Penalty> all() {
        List<Penalty> all = new ArrayList<>(List.of(new Penalty.None()));
        for (var divergence : Divergence.values()) {
            all.add(new Penalty.Actions(divergence));
            all.add(new Penalty.States(divergence));
            all.add(new Penalty.Occupancies(divergence));
        }
        return all;
    }

    /// What is climbed, by its definition.
    private static double objective(Mdp mdp, MdpPolicy policy, MdpPolicy ref, Penalty penalty, double coefficient) {
        Occupancy here = Occupancy.discounted(mdp, policy, 1e-13);
        Occupancy there = Occupancy.discounted(mdp, ref, 1e-13);
        double paid =
                switch (penalty) {
                    case Penalty.None _ -> 0;
                    case Penalty.Actions(var divergence) -> {
                        double sum = 0;
                        for (int s = 0; s < mdp.states(); s++) {
                            sum += here.states()[s] * divergence.of(policy.probabilities()[s], ref.probabilities()[s]);
                        }
                        yield sum;
                    }
                    case Penalty.States(var divergence) -> divergence.of(here.states(), there.states());
                    case Penalty.Occupancies(var divergence) ->
                        switch (divergence) {
                            case KL -> here.kl(there);
                            case CHI_SQUARED -> here.chiSquared(there);
                            case ROOT_CHI_SQUARED -> Math.sqrt(here.chiSquared(there));
                        };
                };
        return here.expectation(mdp.reward()) - coefficient * paid;
    }

    /// Away from the reference, where every penalty has a slope: the gradient is that of central differences.
    @Test
    void gradientsAreThoseOfTheObjective() {
        MdpPolicy ref =
                MdpPolicy.uniform(6, 3).mixedWith(MdpPolicy.deterministic(new int[] {0, 1, 2, 0, 1, 2}, 3), 0.3);
        for (Penalty penalty : all()) {
            var ascent = new OccupancyAscent(MDP, ref, penalty, 0.7, 1e-13);
            ascent.climb(4, 0.2);
            double[][] gradient = ascent.gradient();
            double[][] logits = ascent.policy().logProbs();
            double step = 1e-5;
            for (int s = 0; s < 6; s++) {
                for (int a = 0; a < 3; a++) {
                    double[][] up = moved(logits, s, a, step);
                    double[][] down = moved(logits, s, a, -step);
                    double expected = (objective(MDP, MdpPolicy.softmax(up), ref, penalty, 0.7)
                                    - objective(MDP, MdpPolicy.softmax(down), ref, penalty, 0.7))
                            / (2 * step);
                    assertEquals(expected, gradient[s][a], 1e-8, penalty + " at " + s + ", " + a);
                }
            }
        }
    }

    private static double[][] moved(double[][] logits, int s, int a, double by) {
        double[][] moved = Arrays.stream(logits).map(double[]::clone).toArray(double[][]::new);
        moved[s][a] += by;
        return moved;
    }

    /// The optimum of χ² in a bandit is in closed form: ref·(1 + (r - E r)/(2·coefficient)).
    @Test
    void aBanditUnderChiSquared() {
        Mdp bandit = Mdp.bandit(0, 1, 2);
        MdpPolicy ref = MdpPolicy.of(new double[][] {{0.7, 0.2, 0.1}});
        double[] expected = {0.63, 0.23, 0.14};
        for (Penalty penalty :
                List.of(new Penalty.Occupancies(Divergence.CHI_SQUARED), new Penalty.Actions(Divergence.CHI_SQUARED))) {
            var ascent = new OccupancyAscent(bandit, ref, penalty, 2, 1e-10);
            ascent.climb(2000, 0.05);
            for (int a = 0; a < 3; a++) {
                assertEquals(expected[a], ascent.policy().probability(0, a), 1e-4);
            }
        }
    }

    /// Penalties of actions have optima that planning knows.
    @Test
    void actionsAsPlanningHasThem() {
        MdpPolicy ref = MdpPolicy.uniform(6, 3);
        var ascent = new OccupancyAscent(MDP, ref, new Penalty.Actions(Divergence.KL), 0.3, 1e-9);
        ascent.climb(2000, 0.1);
        MdpPolicy best =
                ValueIteration.optimal(MDP, ref, new Regularizer.Kl(0.3), 1e-10).policy();
        for (int s = 0; s < 6; s++) {
            for (int a = 0; a < 3; a++) {
                assertEquals(best.probability(s, a), ascent.policy().probability(s, a), 1e-3);
            }
        }
    }

    /// Where the root's coefficient is large nothing is worth leaving the reference for; none leads to the optimum.
    @Test
    void fromTheReferenceToTheOptimum() {
        MdpPolicy ref = MdpPolicy.uniform(6, 3);
        var held = new OccupancyAscent(MDP, ref, new Penalty.Occupancies(Divergence.ROOT_CHI_SQUARED), 50, 1e-7);
        held.climb(300, 0.05);
        assertEquals(0, Occupancy.discounted(MDP, held.policy(), 1e-9).kl(Occupancy.discounted(MDP, ref, 1e-9)), 1e-4);
        var free = new OccupancyAscent(MDP, ref, new Penalty.None(), 0, 1e-7);
        free.climb(600, 0.1);
        double best = MDP.normalisedReturn(ValueIteration.optimal(MDP, 1e-9).values());
        double reached = Occupancy.discounted(MDP, free.policy(), 1e-9).expectation(MDP.reward());
        assertTrue(reached <= best + 1e-9 && reached > best - 1e-3, reached + " of " + best);
    }

    @Test
    void divergencesByTheirDefinitions() {
        double[] p = {0.2, 0.3, 0.5};
        double[] q = {0.7, 0.2, 0.1};
        assertEquals(2.00714286, Divergence.CHI_SQUARED.of(p, q), 1e-8);
        assertEquals(Math.sqrt(2.00714286), Divergence.ROOT_CHI_SQUARED.of(p, q), 1e-8);
        assertEquals(
                0.2 * Math.log(0.2 / 0.7) + 0.3 * Math.log(1.5) + 0.5 * Math.log(5), Divergence.KL.of(p, q), 1e-12);
        assertEquals(0, Divergence.KL.of(q, q) + Divergence.CHI_SQUARED.of(q, q), 1e-15);
    }

    @Test
    void whatCannotBeClimbed() {
        MdpPolicy ref = MdpPolicy.uniform(6, 3);
        assertEquals(
                "coefficient must be finite and >= 0, was -1.0",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> new OccupancyAscent(MDP, ref, new Penalty.None(), -1, 1e-6))
                        .getMessage());
        MdpPolicy never = MdpPolicy.deterministic(new int[6], 3);
        assertEquals(
                "state 0, action 1: the reference must take every action, was 0.0",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> new OccupancyAscent(MDP, never, new Penalty.None(), 0, 1e-6))
                        .getMessage());
    }
}

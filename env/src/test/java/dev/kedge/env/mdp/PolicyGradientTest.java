package dev.kedge.env.mdp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

class PolicyGradientTest {
    private static final double STEP = 1e-4;
    private static final double NEAR = 1e-13;
    private static final Regularizer[] ALL = {
        new Regularizer.None(), new Regularizer.Kl(0.3), new Regularizer.ChiSquared(0.3)
    };

    private static void assertCentralDifferences(
            MdpPolicy policy, double[][] gradient, ToDoubleFunction<MdpPolicy> objective) {
        for (int s = 0; s < policy.states(); s++) {
            for (int a = 0; a < policy.actions(); a++) {
                // Of fourth order: what is left is 1e-13 rounded values over the step.
                double difference = (8
                                        * (objective.applyAsDouble(moved(policy, s, a, STEP))
                                                - objective.applyAsDouble(moved(policy, s, a, -STEP)))
                                - objective.applyAsDouble(moved(policy, s, a, 2 * STEP))
                                + objective.applyAsDouble(moved(policy, s, a, -2 * STEP)))
                        / (12 * STEP);
                assertEquals(difference, gradient[s][a], 1e-9, Transitions.at(s, a));
            }
        }
    }

    private static MdpPolicy moved(MdpPolicy policy, int s, int a, double by) {
        double[][] logits =
                Arrays.stream(policy.logProbs()).map(double[]::clone).toArray(double[][]::new);
        logits[s][a] += by;
        return MdpPolicy.softmax(logits);
    }

    @Test
    void discountedReturns() {
        Mdp mdp = Garnet.mdp(5, 3, 2, 0.7, 1);
        MdpPolicy policy = Garnet.policy(5, 3, 2);
        MdpPolicy ref = Garnet.policy(5, 3, 3);
        for (Regularizer regularizer : ALL) {
            assertCentralDifferences(
                    policy,
                    PolicyGradient.discounted(mdp, policy, ref, regularizer, NEAR),
                    moved -> mdp.normalisedReturn(ValueIteration.evaluate(mdp, moved, ref, regularizer, NEAR)
                            .values()));
        }
    }

    @Test
    void returnsOfStages() {
        FiniteHorizonMdp mdp = BackwardInductionTest.random(3, 3, 2, 4);
        List<MdpPolicy> policies = BackwardInductionTest.policies(mdp, 5);
        List<MdpPolicy> ref = BackwardInductionTest.policies(mdp, 50);
        for (Regularizer regularizer : ALL) {
            List<double[][]> gradient = PolicyGradient.perStage(mdp, policies, ref, regularizer);
            for (int h = 0; h < 3; h++) {
                int stage = h;
                assertCentralDifferences(policies.get(h), gradient.get(h), moved -> {
                    List<MdpPolicy> others = new ArrayList<>(policies);
                    others.set(stage, moved);
                    return mdp.expectedReturn(BackwardInduction.evaluate(mdp, others, ref, regularizer)
                            .values()[0]);
                });
            }
        }
    }

    @Test
    void nothingIsLeftAtTheOptimum() {
        Mdp mdp = Garnet.mdp(6, 3, 3, 0.9, 6);
        MdpPolicy ref = Garnet.policy(6, 3, 7);
        var kl = new Regularizer.Kl(0.5);
        MdpPolicy best = ValueIteration.optimal(mdp, ref, kl, 1e-12).policy();
        for (double[] row : PolicyGradient.discounted(mdp, best, ref, kl, 1e-12)) {
            for (double slope : row) {
                assertEquals(0, slope, 1e-11);
            }
        }
    }

    /// `J - strength·sqrt(χ²(μ_π||μ_ref))` and KL: the gradient of the linear return under rewards less the derivative.
    @Test
    void divergencesOfOccupancies() {
        Mdp mdp = Garnet.mdp(5, 2, 2, 0.7, 8);
        MdpPolicy policy = Garnet.policy(5, 2, 9);
        Occupancy ref = Occupancy.discounted(mdp, Garnet.policy(5, 2, 10), NEAR);
        Occupancy occupancy = Occupancy.discounted(mdp, policy, NEAR);
        double root = Math.sqrt(occupancy.chiSquared(ref));
        double[][] underChiSquared = new double[5][2];
        double[][] underKl = new double[5][2];
        for (int s = 0; s < 5; s++) {
            for (int a = 0; a < 2; a++) {
                double ratio = occupancy.mass()[s][a] / ref.mass()[s][a];
                underChiSquared[s][a] = mdp.reward()[s][a] - 0.4 * ratio / root;
                underKl[s][a] = mdp.reward()[s][a] - 0.4 * (Math.log(ratio) + 1);
            }
        }
        assertCentralDifferences(policy, plain(mdp.withReward(underChiSquared), policy), moved -> {
            Occupancy there = Occupancy.discounted(mdp, moved, NEAR);
            return there.expectation(mdp.reward()) - 0.4 * Math.sqrt(there.chiSquared(ref));
        });
        assertCentralDifferences(policy, plain(mdp.withReward(underKl), policy), moved -> {
            Occupancy there = Occupancy.discounted(mdp, moved, NEAR);
            return there.expectation(mdp.reward()) - 0.4 * there.kl(ref);
        });
    }

    private static double[][] plain(Mdp mdp, MdpPolicy policy) {
        return PolicyGradient.discounted(mdp, policy, policy, new Regularizer.None(), NEAR);
    }
}

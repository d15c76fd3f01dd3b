package dev.kedge.objective.variational;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.RegularizedOptimum;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class EvidenceBoundTest {
    private static final double BETA = 0.5;
    private static final double[] REWARD = {0, 1, 2};
    private static final double[] LOG_PRIOR = {Math.log(0.5), Math.log(0.3), Math.log(0.2)};
    private static final double[] LOG_POLICY = {Math.log(0.2), Math.log(0.3), Math.log(0.5)};

    private static Tensor posterior(double beta) {
        return EvidenceBound.logPosterior(Tensor.of(LOG_PRIOR), Tensor.of(REWARD), beta);
    }

    private static double objective(Tensor logPolicy) {
        return EvidenceBound.objective(logPolicy, Tensor.of(LOG_PRIOR), Tensor.of(REWARD), BETA)
                .item();
    }

    @Test
    void workedByHand() {
        double e2 = Math.exp(2);
        double z = 0.5 + 0.3 * e2 + 0.2 * e2 * e2;
        assertArrayEquals(
                new double[] {0.5 / z, 0.3 * e2 / z, 0.2 * e2 * e2 / z},
                posterior(BETA).exp().toDoubles(),
                1e-15);
        assertEquals(2.61273879, Math.log(z), 5e-9); // the numbers of the worked example, as printed
        assertEquals(1.16255639, objective(Tensor.of(LOG_POLICY)), 5e-9);
        assertEquals(
                0.28762601,
                new ReverseKl()
                        .categorical(Tensor.of(LOG_POLICY), posterior(BETA))
                        .item(),
                5e-9);
        assertEquals(
                0.21533120,
                new ForwardKl()
                        .categorical(Tensor.of(LOG_POLICY), posterior(BETA))
                        .item(),
                5e-9);
    }

    @Test
    void theObjectiveIsTheEvidenceLessTheDivergenceFromThePosterior() {
        var random = new Random(3);
        for (int i = 0; i < 20; i++) {
            Tensor policy = logSoftmax(random);
            Tensor prior = logSoftmax(random);
            Tensor reward = Tensor.of(random.doubles(6, -3, 3).toArray());
            double beta = 0.1 + 2 * random.nextDouble();
            double logZ = EvidenceBound.logEvidence(prior, reward, beta).item();
            double kl = new ReverseKl()
                    .categorical(policy, EvidenceBound.logPosterior(prior, reward, beta))
                    .item();
            assertEquals(
                    beta * (logZ - kl),
                    EvidenceBound.objective(policy, prior, reward, beta).item(),
                    1e-12,
                    "draw " + i);
        }
    }

    private static Tensor logSoftmax(Random random) {
        return Tensor.of(random.doubles(6, -2, 2).toArray()).logSoftmax(0);
    }

    @Test
    void itsGradientIsThatOfTheRewardWithPenaltyAndVanishesAtThePosterior() {
        double[] gradient = gradientInLogits(LOG_POLICY);
        double j = objective(Tensor.of(LOG_POLICY));
        double[] shaped = EvidenceBound.rewardWithPenalty(
                        Tensor.of(LOG_POLICY), Tensor.of(LOG_PRIOR), Tensor.of(REWARD), BETA)
                .toDoubles();
        for (int y = 0; y < 3; y++) {
            assertEquals(Math.exp(LOG_POLICY[y]) * (shaped[y] - j), gradient[y], 1e-14);
        }
        assertArrayEquals(new double[] {-0.14088220, -0.04876692, 0.18964912}, gradient, 5e-9);
        assertArrayEquals(new double[3], gradientInLogits(posterior(BETA).toDoubles()), 1e-14);
    }

    private static double[] gradientInLogits(double[] logits) {
        Tensor leaf = Tensor.of(logits).requiresGrad();
        EvidenceBound.objective(leaf.logSoftmax(0), Tensor.of(LOG_PRIOR), Tensor.of(REWARD), BETA)
                .backward();
        return leaf.grad().toDoubles();
    }

    @Test
    void itsLimitsAreThePriorAndTheBestOutcome() {
        assertArrayEquals(
                Tensor.of(LOG_PRIOR).exp().toDoubles(), posterior(1e9).exp().toDoubles(), 1e-8);
        assertArrayEquals(new double[] {0, 0, 1}, posterior(1e-3).exp().toDoubles(), 1e-15);
        double[] shifted = EvidenceBound.logPosterior(
                        Tensor.of(LOG_PRIOR), Tensor.of(REWARD).plus(7), BETA)
                .toDoubles();
        assertArrayEquals(posterior(BETA).toDoubles(), shifted, 1e-13);
    }

    @Test
    void thePosteriorIsTheRegularizedOptimum() {
        assertArrayEquals(
                RegularizedOptimum.optimalPolicy(new ReverseKl(), LOG_PRIOR, REWARD, BETA),
                posterior(BETA).exp().toDoubles(),
                1e-15);
    }

    @Test
    void outcomesWithoutMassCountNothing() {
        Tensor policy = Tensor.of(Double.NEGATIVE_INFINITY, Math.log(0.4), Math.log(0.6));
        double[] priors = {Double.NEGATIVE_INFINITY, Math.log(0.5), Math.log(0.5)};
        double expected = 0.4 + 2 * 0.6 - BETA * (0.4 * Math.log(0.8) + 0.6 * Math.log(1.2));
        assertEquals(
                expected,
                EvidenceBound.objective(policy, Tensor.of(priors), Tensor.of(REWARD), BETA)
                        .item(),
                1e-14);
        assertArrayEquals(
                new double[] {0, 1 / (1 + Math.exp(2)), 1 / (1 + Math.exp(-2))},
                EvidenceBound.logPosterior(Tensor.of(priors), Tensor.of(REWARD), BETA)
                        .exp()
                        .toDoubles(),
                1e-15);
    }

    @Test
    void theLossIsThisPartsShareOfTheStep() {
        double[] prior = {LOG_PRIOR[0], LOG_PRIOR[1], LOG_PRIOR[2], LOG_POLICY[0], LOG_POLICY[1], LOG_POLICY[2]};
        double[] rewards = {0, 1, 2, 1, -1, 0.5};
        CentralDifferences.assertGradient(
                new double[] {0.3, -0.2, 0.1, 1, 0, -1},
                logits -> EvidenceBound.loss(
                                logits.logSoftmax(1), Tensor.of(prior, 2, 3), Tensor.of(rewards, 2, 3), BETA, 5)
                        .value(),
                1e-9,
                2,
                3);
        Tensor row = Tensor.of(LOG_POLICY, 1, 3);
        Loss loss = EvidenceBound.loss(row, Tensor.of(LOG_PRIOR, 1, 3), Tensor.of(REWARD, 1, 3), BETA, 4);
        double j = objective(Tensor.of(LOG_POLICY));
        assertEquals(-j / 4, loss.value().item(), 1e-15);
        assertEquals(1.3, loss.metric("reward").item(), 1e-15);
        assertEquals((1.3 - j) / BETA, loss.metric("kl").item(), 1e-14);
    }

    @Test
    void theRewardWithPenaltyAndThePriorAreConstants() {
        Tensor logProbs = Tensor.of(LOG_POLICY).requiresGrad();
        Tensor shaped = EvidenceBound.rewardWithPenalty(logProbs, Tensor.of(LOG_PRIOR), Tensor.of(REWARD), BETA);
        assertFalse(shaped.hasGradientGraph());
        EvidenceBound.objective(logProbs, logProbs, Tensor.of(REWARD), BETA).backward();
        double[] expected = new double[3]; // p·(r - beta): a prior that moved along would take the beta away
        for (int y = 0; y < 3; y++) {
            expected[y] = Math.exp(LOG_POLICY[y]) * (REWARD[y] - BETA);
        }
        assertArrayEquals(expected, logProbs.grad().toDoubles(), 1e-14);
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor three = Tensor.of(REWARD);
        Tensor two = Tensor.of(0, 1);
        assertThrows(IllegalArgumentException.class, () -> EvidenceBound.objective(three, three, three, 0));
        assertThrows(IllegalArgumentException.class, () -> EvidenceBound.objective(two, three, three, 1));
        assertThrows(IllegalArgumentException.class, () -> EvidenceBound.logPosterior(two, three, 1));
        Tensor rows = Tensor.of(REWARD, 1, 3);
        assertThrows(IllegalArgumentException.class, () -> EvidenceBound.loss(rows, rows, rows, 1, 0));
    }
}

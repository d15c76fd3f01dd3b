package dev.kedge.objective.guidance;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.InScope;
import dev.kedge.objective.guidance.GuidedDecoding.Reward;
import dev.kedge.tensor.Tensor;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class GuidedDecodingTest {
    private static final double[] BASE = {0.5, 0.3, 0.2};
    private static final double[] ARM = {0.1, 0.3, 0.6};

    private static Tensor log(double... p) {
        return Tensor.of(p).log();
    }

    private static double[] decoded(double temperature, Reward... rewards) {
        return GuidedDecoding.logProbs(log(BASE), List.of(rewards), temperature)
                .exp()
                .toDoubles();
    }

    @Test
    void workedByHand() {
        assertArrayEquals(BASE, decoded(1, new Reward(log(ARM), 0)), 1e-15);
        assertArrayEquals(
                new double[] {0.33123261, 0.34422703, 0.32454036}, decoded(1, new Reward(log(ARM), 0.5)), 5e-9);
        assertArrayEquals(new double[] {5 / 26.0, 9 / 26.0, 12 / 26.0}, decoded(1, new Reward(log(ARM), 1)), 1e-15);
        assertArrayEquals(new double[] {5 / 104.0, 27 / 104.0, 72 / 104.0}, decoded(1, new Reward(log(ARM), 2)), 1e-15);
    }

    @Test
    void theTemperatureDividesTheWholeSum() {
        double[] mass = new double[3];
        double sum = 0;
        for (int v = 0; v < 3; v++) {
            mass[v] = Math.pow(BASE[v] * Math.pow(ARM[v], 0.8) * Math.pow(BASE[v], 4), 1 / 0.7);
            sum += mass[v];
        }
        double[] got = decoded(0.7, new Reward(log(ARM), 0.8), new Reward(log(BASE), 4));
        for (int v = 0; v < 3; v++) {
            assertEquals(mass[v] / sum, got[v], 1e-14);
        }
    }

    @Test
    void aUniformRewardGuidesNowhereAndTheBaseItselfIsATemperature() {
        double third = 1 / 3.0;
        assertArrayEquals(BASE, decoded(1, new Reward(log(third, third, third), 7)), 1e-14);
        assertArrayEquals(decoded(1 / 3.0), decoded(1, new Reward(log(BASE), 2)), 1e-14);
        assertArrayEquals(decoded(1, new Reward(log(ARM), 2)), decoded(1, new Reward(log(ARM).plus(9), 2)), 1e-14);
        assertArrayEquals(
                decoded(1, new Reward(log(ARM), 2)), decoded(1, new Reward(log(ARM), 2), new Reward(log(1, 0, 0), 0)));
    }

    @Test
    void impossibleTokensStayImpossible() {
        Tensor base = log(0, 0.5, 0.5);
        Reward reward = new Reward(log(0, 1, 0), 0.5);
        double[] got = GuidedDecoding.logProbs(base, List.of(reward), 1).exp().toDoubles();
        assertArrayEquals(new double[] {0, 1, 0}, got);
        double[] off = GuidedDecoding.logProbs(base, List.of(new Reward(log(0, 1, 0), 0)), 1)
                .exp()
                .toDoubles();
        assertArrayEquals(new double[] {0, 0.5, 0.5}, off, 1e-15);
        double[] reached = GuidedDecoding.logProbs(
                        base, List.of(new Reward(GuidedDecoding.rewardOf(log(0, 0, 1), base, 0.5), 2)), 1)
                .exp()
                .toDoubles();
        assertArrayEquals(new double[] {0, 0, 1}, reached, 1e-15);
    }

    @Test
    void someRewardReachesEveryTarget() {
        var random = new Random(5);
        for (double beta : new double[] {0.1, 0.25, 1, 3}) {
            Tensor target = Tensor.of(random.doubles(12, -3, 3).toArray(), 2, 6).logSoftmax(1);
            Tensor base = Tensor.of(random.doubles(12, -3, 3).toArray(), 2, 6).logSoftmax(1);
            Tensor reward = GuidedDecoding.rewardOf(target, base, beta);
            assertArrayEquals(
                    new double[] {1, 1}, reward.exp().sum(1).toDoubles(), 1e-14, "a distribution, beta " + beta);
            Tensor reached = GuidedDecoding.logProbs(base, List.of(new Reward(reward, 1 / beta)), 1);
            assertArrayEquals(target.toDoubles(), reached.toDoubles(), 1e-12);
        }
    }

    /// Two tokens from two symbols: rows are the prefixes "", "0" and "1".
    @Test
    void normalisesEveryStepNotTheAnswer() {
        Tensor base = Tensor.of(new double[][] {{0.5, 0.5}, {0.5, 0.5}, {0.5, 0.5}});
        Tensor arm = Tensor.of(new double[][] {{0.5, 0.5}, {0.9, 0.1}, {0.5, 0.5}});
        double[] p = GuidedDecoding.logProbs(base.log(), List.of(new Reward(arm.log(), 2)), 1)
                .exp()
                .toDoubles();
        assertEquals(0.5, p[0], 1e-15); // tilting whole answers would give 0.205/0.330
        assertEquals(0.81 / 0.82, p[2], 1e-15);
    }

    @Test
    void badArgumentsAreRefused() {
        refused("weight", () -> new Reward(log(ARM), -0.1));
        refused("temperature", () -> decoded(0));
        refused("the log-probabilities of a reward", () -> decoded(1, new Reward(log(1, 2), 1)));
        refused("logBase", () -> GuidedDecoding.rewardOf(log(ARM), log(1), 1));
        refused("beta", () -> GuidedDecoding.rewardOf(log(ARM), log(BASE), 0));
    }
}

package dev.kedge.objective.selection;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.variational.EvidenceBound;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class InfAlignTest {
    private static final QuantileTransform BEST = new QuantileTransform.Exponential(10, Math.exp(10));
    private static final QuantileTransform WORST = new QuantileTransform.NegativeExponential(10);

    /// KL, standard, best-of-4 and worst-of-4 win rates at the optimum, over n equally likely answers.
    private static double[] numbers(QuantileTransform transform, double beta, int n) {
        double[] rewards = new double[n];
        double[] even = new double[n];
        Arrays.setAll(rewards, i -> Math.pow(i, 3));
        Arrays.fill(even, 1.0 / n);
        Tensor base = Tensor.of(even);
        Tensor reward = Tensor.of(rewards);
        Tensor logPolicy =
                EvidenceBound.logPosterior(base.log(), transform.apply(Calibration.exact(base, reward)), beta);
        Tensor policy = logPolicy.exp();
        return new double[] {
            new ReverseKl().categorical(logPolicy, base.log()).item(),
            BestOfN.winRate(policy, reward, base, reward).item(),
            BestOfN.winRate(BestOfN.best(4, policy, reward), reward, BestOfN.best(4, base, reward), reward)
                    .item(),
            BestOfN.winRate(BestOfN.worst(4, policy, reward), reward, BestOfN.worst(4, base, reward), reward)
                    .item()
        };
    }

    /// Quantiles of n equally likely answers are the midpoints of n intervals: the error of a sum over them falls with
    /// 1/n², and one step of Richardson's extrapolation takes it away.
    private static double[] inTheLimit(QuantileTransform transform, double beta) {
        double[] coarse = numbers(transform, beta, 150);
        double[] fine = numbers(transform, beta, 300);
        double[] limit = new double[coarse.length];
        Arrays.setAll(limit, i -> (4 * fine[i] - coarse[i]) / 3);
        return limit;
    }

    @Test
    void calibrationAloneInTheLimitOfManyAnswers() {
        double b = 0.5;
        double kl = 1 / b / (1 - Math.exp(-1 / b)) - 1 - Math.log(b * Math.expm1(1 / b));
        double[] limit = inTheLimit(new QuantileTransform.Identity(), b);
        assertEquals(kl, limit[0], 1e-8);
        assertArrayEquals(new double[] {0.151596, 0.656518, 0.687183, 0.723024}, limit, 1e-6);
    }

    @Test
    void theExponentialsWinWhereTheyAreMeantTo() {
        // At a KL of 0.5; the numbers are printed to four digits, and so is beta.
        double[] identity = inTheLimit(new QuantileTransform.Identity(), 0.2428);
        double[] best = inTheLimit(BEST, 7012 / Math.exp(10));
        double[] worst = inTheLimit(WORST, 0.01151);
        assertArrayEquals(new double[] {0.5, 0.7737, 0.7998, 0.8860}, identity, 3e-4);
        assertArrayEquals(new double[] {0.5, 0.7117, 0.8715, 0.6763}, best, 3e-4);
        assertArrayEquals(new double[] {0.5, 0.7358, 0.6859, 0.9476}, worst, 3e-4);
    }

    @Test
    void theLogarithmWinsTheSameForEveryN() {
        // Density m·u^(m-1), with m = 1 + 1/beta = 3. The midpoints miss little of it: the density is smooth at 0.
        double[] limit = inTheLimit(new QuantileTransform.Logarithm(), 0.5);
        assertEquals(0.75, limit[1], 1e-5);
        assertEquals(0.75, limit[2], 1e-5);
        assertEquals(Math.log(3) - 1 + 1 / 3.0, limit[0], 1e-4);
    }

    /// At the base itself, where `F(u) = u`, the derivative of the best-of-4 win rate is `16·u^7/7` up to a constant.
    @Test
    void theExactTransformIsTheDerivativeOfTheWinRate() {
        double coarse = missedTransform(100);
        double fine = missedTransform(200);
        assertTrue(fine < 1e-3, "missed by " + fine);
        assertEquals(4, coarse / fine, 0.1); // of second order in the spacing
    }

    /// By how much the differences of the derivative miss those of the transform, over n equally likely answers.
    private static double missedTransform(int n) {
        double[] quantiles = new double[n];
        Arrays.setAll(quantiles, i -> (i + 0.5) / n);
        Tensor reward = Tensor.of(quantiles);
        Tensor policy =
                Creation.full(1.0 / n, reward.dtype(), reward.device(), n).requiresGrad();
        Tensor base = BestOfN.best(4, policy.detach(), reward);
        BestOfN.winRate(BestOfN.best(4, policy, reward), reward, base, reward).backward();
        double[] slopes = policy.grad().toDoubles();
        double largest = 0;
        for (int i = 0; i < n; i++) {
            double transform = 16 * (Math.pow(quantiles[i], 7) - Math.pow(quantiles[n / 2], 7)) / 7;
            largest = Math.max(largest, Math.abs(slopes[i] - slopes[n / 2] - transform));
        }
        return largest;
    }

    @Test
    void transformsKeepTheOrderOfAnswers() {
        Tensor u = Tensor.of(0.05, 0.3, 0.31, 0.99);
        for (QuantileTransform phi : new QuantileTransform[] {
            new QuantileTransform.Identity(), BEST, WORST, new QuantileTransform.Logarithm()
        }) {
            double[] values = phi.apply(u).toDoubles();
            for (int i = 1; i < values.length; i++) {
                assertTrue(values[i] > values[i - 1], phi + " at " + i);
            }
        }
        assertEquals(Math.exp(-7), BEST.apply(u).toDoubles()[1], 1e-17);
        assertEquals(-Math.exp(-3), WORST.apply(u).toDoubles()[1], 1e-16);
    }

    @Test
    void rewardsOfSamplesAreTheTransformedShareThatTheyBeat() {
        Tensor base = Tensor.of(new double[][] {{1, 2, 3, 4}, {0, 0, 1, 1}});
        Tensor rewards = Tensor.of(new double[][] {{2.5, 9}, {0, 1}});
        double[] expected = {Math.exp(-5), 1, Math.exp(-7.5), Math.exp(-2.5)};
        assertArrayEquals(expected, InfAlign.reward(base, rewards, BEST).toDoubles(), 1e-15);
    }

    @Test
    void theObjectiveIsLeastAtTheTiltedBase() {
        Tensor logRef = Tensor.of(new double[][] {{Math.log(0.2), Math.log(0.5), Math.log(0.3)}});
        Tensor calibrated = Tensor.of(new double[][] {{0.1, 0.45, 0.85}});
        Tensor optimum =
                EvidenceBound.logPosterior(logRef, WORST.apply(calibrated), 0.1).requiresGrad();
        var loss = InfAlign.ctrl(optimum.logSoftmax(1), logRef, calibrated, WORST, 0.1, 2);
        loss.value().backward();
        assertArrayEquals(new double[3], optimum.grad().toDoubles(), 1e-16);
        double z = 0.2 * Math.exp(-10 * Math.exp(-1))
                + 0.5 * Math.exp(-10 * Math.exp(-4.5))
                + 0.3 * Math.exp(-10 * Math.exp(-8.5));
        assertEquals(-0.1 * Math.log(z) / 2, loss.value().item(), 1e-15);
    }

    @Test
    void badArgumentsAreRefused() {
        refused("rate", () -> new QuantileTransform.Exponential(-10, 1));
        refused("divisor", () -> new QuantileTransform.Exponential(10, 0));
        refused("rate", () -> new QuantileTransform.NegativeExponential(0));
    }
}

package dev.kedge.objective.selection;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class BestOfNTest {
    private static final double[] POLICY = {0.15, 0.3, 0.05, 0.4, 0.1};
    private static final double[] BASE = {0.3, 0.1, 0.2, 0.15, 0.25};
    private static final double[] TIED = {2, 1, 2, 0.5, 3};
    private static final double[] DISTINCT = {2, 1, 1.5, 0.5, 3};

    /// The law by going through all sequences of draws; those tied for the best share what it has.
    private static double[] enumerated(int draws, double[] policy, double[] reward) {
        double[] law = new double[policy.length];
        for (int code = 0; code < Math.pow(policy.length, draws); code++) {
            int[] drawn = new int[draws];
            double chance = 1;
            for (int i = 0, rest = code; i < draws; i++, rest /= policy.length) {
                drawn[i] = rest % policy.length;
                chance *= policy[drawn[i]];
            }
            double best = Arrays.stream(drawn).mapToDouble(y -> reward[y]).max().orElseThrow();
            int[] winners = Arrays.stream(drawn).filter(y -> reward[y] == best).toArray();
            for (int y : winners) {
                law[y] += chance / winners.length;
            }
        }
        return law;
    }

    private static double wins(double[] first, double[] second, double[] reward) {
        double sum = 0;
        for (int i = 0; i < first.length; i++) {
            for (int j = 0; j < second.length; j++) {
                sum += first[i] * second[j] * (Math.signum(reward[i] - reward[j]) + 1) / 2;
            }
        }
        return sum;
    }

    private static double[] negated(double[] x) {
        return Arrays.stream(x).map(v -> -v).toArray();
    }

    private static double winRate(Tensor first, Tensor second, double[] reward) {
        return BestOfN.winRate(first, Tensor.of(reward), second, Tensor.of(reward))
                .item();
    }

    @Test
    void isWhatGoingThroughAllDrawsGives() {
        for (double[] reward : new double[][] {DISTINCT, TIED}) {
            for (int n = 1; n <= 4; n++) {
                double[] best =
                        BestOfN.best(n, Tensor.of(POLICY), Tensor.of(reward)).toDoubles();
                double[] worst =
                        BestOfN.worst(n, Tensor.of(POLICY), Tensor.of(reward)).toDoubles();
                assertArrayEquals(enumerated(n, POLICY, reward), best, 1e-14, "best of " + n);
                assertArrayEquals(enumerated(n, POLICY, negated(reward)), worst, 1e-14, "worst of " + n);
                assertEquals(wins(best, BASE, reward), winRate(Tensor.of(best), Tensor.of(BASE), reward), 1e-15);
            }
        }
    }

    @Test
    void againstItselfEverythingWinsHalf() {
        Tensor reward = Tensor.of(TIED);
        for (int n : new int[] {1, 2, 7, 64}) {
            Tensor best = BestOfN.best(n, Tensor.of(POLICY), reward);
            Tensor worst = BestOfN.worst(n, Tensor.of(POLICY), reward);
            assertEquals(1, best.sum().item(), 1e-13);
            assertEquals(0.5, winRate(best, best, TIED), 1e-13);
            assertEquals(0.5, winRate(worst, worst, TIED), 1e-13);
        }
    }

    @Test
    void reversingTheRewardTurnsTheWorstIntoTheBest() {
        Tensor reversed = Tensor.of(negated(TIED));
        Tensor policy = Tensor.of(POLICY);
        Tensor base = Tensor.of(BASE);
        double worst =
                winRate(BestOfN.worst(3, policy, Tensor.of(TIED)), BestOfN.worst(3, base, Tensor.of(TIED)), TIED);
        double best = winRate(BestOfN.best(3, policy, reversed), BestOfN.best(3, base, reversed), negated(TIED));
        assertEquals(1 - best, worst, 1e-14);
    }

    /// `∂W/∂π_j = N·[Σ_{k>=j} S_k^(N-1)·w_k - Σ_{k>j} S_{k-1}^(N-1)·w_k]` for rewards in ascending order.
    @Test
    void theDerivativeInUnnormalisedProbabilitiesIsTheClosedForm() {
        int n = 4;
        double[] reward = {1, 2, 3, 5, 8};
        Tensor selectedBase = BestOfN.best(n, Tensor.of(BASE), Tensor.of(reward));
        double[] w = new double[5];
        Arrays.setAll(w, k -> {
            double[] one = new double[5];
            one[k] = 1;
            return wins(one, selectedBase.toDoubles(), reward);
        });
        double[] sums = POLICY.clone();
        Arrays.parallelPrefix(sums, Double::sum);
        Tensor policy = Tensor.of(POLICY).requiresGrad();
        BestOfN.winRate(BestOfN.best(n, policy, Tensor.of(reward)), Tensor.of(reward), selectedBase, Tensor.of(reward))
                .backward();
        for (int j = 0; j < 5; j++) {
            double slope = 0;
            for (int k = j; k < 5; k++) {
                slope += n * Math.pow(sums[k], n - 1) * w[k];
                slope -= k > j ? n * Math.pow(sums[k - 1], n - 1) * w[k] : 0;
            }
            assertEquals(slope, policy.grad().toDoubles()[j], 1e-13, "outcome " + j);
        }
    }

    @Test
    void gradientsEqualCentralDifferencesWithTiesToo() {
        Tensor base = BestOfN.worst(3, Tensor.of(BASE), Tensor.of(TIED));
        CentralDifferences.assertGradient(
                POLICY,
                p -> BestOfN.winRate(BestOfN.worst(3, p, Tensor.of(TIED)), Tensor.of(TIED), base, Tensor.of(TIED)),
                1e-9);
    }

    @Test
    void outcomesWithoutMassNeitherWinNorBreakTheGradient() {
        Tensor policy = Tensor.of(0, 0.5, 0, 0.5, 0).requiresGrad();
        Tensor best = BestOfN.best(4, policy, Tensor.of(DISTINCT));
        best.sum().backward();
        assertArrayEquals(new double[] {0, 1 - Math.pow(0.5, 4), 0, Math.pow(0.5, 4), 0}, best.toDoubles(), 1e-15);
        assertEquals(5, policy.grad().isFinite().sum().item());
    }

    @Test
    void samplesOfTwoModelsHaveRewardsOfTheirOwn() {
        Tensor half = Tensor.of(0.5, 0.5);
        assertEquals(
                0.625,
                BestOfN.winRate(half, Tensor.of(1, 3), half, Tensor.of(1, 2)).item());
    }

    @Test
    void promptsDoNotMix() {
        var random = new Random(8);
        Tensor policy = Tensor.of(random.doubles(10).toArray(), 2, 5).softmax(1);
        Tensor reward = Tensor.of(random.doubles(10).toArray(), 2, 5);
        Tensor both = BestOfN.best(3, policy, reward);
        Tensor wins = BestOfN.winRate(both, reward, policy, reward);
        for (int row = 0; row < 2; row++) {
            Tensor alone = BestOfN.best(3, policy.select(0, row), reward.select(0, row));
            assertArrayEquals(alone.toDoubles(), both.select(0, row).toDoubles(), 1e-15);
            double[] r = reward.select(0, row).toDoubles();
            assertEquals(winRate(alone, policy.select(0, row), r), wins.toDoubles()[row], 1e-15);
        }
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor five = Tensor.of(POLICY);
        Tensor two = Tensor.of(1, 2);
        assertThrows(IllegalArgumentException.class, () -> BestOfN.best(0, five, five));
        assertThrows(IllegalArgumentException.class, () -> BestOfN.worst(2, five, two));
        assertThrows(IllegalArgumentException.class, () -> BestOfN.winRate(five, two, five, five));
        assertThrows(IllegalArgumentException.class, () -> BestOfN.winRate(five, five, five, two));
    }
}

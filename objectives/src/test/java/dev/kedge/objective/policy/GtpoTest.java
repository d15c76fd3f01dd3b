package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class GtpoTest {
    private static final int PAD = 1; // a token like any other

    /// Rows padded on the right.
    private static Gtpo.Conflicts conflicts(double[] advantages, long[]... rows) {
        return conflicts(0, advantages, rows);
    }

    private static Gtpo.Conflicts conflicts(int left, double[] advantages, long[]... rows) {
        int width = left;
        for (long[] row : rows) {
            width = Math.max(width, left + row.length);
        }
        long[] tokens = new long[rows.length * width];
        boolean[] mask = new boolean[rows.length * width];
        for (int i = 0; i < rows.length; i++) {
            for (int t = 0; t < width; t++) {
                boolean counts = t >= left && t - left < rows[i].length;
                tokens[i * width + t] = counts ? rows[i][t - left] : PAD;
                mask[i * width + t] = counts;
            }
        }
        return Gtpo.conflicts(
                Tensor.of(tokens, rows.length, width),
                Tensor.mask(mask, rows.length, width),
                Tensor.of(advantages, 1, rows.length),
                2);
    }

    private static final double[] GOOD_AND_BAD = {0.5, -0.5};

    @Test
    void theRunFromTheFront() {
        var found = conflicts(GOOD_AND_BAD, new long[] {1, 2, 3, 4}, new long[] {1, 2, 4, 3});
        assertArrayEquals(new double[] {2, 2, 1, 1, 0, 0, 1, 1}, found.weights().toDoubles());
        assertArrayEquals(new double[] {2, 2}, found.counts().toDoubles());
        assertEquals(DType.FLOAT64, found.counts().dtype());
    }

    /// Only signs count, also of advantages whose product underflows.
    @Test
    void tinyAdvantagesAreOppositeToo() {
        long[] same = {1, 2};
        var found = conflicts(new double[] {1e-200, -1e-200}, same, same);
        assertArrayEquals(new double[] {4, 4, 0, 0}, found.weights().toDoubles());
    }

    @Test
    void theRunFromTheBack() {
        var found = conflicts(GOOD_AND_BAD, new long[] {5, 1, 9}, new long[] {6, 1, 9});
        assertArrayEquals(new double[] {1, 2, 2, 1, 0, 0}, found.weights().toDoubles());
        assertArrayEquals(new double[] {2, 2}, found.counts().toDoubles());
    }

    @Test
    void theRunFromTheBackIsCountedFromTheLastToken() {
        var found = conflicts(GOOD_AND_BAD, new long[] {5, 1, 9}, new long[] {7, 7, 7, 1, 9});
        assertArrayEquals(
                new double[] {1, 2, 2, 0, 0, 1, 1, 1, 0, 0}, found.weights().toDoubles());
    }

    @Test
    void identicalCompletionsOfOppositeRewards() {
        long[] same = {3, 1, 4, 1};
        var found = conflicts(GOOD_AND_BAD, same, same);
        assertArrayEquals(new double[] {4, 4, 4, 4, 0, 0, 0, 0}, found.weights().toDoubles());
        assertArrayEquals(new double[] {4, 4}, found.counts().toDoubles());
    }

    @Test
    void whatIsSharedOnlyInTheMiddleIsNotProtected() {
        var found = conflicts(GOOD_AND_BAD, new long[] {1, 5, 2}, new long[] {3, 5, 4});
        assertArrayEquals(new double[] {1, 1, 1, 1, 1, 1}, found.weights().toDoubles());
        assertArrayEquals(new double[] {1, 1}, found.counts().toDoubles());
    }

    @Test
    void equalRewardsTakeNoPart() {
        long[] same = {3, 1};
        var found = conflicts(new double[] {0, 0, 0}, same, same, new long[] {3});
        assertArrayEquals(new double[] {1, 1, 1, 1, 1, 0}, found.weights().toDoubles());
        assertArrayEquals(new double[3], found.counts().toDoubles());
    }

    @Test
    void differentOthersMayHoldTheTokensOfARun() {
        var found =
                conflicts(new double[] {1, -1, -1}, new long[] {1, 2, 8}, new long[] {1, 5, 9}, new long[] {4, 2, 7});
        assertArrayEquals(
                new double[] {2, 2, 1, 0, 1, 1, 1, 1, 1}, found.weights().toDoubles());
        assertArrayEquals(new double[] {2, 1, 1}, found.counts().toDoubles());
    }

    @Test
    void promptsDoNotMix() {
        Tensor tokens = Tensor.of(new long[] {1, 1, 1, 1}, 4, 1);
        Tensor mask = Tensor.mask(new boolean[] {true, true, true, true}, 4, 1);
        Tensor advantages = Tensor.of(new double[] {1, 1, -1, -1}, 2, 2);
        var found = Gtpo.conflicts(tokens, mask, advantages, 2);
        assertArrayEquals(new double[] {1, 1, 1, 1}, found.weights().toDoubles());
    }

    /// Random completions over three tokens against the definition, with and without padding before them.
    @Test
    void equalsTheDefinition() {
        var random = new Random(7);
        for (int trial = 0; trial < 50; trial++) {
            long[][] rows = new long[4][];
            double[] advantages = new double[4];
            for (int i = 0; i < 4; i++) {
                rows[i] = random.longs(random.nextInt(6), 0, 2).toArray();
                advantages[i] = random.nextInt(3) - 1;
            }
            rows[0] = random.longs(6, 0, 2).toArray(); // a width that does not depend on the trial
            for (int left : new int[] {0, 3}) {
                var found = conflicts(left, advantages, rows);
                double[] weights = found.weights().toDoubles();
                double[] counts = found.counts().toDoubles();
                for (int i = 0; i < 4; i++) {
                    int front = run(rows, advantages, i, false);
                    int back = run(rows, advantages, i, true);
                    for (int t = 0; t < rows[i].length; t++) {
                        double once = advantages[i] > 0 ? 2 : 0;
                        double expected = (t < front ? once : 1) * (rows[i].length - 1 - t < back ? once : 1);
                        assertEquals(expected, weights[i * (left + 6) + left + t], "trial " + trial);
                    }
                    assertEquals(advantages[i] == 0 ? 0 : Math.max(1, Math.max(front, back)), counts[i]);
                }
            }
        }
    }

    private static int run(long[][] rows, double[] advantages, int i, boolean fromEnd) {
        int length = 0;
        while (length < rows[i].length && shared(rows, advantages, i, length, fromEnd)) {
            length++;
        }
        return length;
    }

    private static boolean shared(long[][] rows, double[] advantages, int i, int t, boolean fromEnd) {
        for (int j = 0; j < rows.length; j++) {
            if (advantages[i] * advantages[j] < 0
                    && t < rows[j].length
                    && at(rows[i], t, fromEnd) == at(rows[j], t, fromEnd)) {
                return true;
            }
        }
        return false;
    }

    private static long at(long[] row, int t, boolean fromEnd) {
        return row[fromEnd ? row.length - 1 - t : t];
    }

    /// Completions of four and five tokens.
    private static Tensor fourAndFive() {
        return Tensor.of(new double[][] {{-1, -0.2, -0.5, -2, Double.NaN}, {-0.3, -0.7, -1, -0.4, -0.9}})
                .requiresGrad();
    }

    private static Rollout rollout(Tensor logProbs) {
        return new Rollout(logProbs, logProbs, logProbs.detach().isFinite());
    }

    @Test
    void workedLoss() {
        Tensor shaped = Gtpo.shaped(Tensor.of(GOOD_AND_BAD), Tensor.of(0.2, 0.3), 0.1, 0.7);
        assertArrayEquals(new double[] {0.48, -0.53}, shaped.toDoubles(), 1e-15);
        var found = conflicts(GOOD_AND_BAD, new long[] {1, 2, 3, 4}, new long[] {1, 2, 4, 3, 5});
        Tensor logProbs = fourAndFive();
        Loss loss = Gtpo.gtpo(rollout(logProbs), shaped, found, 2);
        assertArrayEquals(new double[] {-0.36, 0.159}, loss.metric("loss").toDoubles(), 1e-15);
        assertEquals(-0.201 / 2, loss.value().item(), 1e-15);
        assertArrayEquals(new double[] {0.5, 0.4}, loss.metric("conflict/share").toDoubles());
        loss.value().times(2).backward();
        double[] gradient = logProbs.grad().toDoubles();
        assertArrayEquals(new double[] {-0.12, -0.12, -0.06, -0.06, 0, 0, 0, 0.053, 0.053, 0.053}, gradient, 1e-15);
    }

    @Test
    void thePublishedObjectiveIsNotDividedByTheCounts() {
        Tensor shaped = Tensor.of(0.48, -0.53);
        var found = conflicts(GOOD_AND_BAD, new long[] {1, 2, 3, 4}, new long[] {1, 2, 4, 3, 5});
        double counted =
                Gtpo.gtpo(rollout(fourAndFive()), shaped, found, 2).value().item();
        assertEquals(
                2 * counted,
                Gtpo.uncounted(rollout(fourAndFive()), shaped, found, 2).value().item(),
                1e-15);
    }

    @Test
    void withoutConflictsAndPenaltyItIsTheCentredAdvantage() {
        Tensor advantages = DrGrpo.advantages(Tensor.of(new double[] {1, 0}, 1, 2));
        Tensor shaped = Gtpo.shaped(advantages, Tensor.of(3, 5), 0, Double.POSITIVE_INFINITY);
        var none = conflicts(GOOD_AND_BAD, new long[] {1, 2, 3, 4}, new long[] {5, 6, 7, 8, 9});
        Tensor logProbs = fourAndFive();
        Loss loss = Gtpo.gtpo(rollout(logProbs), shaped, none, 2);
        assertEquals(-(0.5 - 0.5) / 2, loss.value().item(), 1e-15);
        loss.value().backward();
        assertArrayEquals(
                new double[] {-0.0625, -0.0625, -0.0625, -0.0625, 0, 0.05, 0.05, 0.05, 0.05, 0.05},
                logProbs.grad().toDoubles(),
                1e-15);
    }

    /// What Dr. GRPO's equal and opposite coefficients leave as it is, the shared tokens, is raised.
    @Test
    void sharedTokensAreRaised() {
        var found = conflicts(GOOD_AND_BAD, new long[] {1, 2, 3, 4}, new long[] {1, 2, 4, 3, 5});
        Tensor logProbs = fourAndFive();
        Gtpo.gtpo(rollout(logProbs), Tensor.of(GOOD_AND_BAD), found, 2).value().backward();
        double[] gtpo = logProbs.grad().toDoubles();
        assertEquals(-2 * 0.5 / 16, gtpo[0] + gtpo[5], 1e-15);
        InPlace.fill_(logProbs.grad(), 0);
        DrGrpo.drGrpo(rollout(logProbs), Tensor.of(GOOD_AND_BAD), 0.2, 5, 2)
                .value()
                .backward();
        double[] drGrpo = logProbs.grad().toDoubles();
        assertEquals(0, drGrpo[0] + drGrpo[5], 1e-15);
    }

    @Test
    void equalRewardsStillPayForEntropy() {
        Tensor shaped = Gtpo.shaped(Tensor.of(0, 0), Tensor.of(0.2, 0.4), 0.1, 0.7);
        assertArrayEquals(new double[] {-0.02, -0.04}, shaped.toDoubles(), 1e-15);
        Tensor strong =
                Gtpo.shaped(Tensor.of(0.0).requiresGrad(), Tensor.of(0.2).requiresGrad(), 2, 0.7);
        assertEquals(-0.4, strong.item());
        assertFalse(strong.hasGradientGraph());
        var none = conflicts(new double[2], new long[] {1, 2, 3, 4}, new long[] {1, 2, 3, 4, 5});
        assertEquals(
                0.06 / 2,
                Gtpo.gtpo(rollout(fourAndFive()), shaped, none, 2).value().item(),
                1e-15);
    }

    @Test
    void filteredCompletionsAreLeftAlone() {
        Tensor shaped = Gtpo.shaped(Tensor.of(GOOD_AND_BAD), Tensor.of(0.71, 0.7), 0.1, 0.7);
        assertArrayEquals(new double[] {0, -0.57}, shaped.toDoubles(), 1e-15);
        var none = conflicts(GOOD_AND_BAD, new long[] {1, 2, 3, 4}, new long[] {5, 6, 7, 8, 9});
        Tensor logProbs = fourAndFive();
        Loss loss = Gtpo.gtpo(rollout(logProbs), shaped, none, 2);
        loss.value().backward();
        assertEquals(0, loss.metric("loss").toDoubles()[0]);
        assertArrayEquals(new double[] {1, 0}, loss.metric("filtered").toDoubles());
        assertArrayEquals(new double[5], logProbs.grad().select(0, 0).toDoubles());
    }

    @Test
    void entropiesAreMeansOverTokens() {
        Tensor logits = Tensor.of(new double[] {0, 0, 3, 3, Double.NaN, 1}, 1, 3, 2);
        Tensor mask = Tensor.mask(new boolean[] {true, true, false}, 1, 3);
        assertEquals(Math.log(2), Gtpo.meanEntropies(logits, mask).item(), 1e-15);
        assertFalse(Gtpo.meanEntropies(logits.requiresGrad(), mask).hasGradientGraph());
        Tensor sure = Tensor.of(new double[] {0, -40}, 1, 1, 2);
        double q = 1 / (1 + Math.exp(40));
        double floored = -q * Math.log(1e-6) - (1 - q) * Math.log(1 - q);
        assertEquals(
                floored,
                Gtpo.meanEntropies(sure, Tensor.mask(new boolean[] {true}, 1, 1))
                        .item(),
                1e-20);
        assertArrayEquals(
                new double[1],
                Gtpo.meanEntropies(sure, Tensor.mask(new boolean[] {false}, 1, 1))
                        .toDoubles());
    }

    @Test
    void thePublishedThresholdIsLogTwoUnlessTheStartIsAbove() {
        assertEquals(Math.log(2), Gtpo.threshold(0.5));
        assertEquals(Math.log(2), Gtpo.threshold(Math.log(2)));
        assertEquals(Double.POSITIVE_INFINITY, Gtpo.threshold(0.8));
    }

    @Test
    void badInputIsRefused() {
        Tensor a = Tensor.of(GOOD_AND_BAD);
        refused("threshold", () -> Gtpo.shaped(a, a, 0.1, 0));
        for (double bad : new double[] {-1, Double.NaN}) {
            refused("gamma", () -> Gtpo.shaped(a, a, bad, 0.7));
            refused("threshold", () -> Gtpo.shaped(a, a, 0.1, bad));
        }
        refused("entropies", () -> Gtpo.shaped(a, Tensor.of(1), 0.1, 0.7));
        Tensor tokens = Tensor.of(new long[] {1, 2}, 2, 1);
        Tensor mask = Tensor.mask(new boolean[] {true, true}, 2, 1);
        refused("advantages of completions", () -> Gtpo.conflicts(tokens, mask, Tensor.of(new double[3], 1, 3), 2));
        refused("positiveWeight", () -> Gtpo.conflicts(tokens, mask, Tensor.of(new double[2], 1, 2), 0));
        var found = conflicts(GOOD_AND_BAD, new long[] {1, 2, 3, 4}, new long[] {1, 2, 4, 3, 5});
        refused("completionsInStep", () -> Gtpo.gtpo(rollout(fourAndFive()), a, found, 1));
        refused("advantages", () -> Gtpo.shaped(tokens, tokens, 0.1, 0.7));
        refused("tokens", () -> Gtpo.conflicts(tokens.select(1, 0), mask.select(1, 0), a, 2));
        refused("mask", () -> Gtpo.conflicts(tokens, tokens, a, 2));
        refused("advantages", () -> Gtpo.conflicts(tokens, mask, a, 2));
        refused("weights", () -> new Gtpo.Conflicts(a, a));
        refused("counts", () -> new Gtpo.Conflicts(tokens, Tensor.of(1, 2, 3)));
        refused("shaped", () -> Gtpo.gtpo(rollout(fourAndFive()), Tensor.of(1), found, 2));
        refused("shaped", () -> Gtpo.uncounted(rollout(fourAndFive()), fourAndFive(), found, 2));
        refused("weights", () -> Gtpo.uncounted(rollout(fourAndFive().narrow(1, 0, 3)), a, found, 2));
    }
}

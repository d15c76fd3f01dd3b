package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class SpineTest {
    private static final double[] ENTROPIES = {.1, .2, 1.5, .05, 1, .3, .2, .1, 2, .4, .1, .2, .3, .1, .05};

    private static Tensor row(double... values) {
        return Tensor.of(values, 1, values.length);
    }

    private static Tensor all(double... values) {
        return row(values).isFinite();
    }

    private static int[] selected(Spine.Forking forking) {
        boolean[] mask = forking.selected().toBooleans();
        return IntStream.range(0, mask.length).filter(i -> mask[i]).toArray();
    }

    @Test
    void workedExample() {
        var forking = Spine.topShare(row(ENTROPIES), all(ENTROPIES), 0.2, 0.1, 0.5);
        assertArrayEquals(new int[] {2, 4, 8}, selected(forking));
        assertEquals(1.1, forking.low().item(), 1e-15);
        assertEquals(1.5, forking.high().item());
        Tensor h = row(ENTROPIES).requiresGrad();
        Loss band = Spine.band(h, forking, 0.05, 0.05, 15);
        assertEquals(0.002, band.value().item(), 1e-15);
        assertEquals(0.03, band.metric("band").item(), 1e-15);
        assertEquals(1.5, band.metric("forking/entropy").item(), 1e-15);
        band.value().backward();
        double[] expected = new double[15]; // 0 where not selected, and on the upper bound itself, at 2
        expected[4] = -0.05 / 15;
        expected[8] = 0.05 / 15;
        assertArrayEquals(expected, h.grad().toDoubles(), 1e-15);
    }

    @Test
    void oneSelectedTokenIsItsOwnBand() {
        var forking = Spine.topShare(row(0.3, 0.9, 0.1, 0.2), all(1, 1, 1, 1), 0.2, 0.1, 0.5);
        assertArrayEquals(new int[] {1}, selected(forking));
        assertEquals(0.9, forking.low().item());
        assertEquals(0.9, forking.high().item());
        var second = Spine.otsu(row(0.3), all(1), 100);
        assertEquals(0.3, second.high().item());
        assertEquals(0.3 - 1e-6, second.low().item(), 1e-15);
    }

    @Test
    void ofEqualEntropiesTheFirstAreSelected() {
        assertArrayEquals(new int[] {0, 1}, selected(Spine.topShare(row(1, 1, 1, 1), all(1, 1, 1, 1), 0.5, 0, 1)));
    }

    @Test
    void quantilesAreInterpolated() {
        var forking = Spine.topShare(row(4, 1, 3, 2), all(1, 1, 1, 1), 1, 0.1, 0.5);
        assertEquals(1.3, forking.low().item(), 1e-15);
        assertEquals(2.5, forking.high().item(), 1e-15);
    }

    /// 0.07·100 and 0.55·100 are not whole in floating point.
    @Test
    void aQuantileThatIsAValueIsExactlyThatValue() {
        double[] h = new Random(3).doubles(101).toArray();
        double[] sorted = Arrays.stream(h).sorted().toArray();
        var forking = Spine.topShare(row(h), all(h), 1, 0.07, 0.55);
        assertEquals(sorted[7], forking.low().item());
        assertEquals(sorted[55], forking.high().item());
    }

    @Test
    void paddingAndEmptyCompletionsSelectNothing() {
        double nan = Double.NaN;
        Tensor h = Tensor.of(new double[][] {{nan, 0.5, 0.1, nan}, {nan, nan, nan, nan}});
        for (var forking : new Spine.Forking[] {
            Spine.topShare(h, h.isFinite(), 0.2, 0.1, 0.5), Spine.otsu(h, h.isFinite(), 100),
        }) {
            assertArrayEquals(new int[] {1}, selected(forking));
            assertEquals(0.5, forking.high().toDoubles()[0]);
            assertEquals(0, forking.low().toDoubles()[1]);
            assertEquals(0, forking.high().toDoubles()[1]);
        }
    }

    @Test
    void otsuPartsTwoClasses() {
        double[] h = {0.1, 0.104, 2, 0.102, 1.95, 0.1, 2.1};
        var forking = Spine.otsu(row(h), all(h), 100);
        assertArrayEquals(new int[] {2, 4, 6}, selected(forking));
        assertEquals(2, forking.high().item());
        assertEquals(2 - 1.4826 * 0.05, forking.low().item(), 1e-12);
    }

    @Test
    void theBandOfAnEntropyOfZeroIsNotBelowZero() {
        var forking = Spine.otsu(row(0, 0), all(1, 1), 100);
        assertEquals(0, forking.low().item());
        assertEquals(0, forking.high().item());
    }

    /// In float64, where 0.57·100 is a little less than 57.
    @Test
    void sharesAreRoundedDown() {
        assertArrayEquals(new int[] {0}, selected(Spine.topShare(row(3, 2, 1), all(1, 1, 1), 0.6, 0, 1)));
        double[] h = new Random(4).doubles(100).toArray();
        for (double share : new double[] {0.29, 0.57, 0.58}) {
            assertEquals((int) (share * 100), selected(Spine.topShare(row(h), all(h), share, 0, 1)).length);
        }
    }

    /// Rows of many lengths, with tokens before, between and after that do not count.
    @Test
    void whatIsMaskedChangesNoSelection() {
        var random = new Random(6);
        for (double filler : new double[] {Double.NaN, -5, 0, 100, Double.POSITIVE_INFINITY}) {
            for (int trial = 0; trial < 10; trial++) {
                double[] h = random.doubles(12, 0, 2).toArray();
                boolean[] counts = new boolean[12];
                for (int t = 0; t < 12; t++) {
                    counts[t] = random.nextInt(3) > 0;
                    h[t] = counts[t] ? h[t] : filler;
                }
                int[] places = IntStream.range(0, 12).filter(t -> counts[t]).toArray();
                double[] tight = Arrays.stream(places).mapToDouble(t -> h[t]).toArray();
                Tensor mask = Tensor.mask(counts, 1, 12);
                same(
                        Spine.topShare(row(tight), all(tight), 0.5, 0.2, 0.7),
                        Spine.topShare(row(h), mask, 0.5, 0.2, 0.7),
                        places);
                same(Spine.otsu(row(tight), all(tight), 20), Spine.otsu(row(h), mask, 20), places);
            }
        }
    }

    private static void same(Spine.Forking tight, Spine.Forking padded, int[] places) {
        assertArrayEquals(Arrays.stream(selected(tight)).map(i -> places[i]).toArray(), selected(padded));
        assertEquals(tight.low().item(), padded.low().item(), 1e-14);
        assertEquals(tight.high().item(), padded.high().item(), 1e-14);
    }

    @Test
    void otsuSelectsAllOfEqualEntropies() {
        var forking = Spine.otsu(row(0.4, 0.4, 0.4), all(1, 1, 1), 100);
        assertArrayEquals(new int[] {0, 1, 2}, selected(forking));
    }

    /// Three evenly spaced bins can be cut at either side of the middle one, in which the token is below the centre.
    @Test
    void ofEquallyGoodCutsTheFirstIsTaken() {
        for (int k = 0; k < 40; k++) {
            double least = 0.037 * k;
            double[] h = {least + 0.7, least, least + 0.349};
            assertArrayEquals(new int[] {0, 2}, selected(Spine.otsu(row(h), all(h), 101)), "from " + least);
        }
    }

    /// The threshold is inside the last bin of the lower class: 0.19 is in the bin [0.1, 0.2), above its centre.
    @Test
    void aLowTokenInTheUpperHalfOfItsBinIsSelectedToo() {
        double[] h = {0, 0.19, 0.02, 1, 0.95};
        assertArrayEquals(new int[] {1, 3, 4}, selected(Spine.otsu(row(h), all(h), 10)));
    }

    @Test
    void otsuEqualsTheSearchOverAllCuts() {
        var random = new Random(5);
        for (int trial = 0; trial < 100; trial++) {
            int bins = trial % 2 == 0 ? 20 : 2;
            double[] h =
                    random.doubles(2 + random.nextInt(15)).map(x -> x * x * 2).toArray();
            double threshold = otsu(h, bins);
            int[] expected =
                    IntStream.range(0, h.length).filter(i -> h[i] >= threshold).toArray();
            assertArrayEquals(expected, selected(Spine.otsu(row(h), all(h), bins)), "trial " + trial);
        }
    }

    private static double otsu(double[] h, int bins) {
        double least = Arrays.stream(h).min().orElseThrow();
        double width = (Arrays.stream(h).max().orElseThrow() - least) / bins;
        int[] bin = Arrays.stream(h)
                .mapToInt(x -> Math.min(bins - 1, (int) ((x - least) / width)))
                .toArray();
        double best = 0;
        double threshold = 0;
        for (int cut = 0; cut < bins - 1; cut++) {
            int last = cut;
            double[] lower =
                    Arrays.stream(bin).filter(b -> b <= last).asDoubleStream().toArray();
            double[] upper =
                    Arrays.stream(bin).filter(b -> b > last).asDoubleStream().toArray();
            double apart = Arrays.stream(upper).average().orElseThrow()
                    - Arrays.stream(lower).average().orElseThrow();
            double between = lower.length * upper.length * apart * apart;
            if (between > best * (1 + 1e-12)) {
                best = between;
                threshold = least + (cut + 0.5) * width;
            }
        }
        return threshold;
    }

    private static Spine.Forking everything(Rollout rollout) {
        Tensor surprise = rollout.logProbs().neg();
        return Spine.topShare(surprise, rollout.mask(), 1, 0, 1);
    }

    @Test
    void selectingAllIsPpoWithTheVoteAsReward() {
        Tensor logProbs = Rollouts.logProbs();
        Rollout rollout = Rollouts.of(logProbs);
        Tensor advantages = Tensor.of(Rollouts.ADVANTAGES);
        double expected = PpoClip.ppoClip(rollout, advantages, 0.2, 6).value().item();
        Loss loss = Spine.policy(rollout, advantages, everything(rollout), 0.2, 6);
        assertEquals(expected, loss.value().item());
        assertArrayEquals(new double[] {1, 1, 0}, loss.metric("forking/share").toDoubles());
    }

    @Test
    void tokensThatAreNotSelectedHaveNoGradientButCount() {
        Tensor logProbs = Rollouts.logProbs();
        Rollout rollout = new Rollout(logProbs, logProbs, Tensor.mask(Rollouts.MASK));
        var forking = Spine.topShare(logProbs.neg(), rollout.mask(), 0.2, 0.1, 0.5);
        Spine.policy(rollout, Tensor.of(1, -1, 1), forking, 0.2, 6).value().backward();
        double each = 1.0 / 6;
        assertArrayEquals(
                new double[] {0, -each, 0, 0, each, 0, 0, 0, 0, 0, 0, 0},
                logProbs.grad().toDoubles(),
                1e-15);
    }

    @Test
    void aUnanimousVoteMovesOnlyTheBand() {
        Tensor advantages = Spine.advantages(Tensor.of(new double[] {1, 1, 1}, 1, 3));
        assertArrayEquals(new double[3], advantages.toDoubles());
        Tensor logProbs = Rollouts.logProbs();
        Rollout rollout = Rollouts.of(logProbs);
        var forking = everything(rollout);
        Loss policy = Spine.policy(rollout, advantages, forking, 0.2, 6);
        policy.value().backward();
        assertEquals(0, policy.value().item());
        assertArrayEquals(new double[12], logProbs.grad().toDoubles());
        var narrow = Spine.topShare(row(ENTROPIES), all(ENTROPIES), 0.5, 0.5, 0.5);
        assertTrue(Spine.band(row(ENTROPIES), narrow, 1, 1, 15).value().item() > 0);
    }

    @Test
    void theStdOfTheAdvantagesIsThatOfTheGroup() {
        double[] got =
                Spine.advantages(Tensor.of(new double[] {1, 0, 1, 0}, 1, 4)).toDoubles();
        double each = 0.5 / (0.5 + 1e-6);
        assertArrayEquals(new double[] {each, -each, each, -each}, got, 1e-15);
    }

    @Test
    void oneSelectedTokenIsItsOwnMean() {
        var forking = Spine.topShare(row(0.3, 0.9, 0.1), all(1, 1, 1), 0.4, 0, 1);
        Tensor kl = row(5, 0.7, 6);
        Loss anchor = Spine.anchor(kl, forking, 2, 1);
        assertEquals(1.4, anchor.value().item(), 1e-15);
        assertEquals(0.7, anchor.metric("kl/anchor").item());
        assertEquals(
                0.7, Spine.band(kl, forking, 2, 3, 1).metric("forking/entropy").item());
        assertEquals(2 * 0.2, Spine.band(kl, forking, 2, 3, 1).value().item(), 1e-15);
        assertEquals(3 * 0.1, Spine.band(row(0, 1, 0), forking, 2, 3, 1).value().item(), 1e-15);
    }

    @Test
    void theAnchorIsAMeanOverSelectedTokens() {
        double nan = Double.NaN;
        Tensor kl = Tensor.of(new double[][] {{0.3, 0.5, 0.1, 0.2}, {0.7, 0.9, nan, nan}, {nan, nan, nan, nan}})
                .requiresGrad();
        Tensor mask = Tensor.mask(Rollouts.MASK);
        var forking = Spine.topShare(kl, mask, 0.5, 0.1, 0.5);
        Loss loss = Spine.anchor(kl, forking, 0.1, 3);
        assertEquals(0.1 * (0.3 + 0.5 + 0.9) / 3, loss.value().item(), 1e-15);
        assertArrayEquals(new double[] {0.4, 0.9, 0}, loss.metric("kl/anchor").toDoubles(), 1e-15);
        loss.value().backward();
        double each = 0.1 / 3;
        assertArrayEquals(
                new double[] {each, each, 0, 0, 0, each, 0, 0, 0, 0, 0, 0},
                kl.grad().toDoubles(),
                1e-15);
    }

    @Test
    void insideTheBandThereIsNoGradient() {
        Tensor h = row(ENTROPIES).requiresGrad();
        var wide = Spine.topShare(h, all(ENTROPIES), 1, 0, 1);
        Loss band = Spine.band(h, wide, 1, 1, 15);
        band.value().backward();
        assertEquals(0, band.value().item());
        assertArrayEquals(
                new double[15],
                Arrays.stream(h.grad().toDoubles()).map(Math::abs).toArray());
        var bounds = new Spine.Forking(
                wide.selected(), Tensor.of(1.0).requiresGrad(), Tensor.of(1.5).requiresGrad());
        Spine.band(h, bounds, 1, 1, 15).value().backward();
        assertNull(bounds.low().grad(), "bounds are constants");
        assertNull(bounds.high().grad(), "bounds are constants");
        assertFalse(wide.low().hasGradientGraph());
        assertFalse(wide.high().hasGradientGraph());
    }

    @Test
    void badInputIsRefused() {
        Tensor h = row(0.1, 0.2);
        Tensor mask = all(1, 1);
        for (double share : new double[] {0, 1.1, Double.NaN}) {
            refused("share", () -> Spine.topShare(h, mask, share, 0.1, 0.5));
        }
        refused("levels", () -> Spine.topShare(h, mask, 0.2, 0.6, 0.5));
        refused("levels", () -> Spine.topShare(h, mask, 0.2, -0.1, 0.5));
        refused("levels", () -> Spine.topShare(h, mask, 0.2, 0.1, 1.5));
        refused("levels", () -> Spine.topShare(h, mask, 0.2, 0.1, Double.NaN));
        refused("bins", () -> Spine.otsu(h, mask, 1));
        refused("mask", () -> Spine.otsu(h, h, 10));
        var forking = Spine.topShare(h, mask, 1, 0, 1);
        refused("lowStrength", () -> Spine.band(h, forking, -1, 0, 2));
        refused("selectedInStep", () -> Spine.anchor(h, forking, 1, 0));
        refused("highStrength", () -> Spine.band(h, forking, 0, -1, 2));
        refused("strength", () -> Spine.anchor(h, forking, -1, 2));
        refused("entropies", () -> Spine.band(h.t(), forking, 1, 1, 2));
        refused("kl", () -> Spine.anchor(h.t(), forking, 1, 2));
        refused(
                "entropies",
                () -> Spine.topShare(Tensor.of(1, 2), Tensor.of(1, 2).ne(0), 0.2, 0.1, 0.5));
        Tensor one = Tensor.of(1);
        refused("selected", () -> new Spine.Forking(one.ne(0), one, one));
        refused("selected", () -> new Spine.Forking(h, one, one));
        refused("low", () -> new Spine.Forking(mask, h, one));
        refused("high", () -> new Spine.Forking(mask, one, Tensor.of(1, 2)));
        Rollout rollout = new Rollout(h, h, mask);
        for (double clip : new double[] {0, 1, Double.NaN}) {
            refused("clip", () -> Spine.policy(rollout, Tensor.of(1), forking, clip, 2));
        }
    }
}

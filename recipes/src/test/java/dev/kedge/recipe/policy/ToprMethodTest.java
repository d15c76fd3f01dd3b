package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.policy.ToprMethod.Taper;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ToprMethodTest {
    private final Decoder start = FirstLetter.decoder(3);
    private final Decoder moved = FirstLetter.decoder(4);
    private final Rollouts rollouts = FirstLetter.sample(start, 8, 5);

    @AfterEach
    void close() {
        start.close();
        moved.close();
    }

    private double[] gradient(Taper taper, boolean lengthNormalized, Decoder policy, int questionsPerPass) {
        Learner learner = new ToprMethod(taper, -0.3, lengthNormalized).learner(start);
        return FirstLetter.gradient(learner, rollouts, policy, start, policy == start, questionsPerPass);
    }

    @ParameterizedTest
    @EnumSource(Taper.class)
    void microBatchesAddUpToTheBatch(Taper taper) {
        for (boolean lengthNormalized : new boolean[] {false, true}) {
            double[] whole = gradient(taper, lengthNormalized, moved, 6);
            assertArrayEquals(whole, gradient(taper, lengthNormalized, moved, 1), 1e-12);
            assertTrue(Arrays.stream(whole).anyMatch(g -> Math.abs(g) > 1e-3));
        }
    }

    /// The policy of the rollouts has all ratios 1: one family of five is one method but for what it leaves out.
    @Test
    void onPolicyOnlyPositivesOnlyDiffers() {
        double[] topr = gradient(Taper.CANONICAL, true, start, 6);
        assertArrayEquals(topr, gradient(Taper.ALWAYS_ONE, true, start, 6), 1e-12);
        assertArrayEquals(topr, gradient(Taper.AT_MOST_ONE, true, start, 6), 1e-12);
        assertArrayEquals(topr, gradient(Taper.FULL_RATIO, true, start, 6), 1e-12);
        double[] positives = gradient(Taper.GOOD_ONLY, true, start, 6);
        assertTrue(distance(topr, positives) > 1e-3);
    }

    @Test
    void offPolicyTheTapersDiffer() {
        double[] topr = gradient(Taper.CANONICAL, true, moved, 6);
        for (Taper other : Taper.values()) {
            assertTrue(other == Taper.CANONICAL || distance(topr, gradient(other, true, moved, 6)) > 1e-3, "" + other);
        }
    }

    private static double distance(double[] a, double[] b) {
        double largest = 0;
        for (int i = 0; i < a.length; i++) {
            largest = Math.max(largest, Math.abs(a[i] - b[i]));
        }
        return largest;
    }

    /// Forty steps on each of two rollouts, the first of which is four fifths wrong.
    @Test
    void learnsFromRolloutsThatItReplays() {
        double before = FirstLetter.reward(start, 2);
        double after = FirstLetter.learnt(new ToprMethod(Taper.CANONICAL, 0, true), 2, 40, 1e-2, 3);
        assertTrue(before < 0.4 && after > 0.8, before + " -> " + after);
    }

    @ParameterizedTest
    @CsvSource({"1.5", "-1.1", "NaN"})
    void badBaselinesAreRefused(double baseline) {
        var e = assertThrows(IllegalArgumentException.class, () -> new ToprMethod(Taper.CANONICAL, baseline, true));
        assertEquals("baseline must be in [-1, 1], was " + baseline, e.getMessage());
    }
}

package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.policy.SpineMethod.Selection;
import dev.kedge.tensor.InPlace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SpineMethodTest {
    private static final Selection TOP = new Selection.TopShare(0.5, 0.1, 0.5);

    /// With the anchor, whose denominator counts the forks of the whole step; on policy and off.
    @Test
    void microBatchesAddUpToTheBatch() {
        for (Selection selection : List.of(TOP, new Selection.Otsu(20))) {
            for (double memory : new double[] {0, 0.5, 1}) {
                var method = new SpineMethod(selection, 0.2, 0.3, 0.2, memory, 0.4);
                for (boolean onPolicy : new boolean[] {true, false}) {
                    double[] whole = step(method, onPolicy, 4);
                    assertArrayEquals(whole, step(method, onPolicy, 1), 1e-12, method + ", on policy: " + onPolicy);
                    assertTrue(Arrays.stream(whole).anyMatch(g -> Math.abs(g) > 1e-3));
                }
            }
        }
    }

    private static double[] step(SpineMethod method, boolean onPolicy, int questionsPerPass) {
        try (Decoder start = LetterEnvironment.decoder(1);
                Decoder drew = LetterEnvironment.decoder(2);
                Decoder moved = LetterEnvironment.decoder(3);
                Learner learner = method.learner(start)) {
            Rollouts rollouts = LetterEnvironment.sample(drew, 5);
            return LetterEnvironment.gradient(
                    learner, rollouts, onPolicy ? drew : moved, start, onPolicy, questionsPerPass);
        }
    }

    @Test
    void looksAtNoReward() {
        try (Decoder start = LetterEnvironment.decoder(1);
                Decoder policy = LetterEnvironment.decoder(2);
                Learner learner = new SpineMethod(TOP, 0.2, 0.3, 0.2, 0, 0.4).learner(start)) {
            Rollouts rollouts = LetterEnvironment.sample(policy, 5);
            assertArrayEquals(
                    LetterEnvironment.gradient(learner, rollouts, policy, start, true, 4),
                    LetterEnvironment.gradient(
                            learner, LetterEnvironment.withRewards(rollouts, 0.5), policy, start, true, 4));
        }
    }

    /// All tokens forks, neither band nor anchor: GRPO over tokens on the votes, with the deviation of the whole group.
    @Test
    void withEveryTokenAForkItIsTtrl() {
        try (Decoder start = LetterEnvironment.decoder(1);
                Decoder policy = LetterEnvironment.decoder(2)) {
            Rollouts rollouts = LetterEnvironment.sample(policy, 5);
            var all = new SpineMethod(new Selection.TopShare(1, 0.1, 0.5), 0.2, 0, 0, 0, 0);
            double[] votes = TtrlMethod.votes(rollouts).toDoubles();
            List<Score> scores = new ArrayList<>();
            for (int i = 0; i < votes.length; i++) {
                scores.add(new Score(votes[i], rollouts.scores().get(i).answer(), ""));
            }
            Rollouts voted =
                    new Rollouts(rollouts.sampler(), rollouts.questions(), rollouts.completions(), scores, 0, 0);
            double[] expected = LetterEnvironment.gradient(
                    new DapoMethod(0.2, 0.2, 0, 0).learner(start), voted, policy, start, true, 4);
            double[] found = LetterEnvironment.gradient(all.learner(start), rollouts, policy, start, true, 4);
            double ofDeviations = Math.sqrt(4 / 3.0); // of divisors G - 1 and G
            assertArrayEquals(Arrays.stream(expected).map(g -> g * ofDeviations).toArray(), found, 1e-5);
        }
    }

    /// Forks moved without votes: only the band acts, and it acts on the mean band of the first step.
    @Test
    void theBandOfTheFirstStepStays() {
        var method = new SpineMethod(TOP, 0.2, 0.3, 0.2, 1, 0);
        try (Decoder start = LetterEnvironment.decoder(1);
                Decoder other = LetterEnvironment.decoder(2);
                Learner learner = method.learner(start);
                Learner resumed = method.learner(start);
                Learner averaging = new SpineMethod(TOP, 0.2, 0.3, 0.2, 0.5, 0).learner(start)) {
            for (Learner each : List.of(learner, averaging)) {
                LetterEnvironment.gradient(each, LetterEnvironment.sample(start, 5), start, start, true, 4);
            }
            double[] first = learner.state().get("band").toDoubles();
            assertTrue(0 < first[0] && first[0] < first[1], Arrays.toString(first));
            InPlace.copy_(resumed.state().get("band"), learner.state().get("band"));
            Rollouts rollouts = LetterEnvironment.sample(other, 6);
            assertArrayEquals(
                    LetterEnvironment.gradient(learner, rollouts, other, start, true, 4),
                    LetterEnvironment.gradient(resumed, rollouts, other, start, true, 4));
            assertArrayEquals(first, learner.state().get("band").toDoubles());
            LetterEnvironment.gradient(averaging, rollouts, other, start, true, 4);
            assertNotEquals(first[1], averaging.state().get("band").toDoubles()[1]);
        }
    }

    /// Without labels it learns to agree with itself: of four words the commonest first letter is that of half.
    @Test
    void learnsToAgree() {
        double agreement = LetterEnvironment.learnt(new SpineMethod(TOP, 0.2, 0.05, 0.05, 0, 0), 80)[1];
        assertTrue(agreement > 0.8, "" + agreement);
    }

    @Test
    void refusesWhatMakesNoSense() {
        assertRefused("clip must be in (0, 1), was 1.0", () -> new SpineMethod(TOP, 1, 0, 0, 0, 0));
        assertRefused("low_strength must be finite and >= 0, was -1.0", () -> new SpineMethod(TOP, 0.2, -1, 0, 0, 0));
        assertRefused("memory must be in [0, 1], was 1.5", () -> new SpineMethod(TOP, 0.2, 0, 0, 1.5, 0));
        assertRefused("share must be in (0, 1], was 0.0", () -> new Selection.TopShare(0, 0.1, 0.5));
        assertRefused("0 <= low <= high <= 1 expected, were 0.6 and 0.5", () -> new Selection.TopShare(0.2, 0.6, 0.5));
        assertRefused("bins must be >= 2, was 1", () -> new Selection.Otsu(1));
    }

    private static void assertRefused(String line, Runnable made) {
        assertEquals(
                line, assertThrows(IllegalArgumentException.class, made::run).getMessage());
    }
}

package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Bootstrap;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

/// What could not be judged is not 0.
class HeldOutTest {
    private static final double NONE = Double.NaN;
    private static final Bootstrap BOOTSTRAP = new Bootstrap(100, 0.95, 1);

    /// Three answers to each question with these rewards; what was said does not matter.
    private static HeldOut heldOut(Score... scores) {
        int questions = scores.length / 3;
        try (Decoder any = RolloutBatchTest.decoder(1)) {
            Rollouts rollouts =
                    RolloutBatchTest.sampler(3, Truncated.JUDGED).sample(any, RolloutBatchTest.questions(questions), 1);
            return new HeldOut(
                    new Rollouts(
                            rollouts.sampler(), rollouts.questions(), rollouts.completions(), List.of(scores), 0, 0),
                    new double[questions]);
        }
    }

    private static HeldOut rewarded(double... rewards) {
        List<Score> scores = new ArrayList<>();
        for (double reward : rewards) {
            scores.add(new Score(reward, Optional.empty(), Double.isNaN(reward) ? "the judge slept" : ""));
        }
        return heldOut(scores.toArray(Score[]::new));
    }

    /// Means over judged answers, then over the questions that have one.
    @Test
    void meansAreOverWhatWasJudged() {
        HeldOut some = rewarded(1, NONE, 0, NONE, NONE, NONE, 0.25, 0.5, NONE);
        assertArrayEquals(new double[] {0.5, NONE, 0.375}, some.rewards().values());
        assertEquals(0.4375, some.rewards().mean().orElseThrow());
        assertEquals(0.4375, some.rewards().estimate(BOOTSTRAP).orElseThrow().value());
        assertArrayEquals(new double[] {1, NONE, 0}, some.passes().values(), "one right draw decides");
        assertEquals(3, some.lengths().judged().length, "a length needs no judge");
        assertEquals(5, some.unjudged().size());
        Map<String, Double> metrics = some.rollouts().metrics();
        assertEquals(1.75 / 4, metrics.get("reward"));
        assertEquals(0.25, metrics.get("right"));
        assertEquals(5.0, metrics.get("unjudged"));
        assertFalse(metrics.containsKey("groups/equal"), "no group was judged whole");
        double[] tilted = some.tilted(0).orElseThrow();
        assertArrayEquals(new double[] {0, 0.4375}, tilted, 1e-15);
        // E_q[max], where the tilt is strong: 1 and 0.5, at log 2 nats each.
        assertArrayEquals(new double[] {Math.log(2), 0.75}, some.tilted(1000).orElseThrow(), 1e-12);
    }

    @Test
    void ofNothingThereIsNoNumber() {
        HeldOut none = rewarded(NONE, NONE, NONE, NONE, NONE, NONE);
        assertTrue(none.rewards().mean().isEmpty());
        assertTrue(none.rewards().estimate(BOOTSTRAP).isEmpty());
        assertTrue(none.passes().estimate(BOOTSTRAP).isEmpty());
        assertTrue(none.tilted(1).isEmpty());
        assertTrue(none.reward(0).isEmpty());
        assertFalse(none.rollouts().metrics().containsValue(NONE));
        for (String name : List.of("reward", "right", "right/length", "groups/equal")) {
            assertFalse(none.rollouts().metrics().containsKey(name), name);
        }
        Summary summary = Summary.of("rlvr", Summary.Status.FINISHED, 1);
        HeldOut some = rewarded(1, 0, 1, 0, 0, 0);
        assertEquals(summary, PerQuestion.compared(summary, "reward", "", some.rewards(), none.rewards(), BOOTSTRAP));
        var policies = new LinkedHashMap<>(Map.of("the start", List.of(some)));
        assertEquals(summary, HeldOut.unjudged(summary, policies));
        policies.put("GRPO", List.of(some, none));
        Summary told = HeldOut.unjudged(summary, policies);
        assertEquals(6, told.number("held_out_answers_not_judged"));
        assertTrue(
                told.notes()
                        .getFirst()
                        .startsWith("Held-out answers that could not be judged: the start 0 of 6, GRPO 6 of 12 (first:"
                                + " the judge slept)."),
                told.notes().toString());
        assertEquals(
                1,
                rewarded(1, 1, 1, NONE, NONE, NONE)
                        .rewards()
                        .estimate(BOOTSTRAP)
                        .orElseThrow()
                        .value());
    }

    /// Selecting among N needs N judged answers on both sides.
    @Test
    void winRatesAreOfJudgedAnswers() {
        HeldOut mine = rewarded(1, NONE, 0, NONE, NONE, 1, 1, 1, 1);
        HeldOut theirs = rewarded(0, 0, NONE, 1, 1, 1, NONE, 0, 0);
        assertArrayEquals(new double[] {1, NONE, 1}, Selection.BEST.winRates(2, mine, theirs), 1e-12);
        assertArrayEquals(new double[] {0.75, 0.5, 1}, Selection.ANY.winRates(1, mine, theirs), 1e-12);
    }

    /// Of a proxy the truth decides what is right: a learned reward above 1 is no proof.
    @Test
    void aTruthThatIsNotKnownIsNotReplacedByItsProxy() {
        Score unknown = new Score(2, Optional.empty(), "the judge slept", OptionalDouble.of(NONE));
        Score right = new Score(-1, Optional.empty(), "", OptionalDouble.of(1));
        assertTrue(unknown.isProxy() && unknown.hasReward() && !unknown.isJudged() && !unknown.isRight());
        HeldOut some = heldOut(unknown, right, unknown, unknown, unknown, unknown);
        assertArrayEquals(new double[] {1, NONE}, some.truths().values());
        assertArrayEquals(new double[] {1, 2}, some.rewards().values());
        assertArrayEquals(new double[] {1, NONE}, some.passes().values());
        assertEquals(5, some.unjudged().size());
        assertEquals(
                Optional.of("5 of 6 completions have no true reward (first: the judge slept)"),
                some.rollouts().failure());
        assertEquals(1.0, some.rollouts().metrics().get("reward/true"));
        assertTrue(Overoptimization.Agreement.of(some.rollouts()).isEmpty(), "of one answer");
    }
}

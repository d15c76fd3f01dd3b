package dev.kedge.reproduction.trial;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.reproduction.asft.AsftExperiment;
import dev.kedge.reproduction.recap.RecapExperiment;
import dev.kedge.reproduction.trial.SkillsTask.Sequence;
import dev.kedge.tensor.Scope;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntBinaryOperator;
import org.junit.jupiter.api.Test;

class SkillsTaskTest {
    private final SplittableRandom random = new SplittableRandom(5);

    /// The answer's digits are those of the result, and a carry is 1 where a digit by digit reckoning has one.
    private static void assertReckoned(Sequence s, IntBinaryOperator operation) {
        long[] t = s.tokens();
        int a = (int) (10 * t[1] + t[2]);
        int b = (int) (10 * t[4] + t[5]);
        int result = operation.applyAsInt(a, b);
        assertEquals(Math.floorMod(result, 10), t[7]);
        assertEquals(Math.floorMod(Math.floorDiv(result, 10), 10), t[9]);
        int ofLast = operation.applyAsInt(a % 10, b % 10);
        assertEquals(ofLast < 0 || ofLast > 9 ? 1 : 0, t[8]);
        assertEquals(result < 0 || result > 99 ? 1 : 0, t[10]);
        assertEquals(t[0], t[3]);
    }

    @Test
    void sumsAndDifferencesAreRight() {
        for (int i = 0; i < 300; i++) {
            var easy = SkillsTask.easySum(random);
            assertReckoned(easy, (a, b) -> a + b);
            assertTrue(easy.tokens()[1] < 5 && easy.tokens()[4] < 5);
            var hard = SkillsTask.hardSum(random);
            assertReckoned(hard, (a, b) -> a + b);
            assertTrue(hard.tokens()[1] >= 5 || hard.tokens()[4] >= 5);
            assertReckoned(SkillsTask.difference(random), (a, b) -> a - b);
        }
    }

    @Test
    void aMistakeIsOneWrongDigitOfTheAnswer() {
        for (int i = 0; i < 100; i++) {
            var right = SkillsTask.hardSum(random);
            var wrong = right.withMistake(random);
            int differing = 0;
            for (int t = 0; t < SkillsTask.LENGTH; t++) {
                if (right.tokens()[t] != wrong.tokens()[t]) {
                    differing++;
                    assertTrue(t >= 7 && wrong.tokens()[t] >= 0 && wrong.tokens()[t] < 10);
                }
            }
            assertEquals(1, differing);
        }
    }

    @Test
    void oldFactsAndNewOnesShareNeitherKeysNorValues() {
        var task = new SkillsTask(random);
        var keys = new HashSet<List<Long>>();
        task.oldFacts().forEach(f -> assertTrue(f.tokens()[4] >= 18 && f.tokens()[4] < 26));
        task.newFacts().forEach(f -> assertTrue(f.tokens()[4] >= 26 && f.tokens()[4] < 34));
        task.oldFacts().forEach(f -> keys.add(List.of(f.tokens()[1], f.tokens()[2])));
        task.newFacts().forEach(f -> keys.add(List.of(f.tokens()[1], f.tokens()[2])));
        assertEquals(64, keys.size());
        assertNotEquals(
                Arrays.toString(task.oldFacts().getFirst().tokens()),
                Arrays.toString(new SkillsTask(random).oldFacts().getFirst().tokens()));
    }

    @Test
    void answersAreLabelled() {
        try (var _ = new Scope()) {
            var task = new SkillsTask(random);
            var sequences = List.of(SkillsTask.easySum(random), task.oldFacts().getFirst());
            long[] tokens = SkillsTask.tokens(sequences).toLongs();
            long[] labels = SkillsTask.labels(sequences).toLongs();
            for (int i = 0; i < labels.length; i++) {
                boolean answer = i < SkillsTask.LENGTH ? i >= 7 : i == SkillsTask.LENGTH + 4;
                assertEquals(answer ? tokens[i] : -100, labels[i], "position " + i);
            }
        }
    }

    /// Both lessons begin where the base stands, and the anchor shortens the way.
    @Test
    void theAnchorHolds() {
        var trial = AsftExperiment.trial(new AsftExperiment.Scale(30, 40, 20, 30), 6);
        for (var lesson : AsftExperiment.Lesson.values()) {
            assertEquals(0, trial.base().get(lesson).kl(), 1e-6);
            var after = trial.after().get(lesson);
            assertEquals(AsftExperiment.Method.values().length, after.size());
            double free = after.get(AsftExperiment.Method.SFT).kl();
            assertTrue(free > 1e-3, lesson.title);
            assertTrue(after.get(AsftExperiment.Method.SFT_100).kl() < free, lesson.title);
        }
        assertTrue(trial.highest() > 0 && trial.highest() < 1);
    }

    /// The same weights in any order: their spread is that of RECAP, and uniform replay has none.
    @Test
    void weightsSpreadOnlyWhereARuleGivesThem() {
        var results = RecapExperiment.trial(new RecapExperiment.Scale(30, 30, 20), 6);
        assertEquals(RecapExperiment.Method.values().length, results.size());
        assertEquals(0, results.get(RecapExperiment.Method.UNIFORM).spread());
        assertTrue(results.get(RecapExperiment.Method.LOSS_05).spread() > 0.01);
        assertTrue(results.get(RecapExperiment.Method.LOSS_5).spread()
                < results.get(RecapExperiment.Method.LOSS_05).spread());
        var start = results.get(RecapExperiment.Method.NONE).way().getFirst();
        results.forEach((method, result) -> assertEquals(start, result.way().getFirst(), method.title));
    }
}

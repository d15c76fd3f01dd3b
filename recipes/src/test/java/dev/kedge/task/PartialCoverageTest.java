package dev.kedge.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.TokenizedPair;
import dev.kedge.data.task.Problem;
import dev.kedge.recipe.TinyTask;
import dev.kedge.recipe.preference.HypoRecipe;
import dev.kedge.recipe.preference.HypoRecipeTest;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import dev.kedge.tensor.Device;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartialCoverageTest {
    @TempDir
    Path folder;

    @Test
    void pairsHoldNearMissesAndTheRestIsTheUncoveredMass() {
        HypoRecipe.Config config = HypoRecipeTest.config(0.4, List.of(0.1), TinyTask.optimisation(1, 8, 1e-3, 1), 60);
        try (Run run = Run.start(folder.resolve("run"), "hypo", config, Terminal.quiet());
                ArithmeticTask task = new ArithmeticTask(config.task(), run, Device.CPU, 3)) {
            PartialCoverage coverage = new PartialCoverage(task);
            List<TokenizedPair> pairs = coverage.pairs(150, 8, 3, run);
            assertTrue(pairs.size() > 20, pairs.size() + " pairs");
            pairs.forEach(pair -> assertNearMiss(task, pair));
            assertUncovered(task, coverage);
        }
    }

    private static void assertNearMiss(ArithmeticTask task, TokenizedPair pair) {
        String prompt = task.tokenizer().decode(Arrays.copyOf(pair.chosen().tokens(), pair.promptLength()));
        int[] right = pair.chosen().tokens();
        int[] wrong = pair.rejected().tokens();
        String said = task.tokenizer().decode(Arrays.copyOfRange(right, pair.promptLength(), right.length));
        assertEquals(task.solution(new Problem(prompt)), said);
        assertEquals(right.length - 2, Arrays.mismatch(right, wrong), "the last digit, before the end");
        assertEquals(right.length, wrong.length);
        assertEquals(right[right.length - 1], wrong[right.length - 1], "both end");
    }

    /// The tree gives the probability of one answer to each prompt; ten of them are covered.
    private static void assertUncovered(ArithmeticTask task, PartialCoverage coverage) {
        double[] uncovered = coverage.evaluate(task.reference()).uncovered();
        double[] expected = new double[uncovered.length];
        Arrays.fill(expected, 1);
        for (int digit = 0; digit < 10; digit++) {
            int d = digit;
            List<int[]> answers =
                    task.heldOut().stream().map(p -> coverage.covered(p).get(d)).toList();
            int end = task.tokenizer().eos().orElseThrow();
            var exact = AnswerTree.exact(
                    task.reference(), task.reference(), task.heldOutPrompts(), answers, end, ArithmeticTask.DEPTH);
            for (int i = 0; i < expected.length; i++) {
                expected[i] -= exact.get(i).reward();
            }
        }
        for (int i = 0; i < expected.length; i++) {
            assertTrue(expected[i] > 1e-3, "nothing is uncovered");
            assertEquals(expected[i], uncovered[i], 1e-5); // models are in float32
        }
    }
}

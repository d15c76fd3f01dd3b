package dev.kedge.recipe.game;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.recipe.preference.PairwiseJudge;
import dev.kedge.run.TrainingConfig;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InpoRecipeTest {
    @TempDir
    Path folder;

    private static InpoRecipe.Config config(double eta, List<Double> taus, int iterations, int batch, int microBatch) {
        TrainingConfig o = TinyTask.optimisation(20, batch, microBatch, 3e-3, 20);
        return new InpoRecipe.Config(
                TinyTask.sums(12, 60), new PairwiseJudge.Game(1), eta, taus, iterations, 20 * batch, o, "cpu", 1, 3);
    }

    /// Gaps are exact, so that no chance is left but that of training.
    @Test
    void thePolicyComesNearerToTheEquilibriumOfTheRegularisedGame() throws Exception {
        RecordedRun run =
                new RecordedRun(TinyTask.run("inpo", config(1, List.of(0.2, 0.0), 6, 64, 64), folder.resolve("run")));
        run.assertComplete("inpo");
        assertEquals(120, run.metrics("tau-0_2").size());
        assertEquals(120, run.metrics("tau-0_0").size());
        JsonNode arms = run.summary().get("frontier").get("arms");
        assertEquals(4, arms.size());
        double before = gap(arms.get(0), 0);
        double after = gap(arms.get(0), 6);
        assertTrue(after < 0.6 * before, before + " to " + after);
        double average = gap(arms.get(2), 6);
        assertTrue(average < 0.8 * before, before + " to " + average + " of the average");
    }

    private static double gap(JsonNode arm, int t) {
        return arm.get("points").get(t).get("y").asDouble();
    }

    /// In the first iteration π_t is the reference, so that tau makes no difference; from the second on it does.
    @Test
    void withoutReferenceOnlyTheFirstIterationIsTheSame() throws Exception {
        RecordedRun run =
                new RecordedRun(TinyTask.run("inpo", config(1, List.of(0.5, 0.0), 2, 8, 8), folder.resolve("run")));
        var with = run.metrics("tau-0_5");
        var without = run.metrics("tau-0_0");
        for (int step = 0; step < 20; step++) {
            assertEquals(
                    with.get(step).get("loss").asDouble(),
                    without.get(step).get("loss").asDouble(),
                    1e-4);
        }
        JsonNode arms = run.summary().get("frontier").get("arms");
        assertEquals(gap(arms.get(0), 1), gap(arms.get(1), 1), 1e-4);
        assertTrue(with.get(25).get("loss").asDouble()
                != without.get(25).get("loss").asDouble());
    }

    @Test
    void microBatchesGiveTheSameSteps() throws Exception {
        RecordedRun whole =
                new RecordedRun(TinyTask.run("inpo", config(1, List.of(0.5), 1, 8, 8), folder.resolve("whole")));
        RecordedRun parts =
                new RecordedRun(TinyTask.run("inpo", config(1, List.of(0.5), 1, 8, 3), folder.resolve("parts")));
        for (int step = 0; step < 20; step++) {
            assertEquals(
                    whole.metrics("tau-0_5").get(step).get("loss").asDouble(),
                    parts.metrics("tau-0_5").get(step).get("loss").asDouble(),
                    1e-3);
        }
    }

    @Test
    void whatCannotRunIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> config(0, List.of(0.5), 1, 8, 8));
        assertThrows(IllegalArgumentException.class, () -> config(1, List.of(0.5), 0, 8, 8));
        for (var taus : List.of(List.<Double>of(), List.of(0.0), List.of(0.5, 0.5), List.of(0.5, 2.0))) {
            var e = assertThrows(IllegalArgumentException.class, () -> config(1, taus, 1, 8, 8));
            assertEquals(
                    "taus must be different numbers from 0 to eta = 1.0, at least one, the first one > 0, were " + taus,
                    e.getMessage());
        }
    }
}

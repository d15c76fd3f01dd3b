package dev.kedge.recipe.game;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.recipe.game.EgpoRecipe.Method;
import dev.kedge.recipe.preference.PairwiseJudge;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.TrainingConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EgpoRecipeTest {
    @TempDir
    Path folder;

    private static EgpoRecipe.Config config(PairwiseJudge judge, double beta, List<Method> methods, TrainingConfig o) {
        return new EgpoRecipe.Config(TinyTask.sums(12, 60), judge, beta, methods, 2, 10, 4, o, 20, "cpu", 1, 3);
    }

    private static TrainingConfig steps(int steps, int batch, int microBatch, double rate) {
        return new TrainingConfig(
                steps,
                batch,
                microBatch,
                EpochBatches.Order.SHUFFLED,
                rate,
                Schedule.Shape.LINEAR,
                2,
                0.1,
                0.5,
                0.98,
                0.0,
                1.0,
                20,
                Optional.empty());
    }

    /// All numbers are exact, so that no chance is left but that of training.
    @Test
    void aPolicyComesNearerToTheEquilibrium() throws Exception {
        var config = config(
                new PairwiseJudge.Game(1), 0.2, List.of(Method.EGPO, Method.ONLINE_IPO), steps(120, 64, 64, 3e-3));
        RecordedRun run = new RecordedRun(TinyTask.run("egpo", config, folder.resolve("run")));
        run.assertComplete("egpo");
        assertEquals(120, run.metrics("egpo").size());
        assertEquals(120, run.metrics("online_ipo").size());
        for (JsonNode arm : run.summary().get("frontier").get("arms")) {
            assertEquals(7, arm.get("points").size());
            double before = arm.get("points").get(0).get("y").asDouble();
            double after = arm.get("points").get(6).get("y").asDouble();
            assertTrue(after < 0.85 * before, arm.get("name") + ": " + before + " to " + after);
        }
        JsonNode shares = run.summary().get("comparisons").get(2);
        double before = shares.get("before").get("value").asDouble();
        double after = shares.get("after").get("value").asDouble();
        assertTrue(after < 0.7 * before, shares.get("name") + ": " + before + " to " + after);
    }

    /// Both draw the same at the reference; what EGPO learns from next comes from half a step ahead, and the half step
    /// itself is undone.
    @Test
    void methodsDifferFromTheSecondStepOn() throws Exception {
        var config =
                config(new PairwiseJudge.Game(1), 0.5, List.of(Method.EGPO, Method.ONLINE_IPO), steps(20, 8, 8, 3e-3));
        RecordedRun run = new RecordedRun(TinyTask.run("egpo", config, folder.resolve("run")));
        var egpo = run.metrics("egpo");
        var ipo = run.metrics("online_ipo");
        assertEquals(ipo.getFirst().get("loss"), egpo.getFirst().get("loss"));
        assertEquals(ipo.getFirst().get("grad_norm"), egpo.getFirst().get("grad_norm"));
        assertTrue(ipo.get(1).get("loss").asDouble() != egpo.get(1).get("loss").asDouble());
    }

    @Test
    void microBatchesGiveTheSameStep() throws Exception {
        var judge = new PairwiseJudge.Exact(2);
        RecordedRun whole = new RecordedRun(TinyTask.run(
                "egpo", config(judge, 0.5, List.of(Method.EGPO), steps(2, 8, 8, 3e-3)), folder.resolve("whole")));
        RecordedRun parts = new RecordedRun(TinyTask.run(
                "egpo", config(judge, 0.5, List.of(Method.EGPO), steps(2, 8, 3, 3e-3)), folder.resolve("parts")));
        RecordedRun.assertClose(whole, parts, "egpo", 1e-4);
    }

    @Test
    void whatCannotRunIsRefused() {
        var o = steps(20, 8, 8, 3e-3);
        var judge = new PairwiseJudge.Game(1);
        assertThrows(IllegalArgumentException.class, () -> config(judge, 0, List.of(Method.EGPO), o));
        assertThrows(IllegalArgumentException.class, () -> config(judge, 0.5, List.of(), o));
        assertThrows(IllegalArgumentException.class, () -> config(judge, 0.5, List.of(Method.EGPO, Method.EGPO), o));
        var odd = assertThrows(
                IllegalArgumentException.class, () -> config(judge, 0.5, List.of(Method.EGPO), steps(21, 8, 8, 3e-3)));
        assertEquals("steps must be even and > 0, as an update takes two steps, was 21", odd.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new PairwiseJudge.Game(0.5));
        assertThrows(IllegalArgumentException.class, () -> new PairwiseJudge.Exact(0));
    }
}

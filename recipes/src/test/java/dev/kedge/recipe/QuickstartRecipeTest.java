package dev.kedge.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.config.ConfigException;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.sequence.Models;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.Device;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuickstartRecipeTest {
    @TempDir
    Path folder;

    static QuickstartRecipe.Config config(int evaluation) {
        return new QuickstartRecipe.Config(
                new ArithmeticTask.Config(9, 0.4, 16, 1, 2, 300, TinyTask.optimisation(60, 8, 1e-2, 30), evaluation),
                150,
                8,
                TinyTask.optimisation(15, 8, 5e-3, 15),
                List.of(0.5, 2.0),
                "cpu",
                1,
                3);
    }

    @Test
    void runsAndNoPolicyBeatsTheExactOptimum() throws Exception {
        RecordedRun run = new RecordedRun(TinyTask.run("quickstart", config(12), folder.resolve("run")));
        run.assertComplete("quickstart");
        assertEquals(60, run.metrics("pretraining").size());
        assertEquals(15, run.metrics("dpo-beta-0_5").size());
        assertEquals(15, run.metrics("dpo-beta-2_0").size());
        JsonNode frontier = run.summary().get("frontier");
        JsonNode points = frontier.get("arms").get(0).get("points");
        assertEquals(3, points.size());
        assertEquals(0, points.get(0).get("x").asDouble(), "the reference is at no distance from itself");
        for (int i = 1; i < 3; i++) {
            assertTrue(points.get(i).get("x").asDouble() > 1e-6, "a policy moves");
        }
        assertOptimal(frontier.get("optimum"), points);
        try (Decoder policy = Models.load(run.folder().resolve("model"), Device.CPU)) {
            assertEquals(16, policy.config().hiddenSize());
        }
        assertEquals(12, run.summary().get("samples").size());
    }

    /// The optimum at strength beta maximises reward less beta times divergence, so no point has more of it.
    private static void assertOptimal(JsonNode optimum, JsonNode points) {
        assertEquals(points.get(0).get("y").asDouble(), optimum.get(0).get("y").asDouble(), 1e-9);
        for (int i = 1; i < optimum.size(); i++) {
            double beta = 1 / (0.25 * i);
            double best = gain(optimum.get(i), beta);
            for (JsonNode point : points) {
                assertTrue(gain(point, beta) <= best + 1e-9, point + " beats the optimum at beta " + beta);
            }
            for (JsonNode other : optimum) {
                assertTrue(gain(other, beta) <= best + 1e-9, other + " beats the optimum at beta " + beta);
            }
        }
    }

    private static double gain(JsonNode point, double beta) {
        return point.get("y").asDouble() - beta * point.get("x").asDouble();
    }

    @Test
    void moreHeldOutSumsThanThereAre() {
        var e = assertThrows(
                ConfigException.class, () -> TinyTask.run("quickstart", config(1000), folder.resolve("run")));
        assertTrue(e.getMessage().matches("held_out is 1000, but there are only \\d+ held-out sums .* up to 9"));
    }
}

package dev.kedge.recipe.guidance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenarmFrontRecipeTest {
    @TempDir
    Path folder;

    private static GenarmFrontRecipe.Config config(List<Double> weights) {
        GenarmRecipe.Config like =
                GenarmRecipeTest.config(List.of(2.0), Optional.empty(), TinyTask.optimisation(80, 8, 5e-3, 80), 120);
        return new GenarmFrontRecipe.Config(
                like.task(), like.pairs(), like.beta(), like.alphas(), weights, like.training(), "cpu", 1, 3);
    }

    /// More weight on making promises makes more of them and keeps fewer.
    @Test
    void weightsMoveAlongTheFront() throws Exception {
        var config = config(List.of(1.0, 0.5, 0.0));
        RecordedRun recorded = new RecordedRun(TinyTask.run("genarm-front", config, folder.resolve("run")));
        recorded.assertComplete("genarm-front");
        JsonNode arms = recorded.summary().get("frontier").get("arms");
        for (int arm : new int[] {0, 1}) {
            JsonNode points = arms.get(arm).get("points");
            assertEquals("w 0.0", points.get(0).get("label").asText());
            assertEquals("w 1.0", points.get(2).get("label").asText());
            assertTrue(
                    GenarmRecipeTest.reward(points.get(0)) > GenarmRecipeTest.reward(points.get(2)) + 0.5,
                    points.toString());
            assertTrue(
                    points.get(0).get("x").asDouble() < points.get(2).get("x").asDouble(), points.toString());
        }
    }

    @Test
    void aSoupOfOneIngredientIsThatPolicy() {
        try (Decoder one = TinyTask.decoder(8, 1);
                Decoder other = TinyTask.decoder(8, 2);
                Decoder first = GenarmFrontRecipe.soup(one, 1, other);
                Decoder second = GenarmFrontRecipe.soup(one, 0, other);
                Decoder half = GenarmFrontRecipe.soup(one, 0.5, other)) {
            float[] ones = one.parameters().flat().toFloats();
            float[] others = other.parameters().flat().toFloats();
            assertArrayEquals(ones, first.parameters().flat().toFloats());
            assertArrayEquals(others, second.parameters().flat().toFloats());
            float[] mean = half.parameters().flat().toFloats();
            for (int i = 0; i < mean.length; i++) {
                assertEquals((ones[i] + others[i]) / 2, mean[i], 1e-6);
            }
        }
    }

    @Test
    void whatCannotBeIsRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> config(List.of(0.0, 1.0)));
        assertEquals("weights must be from 0 to 1, 0.5 among them, were [0.0, 1.0]", e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> config(List.of(0.5, 1.5)));
        assertEquals("weights must be from 0 to 1, 0.5 among them, were [0.5, 1.5]", e.getMessage());
    }
}

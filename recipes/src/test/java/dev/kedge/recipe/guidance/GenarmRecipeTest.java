package dev.kedge.recipe.guidance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.data.Tokenized;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.task.DelayedRewardTask;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

public class GenarmRecipeTest {
    private static final double BETA = 0.5;

    @TempDir
    Path folder;

    public static GenarmRecipe.Config config(
            List<Double> alphas, Optional<Integer> weak, TrainingConfig o, int pretraining) {
        return new GenarmRecipe.Config(
                new DelayedRewardTask.Config(
                        5, 0.3, 3, 5, 16, 1, 2, 2000, TinyTask.optimisation(pretraining, 8, 1e-2, pretraining), 200),
                400,
                BETA,
                alphas,
                weak,
                weak.map(_ -> new GenarmRecipe.Search(6, 150, List.of(2.0))),
                List.of(4, 8),
                o,
                "cpu",
                1,
                3);
    }

    /// With more weight of the reward model there is more reward than the base has, further away from it.
    @Test
    void rewardsGuideTheBase() throws Exception {
        var config = config(List.of(1.0, 4.0), Optional.of(8), TinyTask.optimisation(200, 8, 5e-3, 200), 200);
        RecordedRun run = new RecordedRun(TinyTask.run("genarm", config, folder.resolve("run")));
        run.assertComplete("genarm");
        List<ObjectNode> steps = run.metrics("rewards");
        assertEquals(200, steps.size());
        assertTrue(mean(steps, 180, 200) < mean(steps, 0, 20) - 0.1, "pairs are told apart");
        JsonNode arms = run.summary().get("frontier").get("arms");
        for (int arm : new int[] {0, 2}) { // guided by either reward model
            JsonNode base = point(arms.get(arm), "base");
            JsonNode one = point(arms.get(arm), "α 1.0");
            JsonNode four = point(arms.get(arm), "α 4.0");
            assertEquals(0, base.get("x").asDouble(), 1e-4, "sampler and trainer agree on the base");
            assertTrue(reward(one) > reward(base) + 0.2, one + " beside " + base);
            assertTrue(four.get("x").asDouble() > one.get("x").asDouble()
                    && one.get("x").asDouble() > 0.05);
            assertTrue(reward(four) > reward(base) + 0.2, four + " beside " + base);
        }
        JsonNode searched = point(arms.get(3), "w 2.0");
        assertTrue(searched.get("x").asDouble() > 0.05, searched.toString());
        JsonNode best = point(arms.get(4), "n 8");
        assertTrue(reward(best) > reward(point(arms.get(4), "base")) + 0.1, best.toString());
        assertEquals(Math.log(8) - 7 / 8.0, best.get("x").asDouble(), 1e-12);
        assertArrayEquals(
                Files.readAllBytes(run.folder().resolve("policies/rewards/model.safetensors")),
                Files.readAllBytes(run.folder().resolve("model/model.safetensors")));
    }

    /// DPO's loss is log 2 where policy and reference are one; that of the reward model, which has no reference, is
    /// not. With next to no weight it leaves the base what it is.
    @Test
    void rewardsHaveNoReference() throws Exception {
        var config = config(List.of(1.0, 1e-6), Optional.empty(), TinyTask.optimisation(2, 8, 1e-3, 2), 40);
        RecordedRun run = new RecordedRun(TinyTask.run("genarm", config, folder.resolve("run")));
        assertEquals(
                Math.log(2), run.metrics("dpo-beta-0_5").getFirst().get("loss").asDouble(), 1e-6);
        ObjectNode first = run.metrics("rewards").getFirst();
        assertTrue(Math.abs(first.get("loss").asDouble() - Math.log(2)) > 0.01, first.toString());
        assertTrue(first.get("reward/chosen").asDouble() < -1, "log-probs of whole answers: " + first);
        JsonNode guided = run.summary().get("frontier").get("arms").get(0);
        JsonNode still = point(guided, "α 1.0E-6");
        assertEquals(0, still.get("x").asDouble(), 1e-3);
        assertEquals(reward(point(guided, "base")), reward(still), 0.05);
    }

    /// With as many candidates as there are tokens and no weight, search draws from the base itself.
    @Test
    void searchWithoutWeightIsTheBase() {
        Decoder base = TinyTask.decoder(8, 1);
        try (base;
                Decoder rewards = TinyTask.decoder(8, 2)) {
            var search = new ArgsDecoding(base, rewards, 1, 8, 2, 5);
            List<int[]> prompts = List.of(new int[] {1, 3}, new int[] {1, 4}, new int[] {1, 5});
            List<Completion> drawn = search.draw(prompts, 0, 7);
            double[] expected = SequenceScores.of(
                    base,
                    drawn.stream()
                            .map(c -> Tokenized.ofReply(prompts.get(c.prompt()), c.tokens()))
                            .toList(),
                    0,
                    1);
            for (int i = 0; i < expected.length; i++) {
                double sum = 0;
                for (float logProb : drawn.get(i).logProbs()) {
                    sum += logProb;
                }
                assertEquals(expected[i], sum, 1e-5);
                assertEquals(drawn.get(i).tokens().length, drawn.get(i).logProbs().length);
            }
            assertTrue(search.draw(prompts, 50, 7).stream()
                    .anyMatch(c ->
                            !Arrays.equals(c.tokens(), drawn.get(c.prompt()).tokens())));
        }
    }

    private static double mean(List<ObjectNode> steps, int from, int to) {
        return steps.subList(from, to).stream()
                .mapToDouble(step -> step.get("loss").asDouble())
                .average()
                .orElseThrow();
    }

    static double reward(JsonNode point) {
        JsonNode y = point.get("y");
        return y.isNumber() ? y.asDouble() : y.get("value").asDouble();
    }

    private static JsonNode point(JsonNode arm, String label) {
        for (JsonNode point : arm.get("points")) {
            if (point.path("label").asText().equals(label)) {
                return point;
            }
        }
        throw new AssertionError("no point " + label + " in " + arm);
    }

    @Test
    void whatCannotBeIsRefused() {
        TrainingConfig o = TinyTask.optimisation(2, 8, 1e-3, 2);
        var e = assertThrows(IllegalArgumentException.class, () -> config(List.of(1.0, 0.0), Optional.empty(), o, 2));
        assertEquals("alphas must be finite numbers > 0, at least one, were [1.0, 0.0]", e.getMessage());
        var c = config(List.of(1.0), Optional.empty(), o, 2);
        e = assertThrows(
                IllegalArgumentException.class,
                () -> new GenarmRecipe.Config(
                        c.task(), 0, 0.5, c.alphas(), c.weak(), c.search(), c.best(), o, "cpu", 1, 3));
        assertEquals("pairs >= 1 and a finite beta > 0 expected, were 0 and 0.5", e.getMessage());
        e = assertThrows(
                IllegalArgumentException.class,
                () -> new GenarmRecipe.Config(
                        c.task(), 1, 0.5, c.alphas(), c.weak(), c.search(), List.of(1), o, "cpu", 1, 3));
        assertEquals("best must be numbers >= 2, were [1]", e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> config(List.of(1.0), Optional.of(9), o, 2));
        assertEquals("weak must be a multiple of the heads, 2, was 9", e.getMessage());
        var wide = Optional.of(new GenarmRecipe.Search(14, 3, List.of(1.0)));
        e = assertThrows(
                IllegalArgumentException.class,
                () -> new GenarmRecipe.Config(c.task(), 1, 0.5, c.alphas(), c.weak(), wide, c.best(), o, "cpu", 1, 3));
        assertEquals("candidates must be at most the vocabulary's 13 tokens, were 14", e.getMessage());
        e = assertThrows(
                IllegalArgumentException.class, () -> new DelayedRewardTask.Config(4, 0.3, 3, 5, 16, 1, 2, 10, o, 2));
        assertEquals("letters from 5 to 26 and share in (0, 1) expected, were 4 and 0.3", e.getMessage());
    }
}

package dev.kedge.recipe.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.Device;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

public class HypoRecipeTest {
    private static final double BETA = 0.5;

    @TempDir
    Path folder;

    public static HypoRecipe.Config config(
            double mistakes, List<Double> lambdas, TrainingConfig hypo, int pretraining) {
        return new HypoRecipe.Config(
                new ArithmeticTask.Config(
                        9, mistakes, 16, 1, 2, 300, TinyTask.optimisation(pretraining, 8, 1e-2, pretraining), 12),
                150,
                8,
                List.of(BETA),
                lambdas,
                3,
                hypo,
                "cpu",
                1,
                3);
    }

    /// A hundred times the usual weight leaves the policy next to its reference, wherever DPO went.
    @Test
    void learnsFromPairsAndIsHeldByItsOwnAnswers() throws Exception {
        var config = config(0.4, List.of(0.01, 3.0), TinyTask.optimisation(40, 8, 5e-3, 40), 60);
        RecordedRun run = new RecordedRun(TinyTask.run("hypo", config, folder.resolve("run")));
        run.assertComplete("hypo");
        List<ObjectNode> steps = run.metrics("hypo-lambda-0_01");
        assertEquals(40, steps.size());
        assertEquals(Math.log(2), steps.getFirst().get("loss").asDouble(), 1e-6, "at the reference all is level");
        assertEquals(0, steps.getFirst().get("online/kl").asDouble(), 1e-6);
        assertTrue(
                steps.getLast().get("loss/dpo").asDouble() < 0.6,
                steps.getLast().toString());
        for (ObjectNode step : steps) {
            assertEquals(
                    step.get("loss/dpo").asDouble()
                            + 0.01 * step.get("online/kl").asDouble(),
                    step.get("loss").asDouble(),
                    1e-12);
            double tokens = step.get("online/tokens").asDouble();
            assertTrue(tokens >= 1 && tokens <= ArithmeticTask.DEPTH, "mean length of the answers: " + tokens);
            assertTrue(step.get("sampler/difference").asDouble() < 1e-4, step.toString());
        }
        JsonNode arms = run.summary().get("frontier").get("arms");
        double dpo = kl(arms.get(0), "β 0.5");
        double held = kl(arms.get(1), "λ 3.0");
        assertTrue(held < dpo / 2, "KL " + held + " under a strong penalty, " + dpo + " without");
        double exact = kl(arms.get(1), "λ 0.01");
        double drawn = steps.subList(30, 40).stream()
                .mapToDouble(step -> step.get("online/kl").asDouble())
                .average()
                .orElseThrow();
        assertEquals(1, drawn / exact, 0.5, "other sums, and 240 answers: " + drawn + " against " + exact);
        try (Decoder policy = Models.load(run.folder().resolve("model"), Device.CPU)) {
            assertEquals(16, policy.config().hiddenSize());
        }
    }

    private static double kl(JsonNode arm, String label) {
        for (JsonNode point : arm.get("points")) {
            if (point.path("label").asText().equals(label)) {
                return point.get("x").asDouble();
            }
        }
        throw new AssertionError("no point " + label + " in " + arm);
    }

    @Test
    void withoutWeightItIsDpo() throws Exception {
        var config = config(0.4, List.of(1e-12), TinyTask.optimisation(15, 8, 5e-3, 15), 60);
        RecordedRun run = new RecordedRun(TinyTask.run("hypo", config, folder.resolve("run")));
        List<ObjectNode> dpo = run.metrics("dpo-beta-0_5");
        List<ObjectNode> hypo = run.metrics("hypo-lambda-1_0E-12");
        assertEquals(15, hypo.size());
        for (int step = 0; step < 15; step++) {
            assertEquals(
                    dpo.get(step).get("loss").asDouble(),
                    hypo.get(step).get("loss/dpo").asDouble(),
                    1e-4,
                    "step " + (step + 1));
        }
        assertTrue(dpo.getLast().get("loss").asDouble() < 0.68, "nothing was learnt that could differ");
    }

    @Test
    void partsOfABatchAddUpToTheWhole() throws Exception {
        RecordedRun[] runs = new RecordedRun[2];
        for (int i = 0; i < 2; i++) {
            TrainingConfig parts = TinyTask.optimisation(6, i == 0 ? 8 : 3, 3e-3, 6); // 3, 3 and 2
            runs[i] = new RecordedRun(
                    TinyTask.run("hypo", config(0.4, List.of(0.5), parts, 60), folder.resolve("run" + i)));
        }
        RecordedRun.assertClose(runs[0], runs[1], "hypo-lambda-0_5", 1e-4);
    }

    @Test
    void withoutAPairThereIsNothingToLearn() {
        var config = config(0.0, List.of(0.1), TinyTask.optimisation(2, 8, 1e-3, 2), 1);
        var e = assertThrows(
                RunFailedException.class,
                () -> TinyTask.run(
                        "hypo",
                        new HypoRecipe.Config(
                                config.task(), 1, 2, List.of(1.0), List.of(1.0), 2, config.training(), "cpu", 1, 3),
                        folder.resolve("run")));
        assertTrue(e.getMessage().startsWith("the reference never gives both the right answer and a near miss"));
    }

    @Test
    void whatCannotBeIsRefused() {
        TrainingConfig o = TinyTask.optimisation(2, 8, 1e-3, 2);
        var e = assertThrows(IllegalArgumentException.class, () -> config(0.4, List.of(0.1, 0.0), o, 60));
        assertEquals("lambdas must be finite numbers > 0, at least one, were [0.1, 0.0]", e.getMessage());
        var c = config(0.4, List.of(0.1), o, 60);
        e = assertThrows(
                IllegalArgumentException.class,
                () -> new HypoRecipe.Config(c.task(), 1, 2, List.of(1.0), c.lambdas(), 1, o, "cpu", 1, 3));
        assertEquals("prompts >= 1, answers >= 2 and samples >= 2 expected, were 1, 2 and 1", e.getMessage());
    }
}

package dev.kedge.recipe.continual;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.data.task.Copying;
import dev.kedge.data.task.GeneratedTask;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.supervised.Recap;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.recipe.continual.RecapRecipe.Signal;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.tensor.Device;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

public class RecapRecipeTest {
    private static final int WINDOW = 3;

    @TempDir
    Path folder;

    public static Recap.Rule rule(double temperature) {
        return new Recap.Rule(WINDOW, temperature, 1e-8, 10);
    }

    /// A word again, then words reversed.
    public static RecapRecipe.Config config(Signal signal, List<Recap.Rule> rules, TrainingConfig o) {
        List<GeneratedTask> tasks = List.of(new Copying("abcdefgh", 2, 2, false), new Copying("abcdefgh", 2, 2, true));
        return new RecapRecipe.Config(tasks, 32, 1, 2, 300, 100, signal, rules, o, 10, 30, "cpu", 1, 3);
    }

    private RecordedRun run(String name, RecapRecipe.Config config) throws Exception {
        return new RecordedRun(TinyTask.run("recap", config, folder.resolve(name)));
    }

    @Test
    void replayKeepsWhatIsForgottenWithoutIt() throws Exception {
        RecordedRun run =
                run("run", config(Signal.LOSS, List.of(rule(0.5)), TinyTask.optimisation(600, 32, 32, 5e-3, 600)));
        run.assertComplete("recap");
        JsonNode comparisons = run.summary().get("comparisons");
        double learnt = comparisons.get(0).get("before").get("value").asDouble();
        double recap = comparisons.get(0).get("after").get("value").asDouble();
        double uniform = comparisons.get(1).get("after").get("value").asDouble();
        double none = comparisons.get(2).get("after").get("value").asDouble();
        assertTrue(learnt > 0.6, "copying was not learnt: " + comparisons);
        assertTrue(none < 0.5 && recap > none + 0.3 && uniform > none + 0.3, comparisons.toString());
        JsonNode arms = run.summary().get("frontier").get("arms");
        assertEquals(3, arms.size());
        assertEquals(2, arms.get(0).get("points").size());
        assertEquals(4, run.summary().get("samples").size());
        List<ObjectNode> steps = run.metrics("none");
        assertEquals(
                none,
                steps.getLast().get("accuracy/1-copying").asDouble(),
                1e-9,
                "the policy that was kept is the one that was trained");
        assertFalse(steps.getFirst().has("loss/1-copying"), "nothing is replayed");
        try (Decoder policy = Models.load(run.folder().resolve("model"), Device.CPU)) {
            assertEquals(32, policy.config().hiddenSize());
        }
    }

    /// Weights are those that the logged losses give, reckoned again in plain doubles; on rewards they are others.
    @Test
    void weightsFollowTheSignal() throws Exception {
        for (Signal signal : Signal.values()) {
            RecordedRun run =
                    run(signal.name(), config(signal, List.of(rule(0.5)), TinyTask.optimisation(20, 16, 16, 5e-3, 20)));
            List<ObjectNode> steps = run.metrics("recap-t-0_5-w-3");
            assertEquals(20, steps.size());
            double furthest = 0;
            double error = 0;
            for (int i = 0; i < 20; i++) {
                double old = steps.get(i).get("weight/1-copying").asDouble();
                double fresh = steps.get(i).get("weight/2-copying").asDouble();
                assertEquals(2, old + fresh, 1e-9);
                assertEquals(
                        (old * steps.get(i).get("loss/1-copying").asDouble()
                                        + fresh
                                                * steps.get(i)
                                                        .get("loss/2-copying")
                                                        .asDouble())
                                / 2,
                        steps.get(i).get("loss").asDouble(),
                        1e-5);
                double expected = 1;
                if (i >= 2 * WINDOW - 1) {
                    double ratio = priority(steps, "loss/1-copying", i) - priority(steps, "loss/2-copying", i);
                    expected = 2 / (1 + Math.exp(ratio / 0.5));
                } else {
                    assertEquals(1, fresh, "two windows come first");
                }
                error = Math.max(error, Math.abs(fresh - expected));
                furthest = Math.max(furthest, Math.abs(fresh - 1));
            }
            assertTrue(furthest > 0.02, signal + ": no weight but 1");
            assertTrue(signal == Signal.LOSS ? error < 1e-4 : error > 1e-2, signal + ": " + error);
            run.metrics("uniform")
                    .forEach(
                            step -> assertEquals(1, step.get("weight/2-copying").asDouble()));
        }
    }

    /// `μ/μ' + σ/(μ + μ')` of the windows that end with a step.
    private static double priority(List<ObjectNode> steps, String loss, int step) {
        double before = 0;
        double mean = 0;
        double squares = 0;
        for (int i = 0; i < WINDOW; i++) {
            double late = steps.get(step - i).get(loss).asDouble();
            mean += late / WINDOW;
            squares += late * late / WINDOW;
            before += steps.get(step - WINDOW - i).get(loss).asDouble() / WINDOW;
        }
        return mean / before + Math.sqrt(squares - mean * mean) / (mean + before);
    }

    @Test
    void atAHighTemperatureItIsUniform() throws Exception {
        RecordedRun run =
                run("run", config(Signal.LOSS, List.of(rule(1e9)), TinyTask.optimisation(12, 8, 8, 3e-3, 12)));
        List<ObjectNode> recap = run.metrics("recap-t-1_0E9-w-3");
        List<ObjectNode> uniform = run.metrics("uniform");
        assertEquals(12, recap.size());
        for (int i = 0; i < 12; i++) {
            assertEquals(
                    uniform.get(i).get("loss").asDouble(),
                    recap.get(i).get("loss").asDouble(),
                    1e-5,
                    "step " + (i + 1));
        }
    }

    @Test
    void partsOfABatchAddUpToTheWhole() throws Exception {
        RecordedRun[] runs = new RecordedRun[2];
        for (int i = 0; i < 2; i++) {
            TrainingConfig parts = TinyTask.optimisation(9, 8, i == 0 ? 8 : 3, 3e-3, 9); // one part holds both tasks
            runs[i] = run("run" + i, config(Signal.LOSS, List.of(rule(0.5)), parts));
        }
        RecordedRun.assertClose(runs[0], runs[1], "recap-t-0_5-w-3", 1e-4);
    }

    @Test
    void whatCannotBeIsRefused() {
        var c = config(Signal.LOSS, List.of(rule(5)), TinyTask.optimisation(2, 8, 8, 1e-3, 2));
        var e = assertThrows(
                IllegalArgumentException.class, () -> config(Signal.LOSS, List.of(rule(5), rule(5)), c.training()));
        assertTrue(
                e.getMessage().startsWith("rules must be one or more, none with the temperature and window of"),
                e.getMessage());
        e = assertThrows(
                IllegalArgumentException.class,
                () -> config(Signal.LOSS, c.rules(), TinyTask.optimisation(2, 1, 1, 1e-3, 2)));
        assertEquals("training needs a batch_size of 2 or more, one example of each task, was 1", e.getMessage());
        e = assertThrows(
                IllegalArgumentException.class,
                () -> new RecapRecipe.Config(
                        c.tasks(), 16, 1, 2, 20, 21, c.signal(), c.rules(), c.training(), 1, 2, "cpu", 1, 3));
        assertEquals(
                "examples >= 1, memory from 1 to examples, evaluate_every >= 1 and held_out >= 2 expected, were 20,"
                        + " 21, 1 and 2",
                e.getMessage());
        e = assertThrows(
                IllegalArgumentException.class,
                () -> new RecapRecipe.Config(
                        c.tasks().subList(0, 1),
                        16,
                        1,
                        2,
                        20,
                        2,
                        c.signal(),
                        c.rules(),
                        c.training(),
                        1,
                        2,
                        "cpu",
                        1,
                        3));
        assertEquals("tasks must be 2 to 9, were 1", e.getMessage());
    }
}

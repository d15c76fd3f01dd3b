package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.data.task.Copying;
import dev.kedge.objective.selection.QuantileTransform;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.TrainingConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

public class RlvrRecipeTest {
    @TempDir
    Path folder;

    /// A decoder of a few thousand numbers that has seen words copied, and has begun to understand.
    static Environment.Generated environment(int pretraining) {
        return new Environment.Generated(
                new Copying("abcd", 2, 3, false),
                0.7,
                16,
                1,
                2,
                2000,
                TinyTask.optimisation(pretraining, 8, 1e-2, 1000),
                40,
                10,
                Optional.empty());
    }

    public static RlvrRecipe.Config config(
            List<PolicyMethod> methods, TrainingConfig rl, int stepsPerRollout, int passes) {
        return new RlvrRecipe.Config(
                environment(60),
                methods,
                4,
                1.0,
                Truncated.JUDGED,
                rl,
                stepsPerRollout,
                passes,
                20,
                4,
                20,
                "cpu",
                1,
                3);
    }

    private RecordedRun run(RlvrRecipe.Config config) throws Exception {
        return new RecordedRun(TinyTask.run("rlvr", config, Files.createTempDirectory(folder, "run")));
    }

    private static double[] numbers(RecordedRun run, String phase, String metric) throws Exception {
        return run.metrics(phase).stream()
                .mapToDouble(m -> m.get(metric).asDouble())
                .toArray();
    }

    /// All of the family learn from the verifier: in their last third answers are right more often than in their first
    /// steps, by far more than the standard error of either.
    @Test
    void rewardsGrow() throws Exception {
        List<PolicyMethod> methods = List.of(new GrpoMethod(0.2, 0.01), new RlooMethod(0.01), new ReinforceMethod());
        RecordedRun run = run(config(methods, TinyTask.optimisation(120, 8, 1e-2, 120), 1, 1));
        run.assertComplete("rlvr");
        for (String phase : List.of("grpo", "rloo", "reinforce")) {
            double[] rewards = numbers(run, phase, "reward");
            double before = Arrays.stream(rewards, 0, 8).average().orElseThrow();
            double after = Arrays.stream(rewards, 80, 120).average().orElseThrow();
            double error = Math.sqrt(0.25 / (8 * 32) + 0.25 / (40 * 32)); // of rewards from 0 to 1;
            assertTrue(after - before > 4 * error, phase + " from " + before + " to " + after);
        }
    }

    @Test
    void microBatchesAddUpToTheBatch() throws Exception {
        List<PolicyMethod> methods = List.of(
                new GrpoMethod(0.2, 0.05),
                new DrGrpoMethod(0.2),
                new DapoMethod(0.2, 0.28, 2, 1),
                new GspoMethod(0.01, 0.02),
                new PpoClipMethod(0.2),
                new RlooMethod(0.1),
                new ReinforceMethod(),
                new TtrlMethod(0.2));
        RecordedRun[] runs = new RecordedRun[2];
        for (int i = 0; i < 2; i++) {
            runs[i] = run(config(methods, TinyTask.optimisation(4, i == 0 ? 8 : 3, 1e-3, 4), 2, 1));
        }
        for (String phase : List.of("grpo", "dr-grpo", "dapo", "gspo", "ppo-clip", "rloo", "reinforce", "ttrl")) {
            RecordedRun.assertClose(runs[0], runs[1], phase, 1e-4);
        }
    }

    /// Where the policy that drew learns at once, the sampler's numbers are the trainer's, and nothing is clipped; on
    /// the same rollouts, later, ratios leave 1.
    @Test
    void onlyTheFirstStepOnRolloutsIsOnPolicy() throws Exception {
        RecordedRun run = run(config(List.of(new GrpoMethod(0.01, 0)), TinyTask.optimisation(8, 8, 1e-2, 8), 4, 2));
        List<ObjectNode> steps = run.metrics("grpo");
        for (int step = 0; step < 8; step++) {
            ObjectNode metrics = steps.get(step);
            if (step % 4 == 0) {
                assertTrue(metrics.get("sampler/difference").asDouble() < 1e-4, "step " + step);
                assertEquals(1, metrics.get("ratio").asDouble(), 1e-9);
                assertEquals(0, metrics.get("clip/share").asDouble());
            } else {
                assertTrue(metrics.path("sampler/difference").isMissingNode());
                assertTrue(Math.abs(metrics.get("kl/old").asDouble()) > 0);
            }
            // The rollouts are the same, and so is what is said of them.
            assertEquals(steps.get(step / 4 * 4).get("entropy"), metrics.get("entropy"), "step " + step);
        }
    }

    /// At the start policy and reference are one.
    @Test
    void divergenceIsCountedFromTheStart() throws Exception {
        RecordedRun run = run(config(List.of(new GrpoMethod(0.2, 0)), TinyTask.optimisation(30, 8, 1e-2, 30), 1, 1));
        double[] kl = numbers(run, "grpo", "kl");
        assertEquals(0, kl[0], 1e-6);
        assertTrue(kl[29] > 0.01, "kl " + kl[29]);
        var points = run.summary().get("frontier").get("arms").get(0).get("points");
        assertEquals(0, points.get(0).get("x").asDouble(), 1e-6);
        var held = run.metrics("held_out-grpo");
        assertEquals(
                List.of(20, 30), held.stream().map(m -> m.get("step").asInt()).toList());
        for (int i = 0; i < held.size(); i++) {
            assertEquals(held.get(i).get("kl"), points.get(i + 1).get("x"));
            assertEquals(held.get(i).get("reward"), points.get(i + 1).get("y"));
        }
    }

    /// A policy that learnt for selection is evaluated by it, too: what is logged is what the page shows, and the start
    /// wins half of the time.
    @Test
    void selectionIsEvaluated() throws Exception {
        List<PolicyMethod> methods =
                List.of(new InfalignMethod(new QuantileTransform.Identity(), 0.01, 16, 2), new RlooMethod(0.01));
        RecordedRun run = run(config(methods, TinyTask.optimisation(80, 8, 1e-2, 80), 1, 1));
        String[] uses = {"win/any", "win/best", "win/worst"};
        var frontiers = run.summary().get("more_frontiers");
        assertEquals(3, frontiers.size());
        for (int use = 0; use < 3; use++) {
            for (int method = 0; method < 2; method++) {
                var points = frontiers.get(use).get("arms").get(method).get("points");
                var held = run.metrics(method == 0 ? "held_out-infalign-identity" : "held_out-rloo");
                assertEquals(5, points.size());
                assertEquals(0.5, points.get(0).get("y").asDouble());
                for (int i = 0; i < 4; i++) {
                    assertEquals(held.get(i).get(uses[use]), points.get(i + 1).get("y"));
                    assertEquals(held.get(i).get("kl"), points.get(i + 1).get("x"));
                }
            }
        }
        double[] quantiles = numbers(run, "infalign-identity", "quantile");
        double after = Arrays.stream(quantiles, 70, 80).average().orElseThrow();
        double error = Math.sqrt(0.25 / (10 * 32) + 0.25 / (40 * 16)); // of answers, and of what they are held against
        assertTrue(after > 0.5 + 4 * error, "from 0.5 to " + after);
    }

    /// The start is made once for all runs beside each other.
    @Test
    void theStartIsMadeOnce() throws Exception {
        RlvrRecipe.Config config = config(List.of(new GrpoMethod(0.2, 0)), TinyTask.optimisation(2, 8, 1e-2, 2), 1, 1);
        RecordedRun first = run(config);
        RecordedRun second = run(config);
        assertEquals(60, first.metrics("pretraining").size());
        assertEquals(0, second.metrics("pretraining").size());
        assertEquals(first.metrics("grpo"), second.metrics("grpo"));
    }

    @Test
    void numbersThatCannotBeAreRefused() {
        TrainingConfig o = TinyTask.optimisation(4, 8, 1e-2, 4);
        List<PolicyMethod> grpo = List.of(new GrpoMethod(0.2, 0));
        assertRefused("methods must be different, at least one, were []", () -> config(List.of(), o, 1, 1));
        assertRefused(
                "steps_per_rollout must be a multiple of passes, both >= 1, were 4 and 3", () -> config(grpo, o, 4, 3));
        assertRefused("clip must be in (0, 1), was 1.0", () -> new GrpoMethod(1, 0));
        assertRefused(
                "samples must be at least what methods select from, 5, was 4",
                () -> config(List.of(new InfalignMethod(new QuantileTransform.Identity(), 0.1, 8, 5)), o, 1, 1));
        assertRefused("beta must be finite and >= 0, was -0.1", () -> new GrpoMethod(0.2, -0.1));
        assertRefused(
                "group >= 2 and a finite temperature > 0 expected, were 4 and 0.0",
                () -> new RlvrRecipe.Config(
                        environment(1), grpo, 4, 0, Truncated.JUDGED, o, 1, 1, 1, 1, 1, "cpu", 1, 1));
        assertRefused(
                "rightness must be in (0, 1], was 0.0",
                () -> new Environment.Generated(
                        new Copying("ab", 1, 2, false), 0, 16, 1, 2, 10, o, 10, 10, Optional.empty()));
    }

    private static void assertRefused(String message, org.junit.jupiter.api.function.Executable configuration) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, configuration).getMessage());
    }
}

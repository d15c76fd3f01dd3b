package dev.kedge.recipe.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.TrainingConfig;
import dev.kedge.task.ArithmeticTask;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

public class XpoRecipeTest {
    @TempDir
    Path folder;

    /// At first policy and reference are one, so either answer is as likely to be chosen; later the policy's own wins
    /// more often, by far more than its standard error.
    @Test
    void thePolicysAnswersComeToBePreferred() throws Exception {
        TrainingConfig pretraining = TinyTask.optimisation(300, 8, 1e-2, 300);
        ArithmeticTask.Config task = new ArithmeticTask.Config(4, 0.6, 16, 1, 2, 300, pretraining, 2);
        RecordedRun run = run(new XpoRecipe.Config(
                task,
                50,
                new PairwiseJudge.Exact(20),
                0.1,
                List.of(0.0),
                TinyTask.optimisation(300, 32, 4e-3, 100),
                300,
                "cpu",
                1,
                3));
        run.assertComplete("xpo");
        double[] chosen = numbers(run, "alpha-0_0", "policy/chosen");
        double after = Arrays.stream(chosen, 150, 300).average().orElseThrow();
        double error = Math.sqrt(0.25 / (150 * 32));
        assertTrue(after - 0.5 > 4 * error, after + " of 4800 pairs, standard error " + error);
    }

    /// Where policy and reference are one the preference term is log 2, whoever was chosen.
    @Test
    void theFirstStepIsThatOfEqualModels() throws Exception {
        RecordedRun run = run(config(List.of(0.02), TinyTask.optimisation(3, 8, 1e-2, 3), 40));
        ObjectNode first = run.metrics("alpha-0_02").getFirst();
        assertEquals(Math.log(2), first.get("loss/preference").asDouble(), 1e-5);
        assertEquals(
                first.get("loss/preference").asDouble() + first.get("bonus").asDouble(),
                first.get("loss").asDouble(),
                1e-5);
        assertTrue(first.get("bonus").asDouble() < 0, "log-probs are below 0");
        assertTrue(first.get("sampler/difference").asDouble() < 1e-5);
    }

    /// The bonus is paid for leaving the reference: with a large one the policy is further from it, exactly.
    @Test
    void theBonusDrivesThePolicyFromItsReference() throws Exception {
        RecordedRun run = run(config(List.of(0.0, 0.3), TinyTask.optimisation(60, 8, 5e-3, 60), 100));
        var arms = run.summary().get("frontier").get("arms");
        double without = arms.get(0).get("points").get(3).get("x").asDouble();
        double with = arms.get(1).get("points").get(3).get("x").asDouble();
        assertTrue(with > 2 * without, without + " nats without, " + with + " with the bonus");
    }

    @Test
    void partsOfABatchAddUpToTheWhole() throws Exception {
        RecordedRun[] runs = new RecordedRun[2];
        for (int i = 0; i < 2; i++) {
            runs[i] = run(config(List.of(0.01), TinyTask.optimisation(6, i == 0 ? 8 : 3, 3e-3, 6), 40));
        }
        RecordedRun.assertClose(runs[0], runs[1], "alpha-0_01", 1e-4);
    }

    @Test
    void strengthsThatCannotBeAreRefused() {
        TrainingConfig o = TinyTask.optimisation(5, 8, 1e-2, 5);
        var negative = assertThrows(IllegalArgumentException.class, () -> config(List.of(-0.1), o, 30));
        assertEquals("alphas must be different finite numbers >= 0, at least one, were [-0.1]", negative.getMessage());
        assertThrows(IllegalArgumentException.class, () -> config(List.of(0.1, 0.1), o, 30));
        var noBeta = assertThrows(
                IllegalArgumentException.class, () -> config(new PairwiseJudge.Exact(4), 0, List.of(0.0), o, 30));
        assertEquals(
                "prompts >= 1, snapshot_every >= 1 and a finite beta > 0 expected, were 50, 20 and 0.0",
                noBeta.getMessage());
        var game = assertThrows(
                IllegalArgumentException.class, () -> config(new PairwiseJudge.Game(1), 0.1, List.of(0.0), o, 30));
        assertTrue(game.getMessage().startsWith("judge must be exact or learned"), game.getMessage());
    }

    /// Snapshots are evaluated, exactly, and the last one is the policy that is kept.
    @Test
    void snapshotsAreEvaluated() throws Exception {
        RecordedRun run = run(config(List.of(0.01, 0.0), TinyTask.optimisation(50, 8, 5e-3, 25), 40));
        for (int arm = 0; arm < 2; arm++) {
            var points = run.summary().get("frontier").get("arms").get(arm).get("points");
            var held = run.metrics("held_out-alpha-" + (arm == 0 ? "0_01" : "0_0"));
            assertEquals(4, points.size());
            assertEquals(3, held.size());
            for (int i = 0; i < 3; i++) {
                assertEquals(List.of(20, 40, 50).get(i), held.get(i).get("step").asInt());
                assertEquals(held.get(i).get("kl"), points.get(i + 1).get("x"));
                assertEquals(held.get(i).get("right"), points.get(i + 1).get("y"));
            }
        }
        assertEquals(
                run.summary()
                        .get("frontier")
                        .get("arms")
                        .get(0)
                        .get("points")
                        .get(3)
                        .get("x")
                        .asDouble(),
                run.fact("kl_from_the_reference").get("value").asDouble(),
                1e-12);
    }

    /// With labels from a judge who had to learn first.
    @Test
    void aLearnedJudgeWillDo() throws Exception {
        var judge = new PairwiseJudge.Learned(4, 200, 1, TinyTask.optimisation(30, 8, 1e-2, 15));
        RecordedRun run = run(config(judge, 0.1, List.of(0.0), TinyTask.optimisation(20, 8, 5e-3, 10), 40));
        run.assertComplete("xpo");
        assertEquals(30, run.metrics("judge").size());
        assertEquals(20, run.metrics("alpha-0_0").size());
        assertTrue(Files.readString(run.folder().resolve("log.txt")).contains("judge: learnt from 200 labels"));
    }

    public static XpoRecipe.Config config(List<Double> alphas, TrainingConfig o, int pretraining) {
        return config(new PairwiseJudge.Exact(4), 0.1, alphas, o, pretraining);
    }

    private static XpoRecipe.Config config(
            PairwiseJudge judge, double beta, List<Double> alphas, TrainingConfig o, int pretraining) {
        TrainingConfig before = TinyTask.optimisation(pretraining, 8, 1e-2, pretraining);
        return new XpoRecipe.Config(
                new ArithmeticTask.Config(9, 0.4, 16, 1, 2, 300, before, 12),
                50,
                judge,
                beta,
                alphas,
                o,
                20,
                "cpu",
                1,
                3);
    }

    private RecordedRun run(XpoRecipe.Config config) throws Exception {
        return new RecordedRun(TinyTask.run(
                "xpo", config, Files.createTempDirectory(folder, "run").resolve("run")));
    }

    private static double[] numbers(RecordedRun run, String phase, String name) throws Exception {
        return run.metrics(phase).stream()
                .mapToDouble(step -> step.get(name).asDouble())
                .toArray();
    }
}

package dev.kedge.recipe.preference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.config.ConfigException;
import dev.kedge.config.ConfigFile;
import dev.kedge.nn.file.Safetensors;
import dev.kedge.objective.preference.AnchorRule;
import dev.kedge.recipe.Recipes;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.TrainingConfig;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

public class AdpoRecipeTest {
    private static final int ANSWERS = 6;
    private static final ListwiseLoss LISTWISE = new ListwiseLoss.Listwise(0.5);
    private static final AdaptiveTau ONE_TAU = new AdaptiveTau.Constant();

    @TempDir
    Path folder;

    /// The mean reward of training answers rises by far more than its standard error. Few sums, so that a tiny decoder
    /// is right often enough to learn from it.
    @Test
    void learnsFromItsOwnAnswers() throws Exception {
        TrainingConfig pretraining = TinyTask.optimisation(300, 8, 1e-2, 300);
        RecordedRun run = run(config(
                new ArithmeticTask.Config(4, 0.4, 16, 1, 2, 300, pretraining, 2),
                LISTWISE,
                new AnchorRule.Fixed(),
                ONE_TAU,
                List.of(2.0),
                TinyTask.optimisation(200, 8, 1e-2, 100)));
        run.assertComplete("adpo");
        double[] reward = numbers(run, "tau-2_0", "reward");
        double before = Arrays.stream(reward, 0, 20).average().orElseThrow();
        double after = Arrays.stream(reward, 180, 200).average().orElseThrow();
        // Of 160 sets each, as if the answers of a set were one: more than their dependence can do.
        double error = Math.sqrt((before * (1 - before) + after * (1 - after)) / 160);
        assertTrue(after - before > 4 * error, before + " to " + after + ", standard error " + error);
    }

    /// Where policy and anchor are one, p is uniform, whatever the rewards.
    @Test
    void theFirstStepIsTheUniformOne() throws Exception {
        TrainingConfig o = TinyTask.optimisation(4, 3, 1e-2, 4);
        RecordedRun run = run(config(LISTWISE, new AnchorRule.Fixed(), ONE_TAU, List.of(0.7), o, 40));
        ObjectNode first = run.metrics("tau-0_7").getFirst();
        assertEquals(Math.log(ANSWERS), first.get("loss").asDouble(), 1e-5);
        assertEquals(1.0 / ANSWERS, first.get("probability/best").asDouble(), 1e-5);
        assertEquals(0, first.get("kl/anchor").asDouble(), 1e-6);
        assertEquals(0.7, first.get("tau").asDouble(), 1e-6);
        assertTrue(run.metrics("tau-0_7").getLast().get("kl/anchor").asDouble() > 1e-4, "the anchor stays");
        assertTrue(first.get("sampler/difference").asDouble() < 1e-5);
    }

    @Test
    void noPolicyBeatsTheExactOptimum() throws Exception {
        TrainingConfig o = TinyTask.optimisation(15, 8, 5e-3, 15);
        RecordedRun run = run(config(LISTWISE, new AnchorRule.Fixed(), ONE_TAU, List.of(0.5, 2.0), o, 60));
        JsonNode frontier = run.summary().get("frontier");
        JsonNode points = frontier.get("arms").get(0).get("points");
        assertEquals(3, points.size(), "the reference and two strengths");
        assertTrue(points.get(1).get("x").asDouble() > 1e-6, "a policy moves");
        for (int i = 1; i < frontier.get("optimum").size(); i++) {
            double beta = 1 / (0.25 * i);
            JsonNode best = frontier.get("optimum").get(i);
            for (JsonNode point : points) {
                double gain = point.get("y").asDouble() - beta * point.get("x").asDouble();
                assertTrue(
                        gain <= best.get("y").asDouble() - beta * best.get("x").asDouble() + 1e-9);
            }
        }
    }

    @Test
    void partsOfABatchAddUpToTheWhole() throws Exception {
        RecordedRun[] runs = new RecordedRun[2];
        for (int i = 0; i < 2; i++) {
            TrainingConfig o = TinyTask.optimisation(6, i == 0 ? 8 : 3, 3e-3, 6);
            var b = new AdaptiveTau.PolicyEntropy(0.5, 0.5, 0.1, 5);
            runs[i] = run(config(LISTWISE, new AnchorRule.Fixed(), b, List.of(1.0), o, 40));
        }
        RecordedRun.assertClose(runs[0], runs[1], "tau-1_0", 1e-4);
    }

    static List<ListwiseLoss> losses() {
        return List.of(
                LISTWISE,
                new ListwiseLoss.ListwiseRaw(0.5),
                new ListwiseLoss.PairwiseSoft(0.5),
                new ListwiseLoss.PairwiseHard(),
                new ListwiseLoss.PlackettLuce());
    }

    @ParameterizedTest
    @MethodSource("losses")
    void everyLossMovesThePolicy(ListwiseLoss loss) throws Exception {
        TrainingConfig o = TinyTask.optimisation(5, 8, 5e-3, 5);
        RecordedRun run = run(config(loss, new AnchorRule.Fixed(), ONE_TAU, List.of(1.0), o, 30));
        List<ObjectNode> steps = run.metrics("tau-1_0");
        assertEquals(5, steps.size());
        assertTrue(steps.getLast().get("kl/anchor").asDouble() > 1e-5, steps.toString());
        assertTrue(run.summary().get("verdict").asText().contains(loss.title()));
    }

    /// A copy of the policy that drew the answers: the loss is that of the first step at every step.
    @Test
    void anAnchorCopiedAtEveryStepIsTheSampler() throws Exception {
        TrainingConfig o = TinyTask.optimisation(5, 8, 1e-2, 5);
        RecordedRun run = run(config(LISTWISE, new AnchorRule.Every(1), ONE_TAU, List.of(1.0), o, 30));
        for (double kl : numbers(run, "tau-1_0", "kl/anchor")) {
            assertEquals(0, kl, 1e-6);
        }
    }

    @Test
    void anAverageFollowsThePolicyStepByStep() throws Exception {
        double kept = 0.75;
        TrainingConfig o = TinyTask.optimisation(2, 8, 1e-2, 1);
        RecordedRun run = run(config(LISTWISE, new AnchorRule.Ema(kept), ONE_TAU, List.of(1.0), o, 30));
        try (Scope _ = new Scope()) {
            Map<String, Tensor> before = saved(run, "step-1/anchor");
            Map<String, Tensor> policy = saved(run, "step-2/model");
            Map<String, Tensor> after = saved(run, "step-2/anchor");
            after.forEach((name, tensor) -> assertArrayEquals(
                    before.get(name)
                            .times(kept)
                            .plus(policy.get(name).times(1 - kept))
                            .toDoubles(),
                    tensor.toDoubles(),
                    1e-6,
                    name));
        }
    }

    private static Map<String, Tensor> saved(RecordedRun run, String name) {
        return Safetensors.read(run.folder().resolve("checkpoints").resolve(name + ".safetensors"));
    }

    /// The rule again, over the divergences that were logged; it acts at least once.
    @Test
    void aTriggeredAnchorJumpsWhenTheMeanDivergenceIsLarge() throws Exception {
        int window = 3;
        double threshold = 0.01;
        TrainingConfig o = TinyTask.optimisation(25, 8, 1e-2, 25);
        var rule = new AnchorRule.KlTriggered(threshold, window);
        RecordedRun run = run(config(LISTWISE, rule, ONE_TAU, List.of(1.0), o, 30));
        double[] kl = numbers(run, "tau-1_0", "kl/anchor");
        double[] kept = numbers(run, "tau-1_0", "anchor/kept");
        int jumps = 0;
        for (int step = 0, since = 0; step < kl.length; step++) {
            since++;
            double mean = 0;
            for (int i = Math.max(0, step - window + 1); i <= step; i++) {
                mean += kl[i] / window;
            }
            boolean jump = since >= window && mean > threshold;
            assertEquals(jump ? 0 : 1, kept[step], "step " + (step + 1));
            jumps += jump ? 1 : 0;
            since = jump ? 0 : since;
        }
        assertTrue(jumps > 0, "it never jumped");
    }

    @Test
    void strengthsAndAdaptationsThatCannotBeAreRefused() {
        TrainingConfig o = TinyTask.optimisation(5, 8, 1e-2, 5);
        var none = assertThrows(
                IllegalArgumentException.class,
                () -> config(LISTWISE, new AnchorRule.Fixed(), ONE_TAU, List.of(), o, 30));
        assertEquals("taus must be finite numbers > 0, at least one, were []", none.getMessage());
        var noTarget = assertThrows(
                IllegalArgumentException.class,
                () -> config(
                        new ListwiseLoss.PairwiseHard(),
                        new AnchorRule.Fixed(),
                        new AdaptiveTau.TargetEntropy(0.5, 0.1),
                        List.of(1.0),
                        o,
                        30));
        assertEquals(
                "adaptation target_entropy needs a listwise loss: others have no target over a set",
                noTarget.getMessage());
    }

    @Test
    void aWrongAnchorIsToldOfWithItsLine() throws Exception {
        TrainingConfig o = TinyTask.optimisation(5, 8, 1e-2, 5);
        var config = config(LISTWISE, new AnchorRule.Ema(0.5), ONE_TAU, List.of(1.0), o, 30);
        String yaml = ConfigFile.text("adpo", config).replace("coefficient: 0.5", "coefficient: 1.5");
        Path file = Files.writeString(folder.resolve("wrong.yaml"), yaml);
        var e = assertThrows(ConfigException.class, () -> Recipes.config(ConfigFile.open(file, List.of())));
        assertTrue(e.getMessage().matches(".*wrong.yaml:\\d+.*coefficient.*1\\.5.*"), e.getMessage());
    }

    public static AdpoRecipe.Config config(
            ListwiseLoss loss,
            AnchorRule anchor,
            AdaptiveTau adaptation,
            List<Double> taus,
            TrainingConfig o,
            int pretraining) {
        TrainingConfig before = TinyTask.optimisation(pretraining, 8, 1e-2, pretraining);
        return config(new ArithmeticTask.Config(9, 0.4, 16, 1, 2, 300, before, 12), loss, anchor, adaptation, taus, o);
    }

    private static AdpoRecipe.Config config(
            ArithmeticTask.Config task,
            ListwiseLoss loss,
            AnchorRule anchor,
            AdaptiveTau adaptation,
            List<Double> taus,
            TrainingConfig o) {
        return new AdpoRecipe.Config(task, 50, ANSWERS, loss, anchor, adaptation, taus, o, "cpu", 1, 3);
    }

    private RecordedRun run(AdpoRecipe.Config config) throws Exception {
        return new RecordedRun(TinyTask.run(
                "adpo", config, Files.createTempDirectory(folder, "run").resolve("run")));
    }

    private static double[] numbers(RecordedRun run, String phase, String name) throws Exception {
        return run.metrics(phase).stream()
                .mapToDouble(step -> step.get(name).asDouble())
                .toArray();
    }
}

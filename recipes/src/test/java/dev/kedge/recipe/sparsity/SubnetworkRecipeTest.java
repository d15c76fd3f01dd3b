package dev.kedge.recipe.sparsity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.config.ConfigException;
import dev.kedge.data.task.ScratchSum;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.recipe.policy.Environment;
import dev.kedge.recipe.sparsity.SubnetworkConfig.Algorithm;
import dev.kedge.run.SubnetworkMask;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Indexing;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

public class SubnetworkRecipeTest {
    private static final double LOW = 1e-5;
    private static final double HIGH = 3e-3;

    @TempDir
    Path folder;

    public static SubnetworkConfig config(
            List<Algorithm> algorithms, List<Double> rates, double tolerance, TrainingConfig o, int pretraining) {
        return new SubnetworkConfig(
                new Environment.Generated(
                        new ScratchSum(),
                        0.7,
                        16,
                        2,
                        2,
                        2000,
                        TinyTask.optimisation(pretraining, 8, 1e-2, pretraining),
                        40,
                        10,
                        Optional.empty()),
                algorithms,
                rates,
                4,
                0.05,
                0.1,
                tolerance,
                DType.BFLOAT16,
                o,
                8,
                "cpu",
                1,
                3);
    }

    private ObjectNode changed(RecordedRun run, String phase) throws Exception {
        return run.metrics("changed_" + phase).getFirst();
    }

    private Map<String, Tensor> weights(String of) {
        return ModelFolder.load(folder.resolve("run").resolve(of), DType.FLOAT32, Device.CPU)
                .parameters();
    }

    /// Whatever the algorithm: the higher rate changes more, float32 shows more than bfloat16, and what is outside the
    /// subnetwork stays.
    @Test
    void whatChangesAndTrainingOfThatAlone() throws Exception {
        TrainingConfig o = TinyTask.optimisation(10, 8, LOW, 10);
        var config = config(List.of(Algorithm.values()), List.of(LOW, HIGH), 1e-5, o, 60);
        RecordedRun run = new RecordedRun(TinyTask.run("subnetwork", config, folder.resolve("run")));
        run.assertComplete("subnetwork");
        for (Algorithm algorithm : Algorithm.values()) {
            ObjectNode low = changed(run, algorithm.phase(LOW));
            ObjectNode high = changed(run, algorithm.phase(HIGH));
            double stored = low.get("bfloat16/sparsity/1e-5").asDouble();
            assertTrue(stored > high.get("bfloat16/sparsity/1e-5").asDouble() + 0.2, low + " and " + high);
            assertTrue(stored > low.get("float32/sparsity/0.0").asDouble() + 0.2, low.toString());
            assertTrue(low.get("bfloat16/sparsity/0.0").asDouble() <= stored);
            assertTrue(stored <= low.get("bfloat16/sparsity/1e-4").asDouble());
        }
        ObjectNode full = changed(run, "grpo-1e-5");
        assertEquals(1, full.get("float32/agreement/0.0").asDouble());
        assertEquals(1, full.get("overlap").asDouble());
        double density = 1 - full.get("bfloat16/sparsity/1e-5").asDouble();
        assertTrue(density > 0.02 && density < 0.9, "a part is changed: " + density);
        for (String arm : List.of("subnetwork-alone", "random-mask", "smallest-weights")) {
            assertTrue(
                    changed(run, arm).get("float32/sparsity/0.0").asDouble() >= 1 - density - 1e-9,
                    arm + " leaves at least as many as they were");
        }
        try (Scope _ = new Scope()) {
            Map<String, Tensor> before = weights("start");
            Map<String, Tensor> whole = weights("policies/grpo-1e-5/step-10");
            Map<String, Tensor> alone = weights("policies/subnetwork-alone/step-10");
            before.forEach((name, old) -> {
                Tensor kept = whole.get(name)
                        .to(DType.BFLOAT16)
                        .minus(old.to(DType.BFLOAT16))
                        .to(DType.FLOAT64)
                        .abs()
                        .le(1e-5);
                assertArrayEquals(
                        Indexing.maskedSelect(old, kept).toFloats(),
                        Indexing.maskedSelect(alone.get(name), kept).toFloats(),
                        name);
            });
        }
        JsonNode more = run.summary().get("more_frontiers");
        assertEquals(3, more.size(), "bfloat16, float32, layers");
        for (JsonNode arm : more.get(0).get("arms")) {
            assertEquals(3, arm.get("points").size(), "the start and two rates");
        }
    }

    @Test
    void nothingChangedEnough() {
        TrainingConfig o = TinyTask.optimisation(2, 8, LOW, 10);
        var config = config(List.of(Algorithm.GRPO), List.of(LOW), 10, o, 20);
        String said = assertThrows(
                        ConfigException.class, () -> TinyTask.run("subnetwork", config, folder.resolve("nothing")))
                .getMessage();
        assertTrue(said.contains("holds no weight") && said.contains("a smaller tolerance"), said);
    }

    @Test
    void whatCannotBeIsRefused() {
        TrainingConfig o = TinyTask.optimisation(10, 8, LOW, 10);
        refused("grpo", List.of(Algorithm.SFT), List.of(LOW), o);
        refused("rates", List.of(Algorithm.GRPO), List.of(HIGH), o);
        var mask = new SubnetworkMask.File(Path.of("mask.safetensors"));
        refused("mask", List.of(Algorithm.GRPO), List.of(LOW), o.masked(Optional.of(mask)));
        refused("peak", List.of(Algorithm.GRPO), List.of(LOW, -1.0), o);
    }

    private static void refused(String word, List<Algorithm> algorithms, List<Double> rates, TrainingConfig o) {
        String said = assertThrows(IllegalArgumentException.class, () -> config(algorithms, rates, 1e-5, o, 20))
                .getMessage();
        assertTrue(said.contains(word), said);
    }
}

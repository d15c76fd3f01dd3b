package dev.kedge.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PretrainedModel;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Numbers that are none end a run at the step where they come up.
class GuardedRunTest {
    @TempDir
    Path folder;

    @Test
    void aLearningRateBeyondAllMeasure() throws Exception {
        Path model = TinyTask.model(folder.resolve("start"), 1);
        Path data = TinyTask.completions(folder.resolve("sft.jsonl"), 64, 2);
        failed("sft", TinyTask.sft(model, data, TinyTask.optimisation(9, 8, 1e30, 1)), "sft", "[2-9]");
        Path pairs = TinyTask.preferences(folder.resolve("dpo.jsonl"), 64, 2);
        failed(
                "dpo",
                TinyTask.dpo(model, pairs, new PreferenceLoss.Sigmoid(1), TinyTask.optimisation(9, 8, 1e30, 1)),
                "dpo",
                "[2-9]");
    }

    @Test
    void aModelThatIsBrokenFromTheStart() throws Exception {
        Path model = TinyTask.model(folder.resolve("start"), 1);
        try (PretrainedModel start = PretrainedModel.open(model, Device.CPU)) {
            InPlace.fill_(start.decoder().parameters().get("layers.0.mlp.down.weight"), Double.POSITIVE_INFINITY);
            start.save(start.decoder(), folder.resolve("broken"));
        }
        Path broken = folder.resolve("broken");
        Path data = TinyTask.completions(folder.resolve("sft.jsonl"), 64, 2);
        Path pairs = TinyTask.preferences(folder.resolve("dpo.jsonl"), 64, 2);
        TrainingConfig o = TinyTask.optimisation(9, 8, 1e-3, 1);
        refused("sft", TinyTask.sft(broken, data, o));
        refused("dpo", TinyTask.dpo(broken, pairs, new PreferenceLoss.Sigmoid(1), o));
    }

    private void refused(String recipe, Record config) {
        var e = assertThrows(
                InvalidFileException.class, () -> TinyTask.run(recipe, config, folder.resolve("run-" + recipe)));
        assertTrue(e.getMessage().contains("weights are NaN or infinite"), e.getMessage());
    }

    private void failed(String recipe, Record config, String phase, String step) throws Exception {
        Path run = folder.resolve("run-" + recipe);
        var e = assertThrows(RunFailedException.class, () -> TinyTask.run(recipe, config, run));
        assertTrue(
                e.getMessage()
                        .matches("(loss|grad_norm|[a-z/]+) became (NaN|-?Infinity) at step " + step + " of " + phase
                                + ", before the parameters were changed; .*"),
                e.getMessage());
        assertEquals("failed", new RecordedRun(run).summary().get("status").asText());
    }
}

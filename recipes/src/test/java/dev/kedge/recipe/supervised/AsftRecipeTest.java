package dev.kedge.recipe.supervised;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.config.ConfigException;
import dev.kedge.data.Truncation;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

public class AsftRecipeTest {
    @TempDir
    Path folder;

    public static AsftRecipe.Config config(
            Path folder, List<TokenLoss> methods, List<Double> klWeights, TrainingConfig optimisation)
            throws IOException {
        Path original = Files.writeString(folder.resolve("original.txt"), "abcdefgh hgfedcba\n\n".repeat(60));
        return new AsftRecipe.Config(
                TinyTask.model(folder.resolve("start"), 1),
                TinyTask.completions(folder.resolve("data.jsonl"), 120, 2),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                original,
                Optional.of("\n\n"),
                24,
                Truncation.DROP,
                32,
                methods,
                klWeights,
                optimisation,
                2,
                6,
                "cpu",
                1,
                5);
    }

    private RecordedRun run(String name, AsftRecipe.Config config) throws IOException {
        return new RecordedRun(TinyTask.run("asft", config, folder.resolve(name)));
    }

    /// The same start and the same first batch: there the anchor weighs nothing.
    @Test
    void methodsLearnAndTheAnchorHolds() throws Exception {
        RecordedRun run = run(
                "run",
                config(
                        folder,
                        List.of(TokenLoss.values()),
                        List.of(0.05, 20.0),
                        TinyTask.optimisation(60, 8, 1e-2, 60)));
        run.assertComplete("asft");
        ObjectNode sft = run.metrics("sft").getFirst();
        ObjectNode dft = run.metrics("dft").getFirst();
        assertEquals(
                sft.get("loss").asDouble(),
                run.metrics("sft-kl-0_05").getFirst().get("loss").asDouble(),
                1e-6);
        assertEquals(
                dft.get("loss").asDouble(),
                run.metrics("asft-20_0").getFirst().get("loss").asDouble(),
                1e-6);
        assertTrue(dft.get("loss").asDouble() < sft.get("loss").asDouble() / 4, "each token weighs what it is given");
        assertEquals(0, run.metrics("asft-0_05").getFirst().get("kl").asDouble(), 1e-6);
        assertFalse(sft.has("kl"), "no anchor, no second model to be run");
        for (ObjectNode step : run.metrics("sft-kl-0_05")) {
            assertEquals(
                    step.get("nll").asDouble() + 0.05 * step.get("kl").asDouble(),
                    step.get("loss").asDouble(),
                    1e-5);
        }
        // A perfect model of good replies leaves log 4 a letter and less for the end; before, 12 tokens are as likely.
        assertTrue(run.metrics("sft").getLast().get("nll").asDouble() < 1.8);
        JsonNode arms = run.summary().get("frontier").get("arms");
        double[][] kl = new double[4][3];
        double[][] right = new double[4][3];
        for (int method = 0; method < 4; method++) {
            JsonNode points = arms.get(method).get("points");
            assertEquals(method < 2 ? 2 : 3, points.size());
            for (int i = 0; i < points.size(); i++) {
                kl[method][i] = points.get(i).get("x").asDouble();
                right[method][i] = points.get(i).get("y").asDouble();
            }
            assertEquals(0, kl[method][0], 1e-6);
            assertTrue(right[method][1] > right[method][0] + 0.05, "method " + method + " learnt nothing");
        }
        assertTrue(kl[3][2] < kl[1][1] / 10, "ASFT with a strong anchor is at " + kl[3][2] + ", DFT at " + kl[1][1]);
        assertTrue(kl[2][2] < kl[0][1] / 10, "SFT with one is at " + kl[2][2] + ", without at " + kl[0][1]);
        assertEquals(2, run.summary().get("samples").size());
        try (Decoder policy = Models.load(run.folder().resolve("model"), Device.CPU)) {
            assertEquals(16, policy.config().hiddenSize());
        }
    }

    @Test
    void withoutWeightItIsDft() throws Exception {
        RecordedRun run = run(
                "run",
                config(
                        folder,
                        List.of(TokenLoss.ASFT, TokenLoss.DFT),
                        List.of(1e-12),
                        TinyTask.optimisation(15, 8, 5e-3, 15)));
        List<ObjectNode> dft = run.metrics("dft");
        List<ObjectNode> asft = run.metrics("asft-1_0E-12");
        assertEquals(15, asft.size());
        for (int step = 0; step < 15; step++) {
            assertEquals(
                    dft.get(step).get("nll").asDouble(),
                    asft.get(step).get("nll").asDouble(),
                    1e-4,
                    "step " + (step + 1));
        }
        assertTrue(asft.getLast().get("kl").asDouble() > 1e-3, "nothing was learnt that could differ");
    }

    @Test
    void partsOfABatchAddUpToTheWhole() throws Exception {
        RecordedRun[] runs = new RecordedRun[2];
        for (int i = 0; i < 2; i++) {
            TrainingConfig parts = TinyTask.optimisation(8, i == 0 ? 8 : 3, 3e-3, 8); // 3, 3 and 2
            runs[i] = run("run" + i, config(folder, List.of(TokenLoss.ASFT), List.of(0.5), parts));
        }
        RecordedRun.assertClose(runs[0], runs[1], "asft-0_5", 1e-4);
    }

    @Test
    void whatCannotBeIsRefused() throws Exception {
        TrainingConfig o = TinyTask.optimisation(2, 8, 1e-3, 2);
        var e = assertThrows(
                IllegalArgumentException.class,
                () -> config(folder, List.of(TokenLoss.SFT, TokenLoss.SFT), List.of(0.1), o));
        assertEquals("methods must be one or more, none twice, were [SFT, SFT]", e.getMessage());
        e = assertThrows(
                IllegalArgumentException.class, () -> config(folder, List.of(TokenLoss.ASFT), List.of(0.1, -1.0), o));
        assertEquals("kl_weights must be finite numbers > 0, at least one, were [0.1, -1.0]", e.getMessage());
    }

    @Test
    void anOriginalThatIsTooShortIsNamed() throws Exception {
        var config = config(folder, List.of(TokenLoss.ASFT), List.of(0.1), TinyTask.optimisation(2, 8, 1e-3, 2));
        Files.writeString(config.original(), "abcdefgh\n\n".repeat(32));
        var e = assertThrows(ConfigException.class, () -> run("run", config));
        assertEquals("held_out is 32, but " + config.original() + " has only 32 examples", e.getMessage());
    }

    @Test
    void anOriginalThatIsNotThereIsNamed() throws Exception {
        var config = config(folder, List.of(TokenLoss.ASFT), List.of(0.1), TinyTask.optimisation(2, 8, 1e-3, 2));
        Files.delete(config.original());
        var e = assertThrows(InvalidFileException.class, () -> run("run", config));
        assertTrue(e.getMessage().startsWith(config.original() + ": "), e.getMessage());
    }
}

package dev.kedge.recipe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.Truncation;
import dev.kedge.data.verify.Extraction;
import dev.kedge.data.verify.Format;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.file.AdapterFile;
import dev.kedge.nn.file.ModelFamily;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Lora;
import dev.kedge.recipe.distillation.GkdRecipe;
import dev.kedge.recipe.policy.Environment;
import dev.kedge.recipe.policy.GrpoMethod;
import dev.kedge.recipe.policy.RlvrRecipe;
import dev.kedge.recipe.policy.Truncated;
import dev.kedge.recipe.sparsity.SubnetworkConfig;
import dev.kedge.recipe.supervised.AsftRecipe;
import dev.kedge.recipe.supervised.TokenLoss;
import dev.kedge.recipe.unpaired.KtoRecipe;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.Policy;
import dev.kedge.sequence.PolicyEvaluation;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PretrainedModel;
import dev.kedge.sequence.UnpairedLoss;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What recipes write when they start from a model that was found: with steps too small to change a number, the start
/// again.
class ArtefactsTest {
    private static final TrainingConfig STILL = TinyTask.optimisation(2, 8, 1e-30, 2);

    @TempDir
    Path folder;

    private Record config(String recipe, Path start) throws IOException {
        return switch (recipe) {
            case "sft" -> TinyTask.sft(start, TinyTask.completions(folder.resolve("c.jsonl"), 60, 2), STILL);
            case "asft" -> asft(start);
            case "dpo" -> TinyTask.dpo(start, preferences(), new PreferenceLoss.Sigmoid(0.5), STILL);
            case "rrpo" -> TinyTask.rrpo(start, TinyTask.phrases(folder.resolve("p.jsonl"), 80, 2), 0.05, STILL);
            case "kto" -> kto(start);
            case "gkd" -> gkd(start);
            case "rlvr" -> rlvr(start);
            case "subnetwork" ->
                new SubnetworkConfig(
                        environment(start),
                        List.of(SubnetworkConfig.Algorithm.GRPO),
                        List.of(1e-2), // its masks are of weights that changed
                        2,
                        0.05,
                        0.1,
                        0,
                        DType.FLOAT32,
                        TinyTask.optimisation(2, 8, 1e-2, 2),
                        2,
                        "cpu",
                        1,
                        3);
            default -> throw new AssertionError(recipe);
        };
    }

    private Path preferences() throws IOException {
        return TinyTask.preferences(folder.resolve("d.jsonl"), 80, 2);
    }

    private AsftRecipe.Config asft(Path start) throws IOException {
        return new AsftRecipe.Config(
                start,
                TinyTask.completions(folder.resolve("c.jsonl"), 60, 2),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                TinyTask.completions(folder.resolve("o.jsonl"), 60, 3),
                Optional.empty(),
                24,
                Truncation.DROP,
                32,
                List.of(TokenLoss.values()),
                List.of(0.05),
                STILL,
                2,
                6,
                "cpu",
                1,
                5);
    }

    private KtoRecipe.Config kto(Path start) throws IOException {
        return new KtoRecipe.Config(
                start,
                TinyTask.labelled(folder.resolve("l.jsonl"), 80, 2),
                new UnpairedLoss.Kto(0.5, 1, 1),
                Optional.empty(),
                24,
                Truncation.DROP,
                40,
                Optional.empty(),
                STILL,
                new PolicyEvaluation.Config(8, 6, 1.0, 2),
                "cpu",
                1,
                5);
    }

    private GkdRecipe.Config gkd(Path start) throws IOException {
        return new GkdRecipe.Config(
                new GkdRecipe.Student.Folder(start),
                start,
                TinyTask.completions(folder.resolve("c.jsonl"), 60, 2),
                Optional.empty(),
                24,
                Truncation.DROP,
                32,
                Optional.empty(),
                0.5,
                0.5,
                1,
                4,
                6,
                STILL,
                2,
                "cpu",
                1,
                5);
    }

    private Environment environment(Path start) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            lines.append("{\"question\": \"%c%c\", \"answer\": \"a\"}\n"
                    .formatted("abcdefgh".charAt(i % 8), "abcdefgh".charAt(i / 8)));
        }
        return new Environment.File(
                start,
                Files.writeString(folder.resolve("q.jsonl"), lines),
                "question",
                "answer",
                Optional.of("{question} "),
                new Format(".*[abcd]"),
                Extraction.GSM8K,
                8,
                16,
                4);
    }

    private RlvrRecipe.Config rlvr(Path start) throws IOException {
        return new RlvrRecipe.Config(
                environment(start),
                List.of(new GrpoMethod(0.2, 0.01)),
                4,
                1,
                Truncated.JUDGED,
                STILL,
                1,
                1,
                1,
                2,
                1,
                "cpu",
                1,
                3);
    }

    /// The model, the reference, policies of arms, snapshots, students: whatever is a model in the run's folder.
    private static List<Path> models(Path run) throws IOException {
        try (Stream<Path> files = Files.walk(run)) {
            return files.filter(f -> f.endsWith("config.json"))
                    .map(Path::getParent)
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sft", "asft", "dpo", "rrpo", "kto", "gkd", "rlvr", "subnetwork"})
    void everyModelOfARunIsWrittenAsItsStartWasFound(String recipe) throws IOException {
        Path start = FoundModel.in(folder.resolve("start"), DType.BFLOAT16);
        Path run = TinyTask.run(recipe, config(recipe, start), folder.resolve("run"));
        List<Path> models = models(run);
        assertTrue(models.contains(run.resolve("model")), models.toString());
        for (Path model : models) {
            FoundModel.assertKept(start, model);
            if (!recipe.equals("subnetwork")) {
                FoundModel.assertSame(start, model);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"FLOAT32", "FLOAT16"})
    void ofAnyType(DType dtype) throws IOException {
        Path start = FoundModel.in(folder.resolve("start"), dtype);
        Path run = TinyTask.run("sft", config("sft", start), folder.resolve("run"));
        FoundModel.assertKept(start, run.resolve("model"));
        FoundModel.assertSame(start, run.resolve("model"));
    }

    /// A llama2.c file beside two tokenizers becomes a folder that says the same, with the one that fits.
    @Test
    void ofLlamaC() throws IOException {
        Path start = FoundModel.llamaC(folder.resolve("start"));
        Path run = TinyTask.run("dpo", config("dpo", start), folder.resolve("run"));
        for (Path model : List.of(run.resolve("model"), run.resolve("reference"))) {
            assertArrayEquals(
                    Files.readAllBytes(start.resolveSibling("tok260.bin")),
                    Files.readAllBytes(model.resolve("tok260.bin")));
            assertFalse(Files.exists(model.resolve("tok259.bin")));
            FoundModel.assertSame(start, model, Set.of(1, 2), 260, 1);
        }
    }

    /// What was read is written, whatever becomes of the start's folder on the way.
    @Test
    void theStartMayVanishWhileARunGoesOn() throws IOException {
        Path start = FoundModel.in(folder.resolve("start"), DType.FLOAT32);
        Path saved = folder.resolve("saved");
        try (PretrainedModel model = PretrainedModel.open(start, Device.CPU)) {
            Files.move(start, folder.resolve("elsewhere"));
            model.save(model.decoder(), saved);
        }
        FoundModel.assertKept(folder.resolve("elsewhere"), saved);
    }

    private Path adapted() throws IOException {
        Path start = FoundModel.in(folder.resolve("start"), DType.BFLOAT16);
        return TinyTask.run(
                "sft",
                TinyTask.sft(
                        start,
                        TinyTask.completions(folder.resolve("c.jsonl"), 60, 2),
                        Optional.of(new Policy.Adapter(2, 4)),
                        TinyTask.optimisation(6, 8, 2e-2, 6)),
                folder.resolve("run"));
    }

    private static double[] logits(Decoder decoder) {
        try (Scope _ = new Scope();
                var _ = Gradients.off()) {
            return decoder.logits(decoder.hidden(Tensor.of(new long[] {1, 3, 11, 5, 8}, 1, 5)))
                    .toDoubles();
        }
    }

    /// In float64, so that the order of a sum does not show.
    private static Decoder exact(Path folder) {
        ModelFolder found = ModelFolder.load(folder, DType.FLOAT64, Device.CPU);
        return new Decoder(found.config(), Parameters.copyOf(found.parameters(), DType.FLOAT64, Device.CPU));
    }

    private static double largest(double[] one, double[] other) {
        double largest = 0;
        for (int i = 0; i < one.length; i++) {
            largest = Math.max(largest, Math.abs(one[i] - other[i]));
        }
        return largest;
    }

    /// An adapter is a model: its base with what was learnt, as the run itself computed it. It is found when the
    /// run has moved, and any recipe starts from it.
    @Test
    void anAdapterIsAModelWhereverItLies() throws IOException {
        Path run = adapted();
        Path moved = Files.move(run, folder.resolve("moved"));
        Path adapter = moved.resolve("adapter");
        try (Scope _ = new Scope();
                Decoder base = exact(moved.resolve("reference"));
                Decoder merged = exact(adapter);
                Lora lora = Lora.of(
                        new AdapterFile(ModelFamily.MISTRAL, base.config()).read(adapter, DType.FLOAT64, Device.CPU),
                        Device.CPU)) {
            double[] expected = logits(base.withAdapter(lora));
            assertArrayEquals(expected, logits(merged), 1e-10);
            assertTrue(largest(expected, logits(base)) > 1e-2, "the adapter changes something");
        }
        Path again = TinyTask.run("dpo", config("dpo", adapter), folder.resolve("again"));
        FoundModel.assertKept(folder.resolve("start"), again.resolve("model"));
        try (Decoder merged = Models.load(adapter, Device.CPU);
                Decoder reference = Models.load(again.resolve("reference"), Device.CPU)) {
            assertEquals(0, largest(logits(merged), logits(reference)));
        }
        for (String recipe : List.of("gkd", "rlvr")) {
            Path other = TinyTask.run(recipe, config(recipe, adapter), folder.resolve(recipe));
            FoundModel.assertKept(folder.resolve("start"), other.resolve("model"));
        }
    }
}

package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.config.ConfigException;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.file.Safetensors;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.nn.sparsity.WeightUpdate;
import dev.kedge.recipe.TinyTask;
import dev.kedge.recipe.policy.GrpoMethod;
import dev.kedge.recipe.policy.RlvrRecipe;
import dev.kedge.recipe.policy.RlvrRecipeTest;
import dev.kedge.recipe.preference.DpoRecipe;
import dev.kedge.recipe.supervised.SftRecipe;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A mask in a recipe's optimisation, whatever the recipe.
class SubnetworkMaskTest {
    private static final double TOLERANCE = 1e-2; // so that some weights changed by more, and some by less

    @TempDir
    Path folder;

    private Path start;

    @BeforeEach
    void model() {
        start = TinyTask.model(folder.resolve("start"), 1);
    }

    private static Map<String, Tensor> weights(Path model) {
        return ModelFolder.load(model, DType.FLOAT32, Device.CPU).parameters();
    }

    private static TrainingConfig optimisation(Optional<SubnetworkMask> mask) {
        return new TrainingConfig(
                20,
                8,
                8,
                EpochBatches.Order.SHUFFLED,
                3e-3,
                Schedule.Shape.CONSTANT,
                0,
                1,
                0.9,
                0.98,
                0.1,
                1,
                20,
                mask);
    }

    private Path sft(String name, Optional<SubnetworkMask> mask) throws Exception {
        Path data = TinyTask.completions(folder.resolve("data.jsonl"), 120, 2);
        SftRecipe.Config config = TinyTask.sft(start, data, optimisation(mask));
        return TinyTask.run("sft", config, folder.resolve(name)).resolve("model");
    }

    private Path dpo(String name, Optional<SubnetworkMask> mask) throws Exception {
        Path data = TinyTask.preferences(folder.resolve("pairs.jsonl"), 120, 2);
        DpoRecipe.Config config = TinyTask.dpo(start, data, new PreferenceLoss.Sigmoid(0.5), optimisation(mask));
        return TinyTask.run("dpo", config, folder.resolve(name)).resolve("model");
    }

    private void stays(Path full, Path alone, Map<String, Tensor> mask) {
        Map<String, Tensor> before = weights(start);
        Map<String, Tensor> after = weights(alone);
        long moved = 0;
        for (String name : before.keySet()) {
            float[] b = before.get(name).toFloats();
            float[] a = after.get(name).toFloats();
            boolean[] m = mask.get(name).toBooleans();
            for (int i = 0; i < m.length; i++) {
                if (!m[i]) {
                    assertEquals(Float.floatToRawIntBits(b[i]), Float.floatToRawIntBits(a[i]), name);
                } else if (a[i] != b[i]) {
                    moved++;
                }
            }
        }
        assertTrue(moved > 10, "the subnetwork learns: " + moved);
        assertFalse(weights(full).equals(after));
    }

    /// Of a supervised training, of preferences and of a verifier's word: what is outside stays as it was, weight decay
    /// or not.
    @Test
    void subnetworksAlone() throws Exception {
        try (Scope _ = new Scope()) {
            Path full = sft("full", Optional.empty());
            var changed = new SubnetworkMask.Changed(start, full, TOLERANCE, DType.BFLOAT16);
            stays(full, sft("alone", Optional.of(changed)), changed.read());

            Path file = folder.resolve("mask.safetensors");
            Safetensors.write(file, changed.read(), Map.of());
            assertArrayEquals(
                    Files.readAllBytes(folder.resolve("alone/model/model.safetensors")),
                    Files.readAllBytes(sft("by-file", Optional.of(new SubnetworkMask.File(file)))
                            .resolve("model.safetensors")));

            Path preferred = dpo("preferred", Optional.empty());
            stays(preferred, dpo("preferred-alone", Optional.of(changed)), changed.read());
        }
    }

    @Test
    void aVerifiersWord() throws Exception {
        Files.createDirectory(folder.resolve("a"));
        TrainingConfig o = TinyTask.optimisation(8, 8, 1e-2, 8);
        RlvrRecipe.Config full = RlvrRecipeTest.config(List.of(new GrpoMethod(0.2, 0)), o, 1, 1);
        Path trained = TinyTask.run("rlvr", full, folder.resolve("a/full")).resolve("model");
        try (var models = Files.list(folder.resolve("a/models"));
                Scope _ = new Scope()) {
            start = models.findFirst().orElseThrow();
            var mask = new SubnetworkMask.Changed(start, trained, TOLERANCE, DType.FLOAT32);
            RlvrRecipe.Config alone =
                    RlvrRecipeTest.config(List.of(new GrpoMethod(0.2, 0)), o.masked(Optional.of(mask)), 1, 1);
            stays(
                    trained,
                    TinyTask.run("rlvr", alone, folder.resolve("a/alone")).resolve("model"),
                    mask.read());
        }
    }

    /// With every weight in it, it is the full run to the bit.
    @Test
    void allOnes() throws Exception {
        try (Scope _ = new Scope()) {
            Path full = sft("full", Optional.empty());
            Map<String, Tensor> ones = new LinkedHashMap<>();
            weights(start).forEach((name, t) -> ones.put(name, t.onesLike().ne(0)));
            Path file = folder.resolve("ones.safetensors");
            Safetensors.write(file, ones, Map.of());
            Path masked = sft("masked", Optional.of(new SubnetworkMask.File(file)));
            assertEquals(
                    1,
                    WeightUpdate.between(weights(full), weights(masked), DType.FLOAT32)
                            .sparsity(0));
            assertArrayEquals(
                    Files.readAllBytes(full.resolve("model.safetensors")),
                    Files.readAllBytes(masked.resolve("model.safetensors")));
        }
    }

    @Test
    void masksThatCannotBe() throws Exception {
        Path other = TinyTask.model(folder.resolve("other"), 2);
        refused(
                new SubnetworkMask.Changed(start, start, 1e-5, DType.BFLOAT16),
                "holds no weight",
                "a smaller tolerance");
        var nowhere = new SubnetworkMask.File(folder.resolve("nowhere.safetensors"));
        assertTrue(assertThrows(InvalidFileException.class, () -> sft("nowhere", Optional.of(nowhere)))
                .getMessage()
                .contains("nowhere.safetensors"));
        Path wrong = folder.resolve("wrong.safetensors");
        try (Scope _ = new Scope()) {
            Map<String, Tensor> masks = new SubnetworkMask.Changed(start, other, 0, DType.FLOAT32).read();
            masks.put("head.weight", Tensor.mask(new boolean[1], 1));
            Safetensors.write(wrong, masks, Map.of());
        }
        refused(new SubnetworkMask.File(wrong), "wrong.safetensors", "head.weight");
        Path wider = folder.resolve("wider");
        try (Rng rng = Rng.seeded(1);
                Decoder decoder = Decoder.random(
                        DecoderConfig.small(TinyTask.TOKENIZER.vocabularySize(), 32, 1, 2, 24), rng, Device.CPU)) {
            Models.save(decoder, TinyTask.TOKENIZER, wider);
        }
        refused(new SubnetworkMask.Changed(start, wider, 1e-5, DType.FLOAT32), "of shape", "does not fit");
        assertTrue(assertThrows(
                        IllegalArgumentException.class,
                        () -> new SubnetworkMask.Changed(start, other, 1e-5, DType.INT8))
                .getMessage()
                .contains("bfloat16 or float32"));
        assertTrue(assertThrows(
                        IllegalArgumentException.class,
                        () -> new SubnetworkMask.Changed(start, other, -1, DType.FLOAT32))
                .getMessage()
                .contains("tolerance"));
    }

    private void refused(SubnetworkMask mask, String... words) {
        String said = assertThrows(ConfigException.class, () -> sft("refused-" + words[0].length(), Optional.of(mask)))
                .getMessage();
        for (String word : words) {
            assertTrue(said.contains(word), said);
        }
    }
}

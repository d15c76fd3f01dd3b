package dev.kedge.nn.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.LoraWeights;
import dev.kedge.nn.lm.LoraWeights.Factors;
import dev.kedge.nn.lm.LoraWeights.Target;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.CharTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SequencedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Where an adapter finds its base, and what both are together.
class AdaptedModelTest {
    private static final DecoderConfig TIED = Models.gated(false, false, false, false, true);
    private static final String ROWS = "layers.1.attention.qkv.weight";

    @TempDir
    Path folder;

    private Scope scope;
    private Path base;
    private Path adapter;
    private LoraWeights lora;

    @BeforeEach
    void files() {
        scope = new Scope();
        base = folder.resolve("reference");
        adapter = folder.resolve("adapter");
        save(base, 9, DType.FLOAT32);
        lora = lora();
        write(adapter, base);
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private static void save(Path to, long seed, DType dtype) {
        ModelFolder.save(to, TIED, Models.random(TIED, dtype, seed), ModelFolderTest.TOKENS);
    }

    private void write(Path to, Path from) {
        new AdapterFile(ModelFamily.LLAMA, TIED)
                .write(to, lora, from, ModelFolder.load(from).parameters());
    }

    private static LoraWeights lora() {
        Random random = new Random(3);
        SequencedMap<Target, Factors> factors = new LinkedHashMap<>();
        factors.put(
                new Target(ROWS, 24, 36), // keys
                new Factors(
                        Tensor.of(random.doubles(2 * 12, -1, 1).toArray(), 2, 12),
                        Tensor.of(random.doubles(12 * 2, -1, 1).toArray(), 12, 2)));
        return new LoraWeights(2, 6, false, factors);
    }

    /// An adapter of another's making: no checksum, and this name.
    private void names(String name) throws IOException {
        new AdapterFile(ModelFamily.LLAMA, TIED).write(adapter, lora, name);
    }

    private Path found() {
        return AdaptedModel.of(adapter, Optional.empty()).base();
    }

    private String refusal(Optional<Path> given) {
        InvalidFileException e = assertThrows(InvalidFileException.class, () -> AdaptedModel.of(adapter, given)
                .load(DType.FLOAT32, Device.CPU));
        assertEquals(1, e.getMessage().lines().count());
        return e.getMessage();
    }

    private void refused(String... words) {
        String message = refusal(Optional.empty());
        for (String word : words) {
            assertTrue(message.contains(word), message);
        }
        assertTrue(message.contains("--base DIR"), message);
    }

    /// `W + scale B A` on the rows of the target, nothing elsewhere; whatever the type, what is nearest to that.
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"FLOAT64", "FLOAT32", "BFLOAT16"})
    void theAdapterIsAddedToItsRows(DType dtype) {
        save(base, 9, dtype);
        write(adapter, base);
        Map<String, Tensor> before = ModelFolder.load(base).parameters();
        ModelFolder merged = ModelFolder.load(adapter);
        double[] a = lora.factors().firstEntry().getValue().a().toDoubles();
        double[] b = lora.factors().firstEntry().getValue().b().toDoubles();
        merged.parameters().forEach((name, tensor) -> {
            assertEquals(dtype, tensor.dtype());
            double[] expected = before.get(name).toDoubles();
            for (int i = 0; name.equals(ROWS) && i < 12; i++) {
                for (int j = 0; j < 12; j++) {
                    expected[(24 + i) * 12 + j] += 3 * (b[2 * i] * a[j] + b[2 * i + 1] * a[12 + j]);
                }
            }
            // Values stay below 8: one rounding to the type, and a few of the factors to float32 before.
            double tolerance = dtype == DType.BFLOAT16 ? 0x1p-6 : dtype == DType.FLOAT32 ? 4e-6 : 4e-15;
            assertArrayEquals(expected, tensor.toDoubles(), tolerance, name);
        });
    }

    /// What both are together is a model like others: it is written with its head tied, and read again.
    @Test
    void aMergedModelIsWrittenAsItsBaseWasFound() throws IOException {
        Files.writeString(base.resolve("generation_config.json"), "{\"eos_token_id\": [2, 3],  \"top_k\": 7}");
        CharTokenizer.of("abcdefgh").save(base);
        ModelFolder merged = ModelFolder.load(adapter);
        assertEquals(adapter, merged.path());
        Path out = folder.resolve("out");
        merged.save(out);
        ModelFolderTest.assertSame(merged.parameters(), ModelFolder.load(out).parameters());
        for (String name : new String[] {"generation_config.json", "tokenizer.json", "config.json"}) {
            assertEquals(Files.readString(base.resolve(name)), Files.readString(out.resolve(name)), name);
        }
    }

    /// Who trained an adapter may have given its template: then tokenizer and template are the adapter's.
    @Test
    void anAdapterMayBringItsTokenizer() throws IOException {
        CharTokenizer.of("abcdefgh").save(base);
        Files.writeString(base.resolve("chat_template.jinja"), "base");
        assertEquals(base, AdaptedModel.of(adapter, Optional.empty()).tokenizer());
        CharTokenizer.of("abcdefgh").save(adapter);
        Files.writeString(adapter.resolve("tokenizer_config.json"), "{\"chat_template\": \"own\"}");
        assertEquals(adapter, AdaptedModel.of(adapter, Optional.empty()).tokenizer());
        Path out = folder.resolve("out");
        ModelFolder.load(adapter).save(out);
        assertTrue(Files.readString(out.resolve("tokenizer_config.json")).contains("own"));
        assertFalse(Files.exists(out.resolve("chat_template.jinja")), "it would go before the adapter's");
        assertEquals(
                Files.readString(base.resolve("generation_config.json")),
                Files.readString(out.resolve("generation_config.json")));
    }

    @Test
    void theBaseIsNamedByItsWholePath() {
        String named = JsonFields.read(adapter.resolve("adapter_config.json")).text("base_model_name_or_path");
        assertEquals(base.toAbsolutePath().normalize().toString(), named);
        Path relative = Path.of("").toAbsolutePath().relativize(base.toAbsolutePath());
        write(folder.resolve("other"), relative);
        assertEquals(
                named,
                JsonFields.read(folder.resolve("other/adapter_config.json")).text("base_model_name_or_path"));
    }

    @Test
    void aRelativeNameCountsFromTheAdapter() throws IOException {
        names("../reference");
        assertEquals(base.toAbsolutePath().normalize(), found());
        names(base.toString());
        assertEquals(base.toAbsolutePath().normalize(), found());
    }

    @Test
    void aRunThatMovedStillHasItsBase() throws IOException {
        Path run = Files.createDirectories(folder.resolve("run"));
        Files.move(base, run.resolve("reference"));
        Files.move(adapter, run.resolve("adapter"));
        adapter = run.resolve("adapter");
        assertEquals(run.resolve("reference").toAbsolutePath().normalize(), found());
        ModelFolder.load(adapter);
        save(run.resolve("reference"), 10, DType.FLOAT32);
        refused("was trained on another base model than", "reference");
    }

    /// Only the values tell bases apart: types and shards do not.
    @Test
    void theSameBaseInAnotherFormIsTheSame() {
        save(base, 9, DType.BFLOAT16);
        write(adapter, base);
        var values = ModelFolder.load(base, DType.FLOAT32, Device.CPU).parameters();
        Path sharded = folder.resolve("sharded");
        ModelFolder.save(sharded, TIED, values, ModelFolderTest.TOKENS, Origin.of(ModelFamily.MISTRAL, TIED), 2000);
        AdaptedModel.of(adapter, Optional.of(sharded)).load(DType.FLOAT32, Device.CPU);
        save(sharded, 10, DType.FLOAT32);
        assertTrue(refusal(Optional.of(sharded)).contains("another base model than " + sharded));
    }

    @Test
    void aBaseThatIsNotThereIsNamed() throws IOException {
        Files.move(base, folder.resolve("gone"));
        refused(adapter + ": its base model", base.toString(), "is no whole model", "base_model_name_or_path");
        AdaptedModel.of(adapter, Optional.of(folder.resolve("gone"))).load(DType.FLOAT32, Device.CPU);
        names("org/Some-Model.1B");
        refused("\"org/Some-Model.1B\" is a name on a hub, and no folder here");
        names("");
        refused("does not name its base model");
        names("\0");
        refused("is no whole model");
        names("/");
        refused("\"/\"");
        assertTrue(refusal(Optional.of(folder.resolve("none"))).contains("--base " + folder.resolve("none")));
    }

    @Test
    void anAdapterIsNoBase() throws IOException {
        names(".");
        refused("\".\" is no whole model");
        assertTrue(refusal(Optional.of(adapter)).contains("is no whole model"));
        InvalidFileException e =
                assertThrows(InvalidFileException.class, () -> AdaptedModel.of(base, Optional.of(base)));
        assertTrue(e.getMessage().contains("holds no adapter"), e.getMessage());
    }

    /// A foreign adapter has no checksum: that its base is another shows where shapes do not fit.
    @Test
    void aBaseThatDoesNotFitIsNamed() throws IOException {
        names(base.toString());
        DecoderConfig neoX = Models.neoX(4, 2, true);
        ModelFolder.save(base, neoX, Models.random(neoX, DType.FLOAT32, 1), ModelFolderTest.TOKENS);
        String message = refusal(Optional.empty());
        assertTrue(message.contains("does not fit the gpt_neox in " + base), message);
        assertTrue(message.contains("lora_A.weight\" is unexpected"), message);
    }

    @Test
    void loadingOwnsNothingButTheParameters() {
        long live = Scope.liveTensors();
        ModelFolder merged = AdaptedModel.of(adapter, Optional.empty()).load(DType.FLOAT32, Device.CPU);
        assertEquals(live + merged.parameters().size(), Scope.liveTensors());
        save(base, 10, DType.FLOAT32);
        long before = Scope.liveTensors();
        refused("another base model");
        assertEquals(before, Scope.liveTensors());
    }
}

package dev.kedge.nn.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.LoraWeights;
import dev.kedge.nn.lm.LoraWeights.Factors;
import dev.kedge.nn.lm.LoraWeights.Target;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AdapterFileTest {
    private static final DecoderConfig LLAMA = Models.gated(true, true, true, false, true);
    private static final int RANK = 2;

    @TempDir
    Path folder;

    Scope scope;

    @BeforeEach
    void open() {
        scope = new Scope();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private static Tensor random(Random random, long... shape) {
        return Tensor.of(random.doubles(shape[0] * shape[1], -1, 1).toArray(), shape);
    }

    private static String config(String more) {
        return "{\"peft_type\": \"LORA\", \"task_type\": \"CAUSAL_LM\", \"r\": 2, \"lora_alpha\": 6" + more + "}";
    }

    /// Writes an adapter for the modules whose path on disk ends so, as PEFT names them, and the base merged with it.
    private void writeByHand(DecoderConfig base, String more, double scale, boolean transposed, List<String> modules)
            throws IOException {
        Random random = new Random(3);
        Path plain = folder.resolve("base");
        ModelFolder.save(plain, base, Models.random(base, DType.FLOAT64, 9), GenerationConfig.NONE);
        Map<String, Tensor> merged = new TreeMap<>(Safetensors.read(plain.resolve("model.safetensors")));
        Map<String, Tensor> adapter = new TreeMap<>();
        for (String name : List.copyOf(merged.keySet())) {
            if (modules.stream().anyMatch(m -> name.endsWith("." + m + ".weight"))) {
                Tensor weight = merged.get(name);
                Tensor a = random(random, RANK, weight.size(transposed ? 0 : 1));
                Tensor b = random(random, weight.size(transposed ? 1 : 0), RANK);
                Tensor update = b.matmul(a).times(scale);
                merged.put(name, weight.plus(transposed ? update.t() : update));
                String module = "base_model.model." + name.replace(".weight", "");
                adapter.put(module + ".lora_A.weight", a);
                adapter.put(module + ".lora_B.weight", b);
            }
        }
        Path other = folder.resolve("merged");
        ModelFolder.load(plain).save(other);
        Safetensors.write(other.resolve("model.safetensors"), merged, Map.of());
        Safetensors.write(folder.resolve("adapter_model.safetensors"), adapter, Map.of());
        Files.writeString(folder.resolve("adapter_config.json"), config(more));
    }

    /// The base's parameters with the adapter added.
    private Map<String, Tensor> merge(LoraWeights lora) {
        Map<String, Tensor> parameters =
                ModelFolder.load(folder.resolve("base")).parameters();
        lora.factors()
                .forEach((target, factors) -> InPlace.plus_(
                        parameters.get(target.weight()).narrow(0, target.from(), target.to() - target.from()),
                        factors.b().matmul(factors.a()).times(lora.scale())));
        return parameters;
    }

    private void assertMerges(AdapterFile file) throws IOException {
        Map<String, Tensor> expected =
                ModelFolder.load(folder.resolve("merged")).parameters();
        LoraWeights lora = file.read(folder, DType.FLOAT64, Device.CPU);
        assertClose(expected, merge(lora));
        Path again = folder.resolve("again");
        file.write(again, lora, "base");
        LoraWeights back = file.read(again, DType.FLOAT64, Device.CPU);
        assertEquals(lora.factors().keySet(), back.factors().keySet());
        assertClose(expected, merge(back));
        Map<String, Tensor> disk = Safetensors.read(folder.resolve("adapter_model.safetensors"));
        ModelFolderTest.assertSame(disk, Safetensors.read(again.resolve("adapter_model.safetensors")));
    }

    private static void assertClose(Map<String, Tensor> expected, Map<String, Tensor> actual) {
        expected.forEach((name, tensor) ->
                assertArrayEquals(tensor.toDoubles(), actual.get(name).toDoubles(), 1e-12, name));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void llamaAdaptersAddWhatPeftAdds(boolean rslora) throws IOException {
        List<String> modules = List.of("q_proj", "v_proj", "o_proj", "up_proj", "down_proj");
        String more = ", \"use_rslora\": " + rslora
                + ", \"target_modules\": [\"q_proj\", \"v_proj\", \"o_proj\", \"up_proj\", \"mlp.down_proj\"]";
        writeByHand(LLAMA, more, rslora ? 6 / Math.sqrt(2) : 3, false, modules);
        assertMerges(new AdapterFile(ModelFamily.LLAMA, LLAMA));
    }

    @Test
    void gpt2AdaptersAddWhatPeftAdds() throws IOException {
        String more = ", \"fan_in_fan_out\": true, \"target_modules\": [\"c_attn\", \"c_proj\", \"c_fc\"]";
        writeByHand(Models.gpt2(), more, 3, true, List.of("c_attn", "c_proj", "c_fc"));
        assertMerges(new AdapterFile(ModelFamily.GPT2, Models.gpt2()));
    }

    @Test
    void neoXAdaptersAddWhatPeftAdds() throws IOException {
        DecoderConfig base = Models.neoX(4, 2, true);
        List<String> modules = List.of("query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h");
        String more = ", \"target_modules\": [\"query_key_value\", \"dense\", \"dense_h_to_4h\", \"dense_4h_to_h\"]";
        writeByHand(base, more, 3, false, modules);
        assertMerges(new AdapterFile(ModelFamily.GPT_NEOX, base));
    }

    @Test
    void aPatternOfModulesLeavesTheTensorsToSay() throws IOException {
        writeByHand(LLAMA, ", \"target_modules\": \"all-linear\"", 3, false, List.of("k_proj", "gate_proj"));
        assertMerges(new AdapterFile(ModelFamily.LLAMA, LLAMA));
    }

    @Test
    void anUpdateOfSeveralModulesIsWrittenAsOneOfEach() {
        Random random = new Random(1);
        SequencedMap<Target, Factors> factors = new LinkedHashMap<>();
        Tensor a = random(random, RANK, 12);
        Tensor b = random(random, 48, RANK);
        factors.put(new Target("layers.1.attention.qkv.weight", 0, 48), new Factors(a, b));
        AdapterFile file = new AdapterFile(ModelFamily.LLAMA, LLAMA);
        file.write(folder, new LoraWeights(RANK, 1, false, factors), "base");
        LoraWeights back = file.read(folder, DType.FLOAT64, Device.CPU);
        assertEquals(3, back.factors().size());
        Factors values = back.factors().get(new Target("layers.1.attention.qkv.weight", 36, 48));
        assertArrayEquals(a.toDoubles(), values.a().toDoubles());
        assertArrayEquals(b.narrow(0, 36, 12).toDoubles(), values.b().toDoubles());
        factors.put(new Target("layers.1.attention.qkv.weight", 0, 24), new Factors(a, b.narrow(0, 0, 24)));
        LoraWeights twice = new LoraWeights(RANK, 1, false, factors);
        assertThrows(IllegalArgumentException.class, () -> file.write(folder, twice, "base"));
        factors.clear();
        factors.put(new Target("layers.1.attention.qkv.weight", 0, 23), new Factors(a, b.narrow(0, 0, 23)));
        LoraWeights part = new LoraWeights(RANK, 1, false, factors);
        assertThrows(IllegalArgumentException.class, () -> file.write(folder, part, "base"));
        factors.put(new Target("norm.weight", 0, 23), new Factors(a, b));
        assertThrows(IllegalArgumentException.class, () -> new LoraWeights(RANK, 1, false, factors));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "use_dora": true                         | use_dora is true, must be false
            "modules_to_save": ["lm_head"]           | modules_to_save is ["lm_head"], must be null
            "rank_pattern": {"q_proj": 4}            | rank_pattern is {"q_proj":4}, must be empty
            "alpha_pattern": {"q_proj": 4}           | alpha_pattern
            "bias": "all"                            | bias is "all", must be none
            "fan_in_fan_out": true                   | fan_in_fan_out is true, must be false for llama
            "lora_bias": true                        | lora_bias is true
            "target_modules": ["q_proj", "v_proj", "w_pack"] | target_modules names "w_pack", which has no tensors
            "target_modules": ["q_proj"]             | v_proj.lora_A.weight" is unexpected
            "target_modules": ["q_proj", "v_proj", "k_proj"] | k_proj.lora_A.weight is missing
            "target_modules": [1]                    | target_modules is [1], must be a list of strings
            "use_rslora": 1                          | use_rslora is 1, must be true or false
            """)
    void whatIsNotSupportedIsNamed(String more, String message) throws IOException {
        writeByHand(LLAMA, ", " + more, 3, false, List.of("q_proj", "v_proj"));
        refused(message);
    }

    private void refused(String message) {
        AdapterFile file = new AdapterFile(ModelFamily.LLAMA, LLAMA);
        InvalidFileException e =
                assertThrows(InvalidFileException.class, () -> file.read(folder, DType.FLOAT32, Device.CPU));
        assertTrue(e.getMessage().contains(message) && e.getMessage().lines().count() == 1, e.getMessage());
    }

    @Test
    void tensorsThatDoNotFitAreNamed() throws IOException {
        writeByHand(LLAMA, "", 3, false, List.of("q_proj"));
        String config = Files.readString(folder.resolve("adapter_config.json"));
        Files.writeString(folder.resolve("adapter_config.json"), config.replace("\"r\": 2", "\"r\": 3"));
        refused("q_proj.lora_A.weight is [2, 12], must be [3, 12]");
        Files.writeString(folder.resolve("adapter_config.json"), config.replace("LORA", "IA3"));
        refused("peft_type is \"IA3\", must be LORA");
        Files.writeString(folder.resolve("adapter_config.json"), config.replace("CAUSAL_LM", "SEQ_CLS"));
        refused("task_type is \"SEQ_CLS\", must be CAUSAL_LM");
        Files.writeString(folder.resolve("adapter_config.json"), config);
        Path path = folder.resolve("adapter_model.safetensors");
        Map<String, Tensor> tensors = new TreeMap<>(Safetensors.read(path));
        tensors.remove("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight");
        Safetensors.write(path, tensors, Map.of());
        refused("layers.0.self_attn.q_proj.lora_B.weight is missing");
        Files.delete(path);
        refused("holds no adapter_model.safetensors");
    }

    @Test
    void readingOwnsNothingButTheFactors() throws IOException {
        writeByHand(Models.neoX(4, 2, true), "", 3, false, List.of("query_key_value"));
        long live = Scope.liveTensors();
        LoraWeights lora =
                new AdapterFile(ModelFamily.GPT_NEOX, Models.neoX(4, 2, true)).read(folder, DType.FLOAT32, Device.CPU);
        assertEquals(live + 2 * lora.factors().size(), Scope.liveTensors());
    }
}

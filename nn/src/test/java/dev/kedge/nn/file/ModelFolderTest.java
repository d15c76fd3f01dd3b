package dev.kedge.nn.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFolderTest {
    static final GenerationConfig TOKENS = GenerationConfig.of(List.of(2, 3), Optional.of(1), Optional.empty());

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

    static void assertSame(Map<String, Tensor> expected, Map<String, Tensor> actual) {
        assertEquals(List.copyOf(expected.keySet()), List.copyOf(actual.keySet()));
        expected.forEach((name, tensor) -> {
            assertEquals(tensor.dtype(), actual.get(name).dtype(), name);
            assertArrayEquals(tensor.shape(), actual.get(name).shape(), name);
            assertArrayEquals(tensor.toDoubles(), actual.get(name).toDoubles(), name);
        });
    }

    private Map<String, Tensor> disk() {
        return Safetensors.read(folder.resolve("model.safetensors"));
    }

    private void rewrite(Map<String, Tensor> tensors) {
        Safetensors.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
    }

    private String refusal() {
        InvalidFileException e = assertThrows(InvalidFileException.class, () -> ModelFolder.load(folder));
        assertEquals(1, e.getMessage().lines().count());
        return e.getMessage();
    }

    @Test
    void everyFamilyComesBackAndIsWrittenAgainByteForByte() throws IOException {
        for (DecoderConfig config : Models.all()) {
            for (DType dtype : List.of(DType.FLOAT32, DType.BFLOAT16)) {
                Path first = Files.createTempDirectory(folder, "first");
                Path second = Files.createTempDirectory(folder, "second");
                var parameters = Models.random(config, dtype, 7);
                ModelFolder.save(first, config, parameters, TOKENS);
                ModelFolder loaded = ModelFolder.load(first);
                assertEquals(config, loaded.config());
                assertEquals(TOKENS, loaded.generation());
                assertSame(parameters, loaded.parameters());
                loaded.save(second);
                for (String name : List.of("config.json", "generation_config.json", "model.safetensors")) {
                    assertArrayEquals(
                            Files.readAllBytes(first.resolve(name)), Files.readAllBytes(second.resolve(name)), name);
                }
            }
        }
    }

    @Test
    void loadingConvertsAndOwnsNothingButTheParameters() {
        DecoderConfig config = Models.gpt2();
        ModelFolder.save(folder, config, Models.random(config, DType.BFLOAT16, 1), TOKENS);
        long live = Scope.liveTensors();
        ModelFolder loaded = ModelFolder.load(folder, DType.FLOAT64, Device.CPU);
        assertEquals(live + loaded.parameters().size(), Scope.liveTensors());
        assertTrue(loaded.parameters().values().stream().allMatch(t -> t.dtype() == DType.FLOAT64));
        loaded.save(folder.resolve("again"));
        assertEquals(live + loaded.parameters().size(), Scope.liveTensors());
        assertThrows(IllegalArgumentException.class, () -> ModelFolder.load(folder, DType.INT8, Device.CPU));
    }

    @Test
    void parametersThatCarryGradientsAreSaved() {
        DecoderConfig config = Models.gpt2();
        var parameters = Models.random(config, DType.FLOAT32, 1);
        parameters.values().forEach(Tensor::requiresGrad);
        ModelFolder.save(folder, config, parameters, TOKENS);
        assertSame(parameters, ModelFolder.load(folder).parameters());
    }

    @Test
    void llamaRowsAreQueriesKeysValuesAndGateUp() {
        DecoderConfig c = Models.gated(true, true, true, false, false);
        var memory = Models.random(c, DType.FLOAT64, 3);
        ModelFolder.save(folder, c, memory, TOKENS);
        Map<String, Tensor> disk = disk();
        double[] qkv = memory.get("layers.1.attention.qkv.weight").toDoubles();
        String attention = "model.layers.1.self_attn.";
        List<Double> rows = new ArrayList<>();
        for (String part : List.of("q_proj", "k_proj", "v_proj")) {
            for (double value : disk.get(attention + part + ".weight").toDoubles()) {
                rows.add(value);
            }
        }
        assertArrayEquals(qkv, rows.stream().mapToDouble(x -> x).toArray());
        assertArrayEquals(
                new long[] {24, 12}, disk.get(attention + "q_proj.weight").shape());
        assertArrayEquals(new long[] {12}, disk.get(attention + "v_proj.bias").shape());
        double[] gateUp = memory.get("layers.0.mlp.gateUp.weight").toDoubles();
        assertEquals(gateUp[3], disk.get("model.layers.0.mlp.gate_proj.weight").toDoubles()[3]);
        assertEquals(
                gateUp[10 * 12 + 3],
                disk.get("model.layers.0.mlp.up_proj.weight").toDoubles()[3]);
        for (String name : List.of(
                "model.embed_tokens.weight",
                "model.norm.weight",
                "lm_head.weight",
                "model.layers.1.input_layernorm.weight",
                "model.layers.1.post_attention_layernorm.weight",
                attention + "o_proj.weight",
                attention + "o_proj.bias",
                "model.layers.1.mlp.down_proj.weight",
                "model.layers.1.mlp.down_proj.bias")) {
            assertTrue(disk.containsKey(name), name);
        }
        assertEquals(3 + 2 * 16, disk.size());
    }

    @Test
    void gpt2WeightsAreTransposedOnDisk() {
        DecoderConfig c = Models.gpt2();
        var memory = Models.random(c, DType.FLOAT64, 3);
        ModelFolder.save(folder, c, memory, TOKENS);
        Map<String, Tensor> disk = disk();
        transposed(disk.get("transformer.h.1.attn.c_attn.weight"), memory.get("layers.1.attention.qkv.weight"));
        transposed(disk.get("transformer.h.1.attn.c_proj.weight"), memory.get("layers.1.attention.output.weight"));
        transposed(disk.get("transformer.h.0.mlp.c_fc.weight"), memory.get("layers.0.mlp.up.weight"));
        transposed(disk.get("transformer.h.0.mlp.c_proj.weight"), memory.get("layers.0.mlp.down.weight"));
        equal(disk.get("transformer.h.0.attn.c_attn.bias"), memory.get("layers.0.attention.qkv.bias"));
        equal(disk.get("transformer.h.0.ln_2.bias"), memory.get("layers.0.mlpNorm.bias"));
        equal(disk.get("transformer.wpe.weight"), memory.get("positions.weight"));
        equal(disk.get("transformer.wte.weight"), memory.get("embedding.weight"));
        equal(disk.get("transformer.ln_f.weight"), memory.get("norm.weight"));
        assertEquals(4 + 2 * 12, disk.size());
    }

    private static void equal(Tensor expected, Tensor actual) {
        assertArrayEquals(expected.toDoubles(), actual.toDoubles());
    }

    private static void transposed(Tensor disk, Tensor memory) {
        int in = (int) disk.size(0);
        int out = (int) disk.size(1);
        assertArrayEquals(new long[] {out, in}, memory.shape());
        double[] d = disk.toDoubles();
        double[] m = memory.toDoubles();
        for (int i = 0; i < in; i++) {
            for (int o = 0; o < out; o++) {
                assertEquals(d[i * out + o], m[o * in + i]);
            }
        }
    }

    @Test
    void neoXInterleavesHeadsOnDisk() {
        int heads = 3;
        int headSize = 4;
        DecoderConfig c = Models.neoX(headSize, 2, true);
        var memory = Models.random(c, DType.FLOAT64, 3);
        ModelFolder.save(folder, c, memory, TOKENS);
        String name = "gpt_neox.layers.1.attention.query_key_value.";
        double[] weight = disk().get(name + "weight").toDoubles();
        double[] bias = disk().get(name + "bias").toDoubles();
        double[] m = memory.get("layers.1.attention.qkv.weight").toDoubles();
        double[] b = memory.get("layers.1.attention.qkv.bias").toDoubles();
        int width = heads * headSize;
        for (int part = 0; part < 3; part++) {
            for (int head = 0; head < heads; head++) {
                for (int i = 0; i < headSize; i++) {
                    int inMemory = part * width + head * headSize + i;
                    int onDisk = head * 3 * headSize + part * headSize + i;
                    assertEquals(bias[onDisk], b[inMemory]);
                    assertEquals(weight[onDisk * width + 5], m[inMemory * width + 5]);
                }
            }
        }
        for (String other : List.of(
                "gpt_neox.embed_in.weight",
                "embed_out.weight",
                "gpt_neox.final_layer_norm.bias",
                "gpt_neox.layers.0.attention.dense.bias",
                "gpt_neox.layers.0.mlp.dense_h_to_4h.weight",
                "gpt_neox.layers.0.mlp.dense_4h_to_h.bias",
                "gpt_neox.layers.0.input_layernorm.weight",
                "gpt_neox.layers.0.post_attention_layernorm.bias")) {
            assertTrue(disk().containsKey(other), other);
        }
        assertEquals(4 + 2 * 12, disk().size());
    }

    @Test
    void filesOfTheBareModelAndTheirBuffersAreRead() {
        DecoderConfig c = Models.gpt2();
        var memory = Models.random(c, DType.FLOAT32, 5);
        ModelFolder.save(folder, c, memory, TOKENS);
        Map<String, Tensor> bare = new TreeMap<>();
        disk().forEach((name, tensor) -> bare.put(name.replace("transformer.", ""), tensor));
        bare.put("h.0.attn.bias", Creation.ones(DType.FLOAT32, Device.CPU, 1, 1, 8, 8));
        bare.put("h.1.attn.masked_bias", Tensor.scalarOf(-1e4));
        rewrite(bare);
        ModelFolder loaded = ModelFolder.load(folder);
        assertSame(memory, loaded.parameters());
        loaded.save(folder);
        bare.keySet().removeIf(name -> name.endsWith(".attn.bias") || name.endsWith("masked_bias"));
        assertEquals(bare.keySet(), disk().keySet());
    }

    @Test
    void aTiedHeadMayBeStoredInAnyOfThreeWays() {
        DecoderConfig c = Models.gated(false, false, false, false, true);
        var memory = Models.random(c, DType.FLOAT32, 5);
        ModelFolder.save(folder, c, memory, TOKENS);
        Map<String, Tensor> tensors = new TreeMap<>(disk());
        assertFalse(tensors.containsKey("lm_head.weight"));
        tensors.put("lm_head.weight", tensors.get("model.embed_tokens.weight"));
        rewrite(tensors);
        saveAgainAndExpect(memory, tensors);
        tensors.remove("model.embed_tokens.weight");
        rewrite(tensors);
        saveAgainAndExpect(memory, tensors);
        tensors.put("model.embed_tokens.weight", tensors.get("lm_head.weight").plus(1));
        rewrite(tensors);
        assertTrue(refusal().contains("head that differs from the embedding"));
    }

    private void saveAgainAndExpect(Map<String, Tensor> memory, Map<String, Tensor> disk) {
        ModelFolder loaded = ModelFolder.load(folder);
        assertSame(memory, loaded.parameters());
        loaded.save(folder);
        assertEquals(disk.keySet(), disk().keySet());
    }

    @Test
    void tensorsThatDoNotFitAreListed() {
        DecoderConfig c = Models.gated(false, false, false, false, false);
        ModelFolder.save(folder, c, Models.random(c, DType.FLOAT32, 5), TOKENS);
        Map<String, Tensor> tensors = new TreeMap<>(disk());
        tensors.remove("model.norm.weight");
        tensors.put("extra", Tensor.of(1));
        tensors.put("lm_head.weight", Tensor.of(new float[6], 2, 3));
        rewrite(tensors);
        assertEquals(
                folder.resolve("model.safetensors")
                        + ": does not fit the llama of config.json: model.norm.weight is missing; "
                        + "lm_head.weight is [2, 3], must be [11, 12]; \"extra\" is unexpected",
                refusal());
        rewrite(Map.of("extra", Tensor.of(1), "more", Tensor.of(1)));
        assertTrue(refusal().endsWith("... (23 in all)"), refusal());
    }

    @Test
    void anAbsurdNumberOfLayersIsRefusedAtOnce() throws IOException {
        DecoderConfig c = Models.gated(false, false, false, false, false);
        ModelFolder.save(folder, c, Models.random(c, DType.FLOAT32, 5), TOKENS);
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("layers\" : 2", "layers\" : 2147483647"));
        assertTrue(refusal().contains("for the 2147483647 layers"), refusal());
    }

    @Test
    void unknownKeysAndTokenizerFilesAreKept() throws IOException {
        DecoderConfig c = Models.gated(false, false, false, false, false);
        var memory = Models.random(c, DType.FLOAT32, 5);
        ModelFolder.save(folder, c, memory, TOKENS);
        ObjectNode json = JsonFields.read(folder.resolve("config.json")).node();
        json.put("initializer_range", 0.02).put("our_own", "x").remove("head_dim");
        json.put("head_dim", 6);
        AtomicFile.write(folder.resolve("config.json"), JsonFields.bytes(json));
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        Files.writeString(folder.resolve("chat_template.jinja"), "{{ x }}");
        ModelFolder loaded = ModelFolder.load(folder);
        Path to = folder.resolve("to");
        loaded.save(to);
        assertEquals(json, JsonFields.read(to.resolve("config.json")).node());
        assertEquals("{}", Files.readString(to.resolve("tokenizer.json")));
        assertEquals("{{ x }}", Files.readString(to.resolve("chat_template.jinja")));
        DecoderConfig tied = Models.gated(false, false, false, false, true);
        memory.remove("head.weight");
        ModelFolder.save(to, tied, memory, TOKENS, loaded.origin(), 1L << 40);
        assertEquals(
                json.put("tie_word_embeddings", true),
                JsonFields.read(to.resolve("config.json")).node());
        assertSame(memory, ModelFolder.load(to).parameters());
    }

    @Test
    void parametersThatAreNotTheDecodersAreRefused() {
        DecoderConfig c = Models.gpt2();
        var memory = Models.random(c, DType.FLOAT32, 5);
        memory.put("head.weight", Tensor.of(1));
        memory.remove("norm.bias");
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> ModelFolder.save(folder, c, memory, TOKENS));
        assertEquals("norm.bias is missing; head.weight is not a parameter of this decoder", e.getMessage());
    }

    @Test
    void foldersWithoutAModelAreRefused() throws IOException {
        assertTrue(refusal().contains("holds no config.json and no llama2.c model"), refusal());
        Files.write(folder.resolve("pytorch_model.bin"), new byte[100]);
        assertTrue(refusal().contains("pytorch_model.bin: header: dim is 0"), refusal());
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"llama\"}");
        assertTrue(refusal().contains("hidden_size is missing"), refusal());
        Files.writeString(
                folder.resolve("config.json"), "{\"model_type\": \"llama\", " + HuggingFaceConfigTest.SIZES + "}");
        assertTrue(refusal().contains("pickled weights"), refusal());
        assertThrows(InvalidFileException.class, () -> ModelFolder.load(folder.resolve("none")));
    }

    @Test
    void shardsAreWrittenAndRead() throws IOException {
        DecoderConfig c = Models.gated(false, false, false, false, true);
        var memory = Models.random(c, DType.FLOAT32, 5);
        ModelFolder.save(folder, c, memory, TOKENS);
        ModelFolder.save(folder, c, memory, TOKENS, Origin.of(ModelFamily.LLAMA, c), 2000);
        assertFalse(Files.exists(folder.resolve("model.safetensors")));
        JsonFields index = JsonFields.read(folder.resolve("model.safetensors.index.json"));
        String shard = index.object("weight_map").text("model.norm.weight");
        assertTrue(shard.matches("model-0000\\d-of-0000\\d.safetensors"), shard);
        long bytes = memory.values().stream().mapToLong(Tensor::numel).sum() * 4;
        assertEquals(bytes, index.object("metadata").node().get("total_size").asLong());
        ModelFolder loaded = ModelFolder.load(folder);
        assertSame(memory, loaded.parameters());
        loaded.save(folder);
        try (var files = Files.list(folder)) {
            assertEquals(3, files.count());
        }
    }

    @Test
    void anIndexThatDoesNotFitItsShardsIsRefused() throws IOException {
        DecoderConfig c = Models.gated(false, false, false, false, true);
        ModelFolder.save(folder, c, Models.random(c, DType.FLOAT32, 5), TOKENS, Origin.of(ModelFamily.LLAMA, c), 2000);
        Path index = folder.resolve("model.safetensors.index.json");
        String original = Files.readString(index);
        Map<String, String> edits = new LinkedHashMap<>();
        edits.put("\"model.norm.weight\"", "\"absent\"");
        edits.put("\"model.norm.weight\" : \"model", "\"model.norm.weight\" : \"../model");
        edits.put("\"model.norm.weight\" : \"model-0000\\d", "\"model.norm.weight\" : \"model-00001");
        edits.put("\"weight_map\"", "\"map\"");
        List<String> messages =
                List.of("\"absent\" in model-", "not the name of", "which does not hold it", "weight_map is missing");
        int i = 0;
        for (var edit : edits.entrySet()) {
            Files.writeString(index, original.replaceFirst(edit.getKey(), edit.getValue()));
            assertTrue(refusal().contains(messages.get(i++)), refusal());
        }
    }
}

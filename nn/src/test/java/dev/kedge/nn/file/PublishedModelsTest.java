package dev.kedge.nn.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.RealData;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Checkpoints that others have made, read from the folder of real data.
class PublishedModelsTest {
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

    private static void value(double expected, Map<String, Tensor> parameters, String name, long index) {
        double[] values = parameters.get(name + ".weight").toDoubles();
        assertEquals(expected, values[(int) index], 1e-6, name + " " + index);
    }

    /// Values that its makers' own loader is tested with.
    @Test
    void tinyStoriesHoldsThePublishedValues() {
        ModelFolder model = ModelFolder.load(RealData.folder("tinystories656k"), DType.FLOAT32, Device.CPU);
        Map<String, Tensor> p = model.parameters();
        long width = 128;
        value(0.14453125, p, "embedding", 50);
        value(0.18652344, p, "layers.0.attentionNorm", 10);
        value(0.32421875, p, "layers.1.mlpNorm", 10);
        value(0.73046875, p, "norm", 100);
        value(-0.0625, p, "layers.0.mlp.down", 100);
        value(1.46875, p, "layers.0.mlp.gateUp", 384 * width + 100);
        value(0.296875, p, "layers.1.mlp.gateUp", 100);
        value(0.032226563, p, "layers.1.attention.qkv", 100);
        value(-0.21386719, p, "layers.1.attention.qkv", 128 * width + 100);
        value(0.041015625, p, "layers.0.attention.qkv", (128 + 64) * width + 100);
        value(0.01965332, p, "layers.0.attention.output", 100);
        assertEquals(656_000, p.values().stream().mapToLong(Tensor::numel).sum());
        assertEquals(GenerationConfig.of(List.of(2), Optional.of(1), Optional.empty()), model.generation());
    }

    @Test
    void savingWhatWasLoadedGivesTheSameTensorsAndKeys() throws IOException {
        for (String name : List.of("tinystories656k", "arithmetic_llama")) {
            Path from = RealData.folder(name);
            Path to = folder.resolve(name);
            ModelFolder.load(from).save(to);
            try (SafetensorsFile expected = Safetensors.open(from.resolve("model.safetensors"));
                    SafetensorsFile actual = Safetensors.open(to.resolve("model.safetensors"))) {
                assertEquals(expected.entries(), actual.entries());
            }
            assertArrayEquals(tensorBytes(from), tensorBytes(to));
            for (String json : List.of("config.json", "generation_config.json")) {
                assertEquals(
                        JsonFields.read(from.resolve(json)).node(),
                        JsonFields.read(to.resolve(json)).node());
            }
            String tokenizer = "tokenizer_config.json";
            assertEquals(Files.readString(from.resolve(tokenizer)), Files.readString(to.resolve(tokenizer)));
        }
    }

    /// All bytes after the header.
    private static byte[] tensorBytes(Path folder) throws IOException {
        byte[] bytes = Files.readAllBytes(folder.resolve("model.safetensors"));
        String start = new String(bytes, 0, 8, StandardCharsets.ISO_8859_1);
        int length = start.charAt(0) + 256 * start.charAt(1) + 65536 * start.charAt(2);
        return Arrays.copyOfRange(bytes, 8 + length, bytes.length);
    }

    @Test
    void arithmeticLlamaIsReadAsBfloat16() {
        ModelFolder model = ModelFolder.load(RealData.folder("arithmetic_llama"));
        assertTrue(model.parameters().values().stream().allMatch(t -> t.dtype() == DType.BFLOAT16));
        assertEquals(
                795_776,
                model.parameters().values().stream().mapToLong(Tensor::numel).sum());
        assertEquals(Optional.of(2), model.generation().padId());
        assertEquals(List.of(1), model.generation().eosIds());
        ModelFolder wide = ModelFolder.load(RealData.folder("arithmetic_llama"), DType.FLOAT32, Device.CPU);
        model.parameters()
                .forEach((name, tensor) -> assertArrayEquals(
                        tensor.toDoubles(), wide.parameters().get(name).toDoubles()));
    }

    @Test
    void storiesGivesTheSameLogitsInHalvesAndItsTablesHaveBase10000() throws IOException {
        Path from = RealData.folder("stories260k");
        ModelFolder model = ModelFolder.load(from, DType.FLOAT32, Device.CPU);
        DecoderConfig c = model.config();
        assertEquals(512, c.vocabularySize());
        assertTrue(c.tiedHead());
        long numel =
                model.parameters().values().stream().mapToLong(Tensor::numel).sum();
        assertEquals(264_128 - 2 * 512 * 4, numel);
        PlainLlama plain = PlainLlama.interleaved(from.resolve("stories260K.bin"));
        for (int t = 0; t < 512; t++) {
            for (int i = 0; i < 4; i++) {
                double angle = t * Math.pow(10000, -i / 4.0);
                assertEquals(Math.cos(angle), plain.cosines[t * 4 + i], 1e-4);
                assertEquals(Math.sin(angle), plain.sines[t * 4 + i], 1e-4);
            }
        }
        int[] tokens = {1, 403, 407, 261, 378, 31};
        double[][] expected = plain.logits(tokens);
        double[][] actual = PlainLlama.halves(model).logits(tokens);
        for (int t = 0; t < tokens.length; t++) {
            assertArrayEquals(expected[t], actual[t], 1e-10);
        }
    }
}

package dev.kedge.nn.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.DecoderConfig.Mlp;
import dev.kedge.nn.lm.DecoderConfig.Norm;
import dev.kedge.nn.lm.DecoderConfig.Positions;
import dev.kedge.nn.lm.DecoderConfig.Scaling;
import dev.kedge.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HuggingFaceConfigTest {
    /// The sizes of small models of the four gated families and of NeoX, without the closing brace.
    static final String SIZES = """
            "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
            "vocab_size": 100, "max_position_embeddings": 512, "num_key_value_heads": 2""";

    @TempDir
    Path folder;

    static DecoderConfig parse(String json) {
        return HuggingFaceConfig.of(JsonFields.of(Path.of("config.json"), json)).config();
    }

    static DecoderConfig parse(String modelType, String more) {
        return parse("{\"model_type\": \"" + modelType + "\", " + SIZES + more + "}");
    }

    static Positions.Rotary rope(String more) {
        return (Positions.Rotary) parse("llama", more).positions();
    }

    @Test
    void theKeysOfLlama32AreRead() {
        DecoderConfig config = parse("""
                {"model_type": "llama", "vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 8192,
                 "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64,
                 "max_position_embeddings": 131072, "rms_norm_eps": 1e-05, "rope_theta": 500000.0, "mlp_bias": false,
                 "attention_bias": false, "hidden_act": "silu", "tie_word_embeddings": true, "rope_scaling":
                 {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                  "original_max_position_embeddings": 8192, "rope_type": "llama3"}}""");
        DecoderConfig expected = new DecoderConfig(
                128256,
                2048,
                8192,
                16,
                32,
                8,
                64,
                131072,
                Norm.RMS,
                1e-5,
                new Positions.Rotary(500000, 64, new Scaling.Llama3(32, 1, 4, 8192)),
                Mlp.GATED_SILU,
                false,
                false,
                false,
                false,
                false,
                true);
        assertEquals(expected, config);
    }

    @Test
    void theKeysOfQwenAreRead() {
        DecoderConfig qwen2 = parse("qwen2", ", \"use_sliding_window\": false, \"sliding_window\": 8");
        assertTrue(qwen2.qkvBias() && !qwen2.outputBias() && !qwen2.mlpBias() && !qwen2.tiedHead());
        assertEquals(16, qwen2.headSize());
        assertFalse(qwen2.qkNorm());
        DecoderConfig qwen3 = parse("qwen3", "");
        assertTrue(qwen3.qkNorm() && !qwen3.qkvBias());
        assertEquals(128, qwen3.headSize());
        assertTrue(parse("qwen3", ", \"attention_bias\": true").outputBias());
    }

    @Test
    void theKeysOfGpt2AreRead() {
        DecoderConfig config = parse("""
                {"model_type": "gpt2", "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024,
                 "vocab_size": 50257,
                 "layer_norm_epsilon": 1e-05, "activation_function": "gelu_new", "n_inner": null}""");
        DecoderConfig expected = new DecoderConfig(
                50257,
                768,
                3072,
                12,
                12,
                12,
                64,
                1024,
                Norm.LAYER,
                1e-5,
                new Positions.Learned(),
                Mlp.GELU_TANH,
                true,
                true,
                true,
                false,
                false,
                true);
        assertEquals(expected, config);
    }

    @Test
    void theKeysOfPythiaAreRead() {
        DecoderConfig config = parse("""
                {"model_type": "gpt_neox", "hidden_size": 512, "num_attention_heads": 8, "num_hidden_layers": 6,
                 "intermediate_size": 2048, "max_position_embeddings": 2048, "vocab_size": 50304, "rotary_pct": 0.25,
                 "rotary_emb_base": 10000, "layer_norm_eps": 1e-05, "hidden_act": "gelu", "use_parallel_residual": true,
                 "tie_word_embeddings": false}""");
        DecoderConfig expected = new DecoderConfig(
                50304,
                512,
                2048,
                6,
                8,
                8,
                64,
                2048,
                Norm.LAYER,
                1e-5,
                new Positions.Rotary(10000, 16, new Scaling.None()),
                Mlp.GELU,
                true,
                true,
                true,
                false,
                true,
                false);
        assertEquals(expected, config);
    }

    @Test
    void familiesDefaultsHoldWhereKeysAreAbsent() {
        DecoderConfig llama = parse("""
                {"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
                 "num_attention_heads": 4, "vocab_size": 100}""");
        assertEquals(4, llama.kvHeads());
        assertEquals(2048, llama.maxPositions());
        assertEquals(1e-6, llama.normEpsilon());
        assertFalse(llama.tiedHead());
        assertEquals(new Positions.Rotary(10000, 16, new Scaling.None()), llama.positions());
        assertEquals(4, ((Positions.Rotary) parse("gpt_neox", "").positions()).rotated());
        assertTrue(parse("gpt_neox", "").parallelResidual());
        assertFalse(parse("gpt_neox", ", \"use_parallel_residual\": false").parallelResidual());
    }

    @Test
    void olderAndNewerRotaryKeysMeanTheSame() {
        var linear = new Positions.Rotary(5e5, 16, new Scaling.Linear(4));
        assertEquals(linear, rope(", \"rope_theta\": 5e5, \"rope_scaling\": {\"type\": \"linear\", \"factor\": 4}"));
        assertEquals(
                linear, rope(", \"rope_theta\": 5e5, \"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 4}"));
        assertEquals(
                linear, rope(", \"rope_parameters\": {\"rope_theta\": 5e5, \"rope_type\": \"linear\", \"factor\": 4}"));
        assertEquals(
                new Scaling.None(),
                rope(", \"rope_scaling\": {\"rope_type\": \"default\"}").scaling());
        assertEquals(
                new Positions.Rotary(7, 8, new Scaling.None()),
                parse("gpt_neox", ", \"rope_parameters\": {\"rope_theta\": 7, \"partial_rotary_factor\": 0.5}")
                        .positions());
    }

    @Test
    void aWindowThatHidesNothingIsAccepted() {
        assertEquals(512, parse("mistral", ", \"sliding_window\": null").maxPositions());
        assertEquals(512, parse("mistral", ", \"sliding_window\": 512").maxPositions());
        assertEquals(512, parse("mistral", "").maxPositions());
        parse("qwen2", ", \"use_sliding_window\": true, \"sliding_window\": 8, \"max_window_layers\": 2");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            mistral  | "sliding_window": 511                          | sliding_window is 511, must be at least max_position_embeddings 512
            qwen2    | "use_sliding_window": true, "sliding_window": 8, "max_window_layers": 1 | sliding_window is 8
            qwen3    | "use_sliding_window": true, "sliding_window": 8, "layer_types": ["full_attention", "sliding_attention"] | sliding_window is 8
            llama    | "layer_types": ["chunked_attention"]           | layer_types is ["chunked_attention"]
            llama    | "hidden_act": "relu"                           | hidden_act is "relu", must be silu
            llama    | "rope_scaling": {"type": "yarn", "factor": 2}  | rope_scaling.type is "yarn", must be default, linear or llama3
            llama    | "rope_scaling": {"rope_type": "linear"}        | rope_scaling.factor is missing
            llama    | "rope_scaling": {"rope_type": "linear", "factor": 0} | rope_scaling.factor is 0, must be a number above 0
            llama    | "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4} | original_max_position_embeddings is missing
            llama    | "rope_scaling": "linear"                       | rope_scaling is "linear", must be a JSON object
            llama    | "rope_parameters": {"full_attention": {}}      | settings that differ by layer
            llama    | "rope_theta": -1                               | rope_theta is -1, must be a number above 0
            llama    | "rope_theta": 1e999                            | rope_theta is
            llama    | "head_dim": 15 | head_dim is 15, must be even
            llama    | "head_dim": 0                                  | head_dim is 0, must be an integer
            llama    | "attention_bias": "yes"                        | attention_bias is "yes", must be true or false
            llama    | "quantization_config": {"bits": 4}             | quantization_config is {"bits":4}
            llama    | "partial_rotary_factor": 0.5                   | partial_rotary_factor is 0.5, must be 1
            llama    | "rms_norm_eps": 0                              | rms_norm_eps is 0
            llama    | "model_type": "llama"                          | Duplicate field 'model_type'
            mistral  | "attention_bias": true                         | attention_bias is true, must be false
            qwen3    | "mlp_bias": true                               | mlp_bias is true
            gpt_neox | "hidden_act": "relu"                           | must be one of gelu
            gpt_neox | "rotary_pct": 0.2                              | rotary_pct is 0.2, must be a share
            gpt_neox | "rotary_pct": 2                                | rotary_pct is 2, must be a share
            gemma    | "a": 1                                         | model_type "gemma" is not supported; supported are llama
            """)
    void whatIsNotSupportedIsNamed(String modelType, String more, String message) {
        InvalidFileException e = assertThrows(InvalidFileException.class, () -> parse(modelType, ", " + more));
        assertTrue(e.getMessage().startsWith("config.json: ") && e.getMessage().contains(message), e.getMessage());
        assertEquals(1, e.getMessage().lines().count());
    }

    @Test
    void sizesThatCannotBeAreNamed() {
        for (String value : List.of("0", "-3", "1.5", "\"64\"", "99999999999", "true", "null", "[1]")) {
            String json = "{\"model_type\": \"llama\", " + SIZES.replace("64", value) + "}";
            InvalidFileException e = assertThrows(InvalidFileException.class, () -> parse(json));
            assertTrue(e.getMessage().contains("hidden_size is "), e.getMessage());
        }
        for (String json : List.of("", "[]", "{", "nul", "{} {}", "3", "[".repeat(100_000))) {
            assertThrows(InvalidFileException.class, () -> parse(json), json);
        }
        String five = "{\"model_type\": \"llama\", "
                + SIZES.replace("heads\": 4", "heads\": 5").replace("heads\": 2", "heads\": 5") + "}";
        InvalidFileException e = assertThrows(InvalidFileException.class, () -> parse(five));
        assertTrue(e.getMessage().contains("divisor of hidden_size 64"), e.getMessage());
        String three = "{\"model_type\": \"llama\", " + SIZES.replace("value_heads\": 2", "value_heads\": 3") + "}";
        e = assertThrows(InvalidFileException.class, () -> parse(three));
        assertTrue(e.getMessage().contains("num_key_value_heads is 3, must be a divisor"), e.getMessage());
    }

    private static final List<String> VALUES = List.of(
            "0",
            "-1",
            "1",
            "2147483647",
            "2147483648",
            "1e400",
            "0.3",
            "1e-320",
            "true",
            "null",
            "\"\"",
            "[]",
            "{}",
            "[{}]",
            "{\"rope_type\": \"llama3\"}",
            "{\"type\": 3}",
            "{\"rope_theta\": {}}",
            "[\"sliding_attention\"]");

    /// Whatever stands under the keys we read, the answer is a decoder or the one exception.
    @Test
    void noValuesGetPastTheReader() {
        int read = 0;
        for (int seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            DecoderConfig config = Models.all().get(random.nextInt(Models.all().size()));
            ObjectNode json = ConfigWriter.write(config, ModelFamily.of(config), DType.FLOAT32, GenerationConfig.NONE);
            List<String> keys = new ArrayList<>(List.of(
                    "rope_parameters",
                    "layer_types",
                    "sliding_window",
                    "partial_rotary_factor",
                    "n_inner",
                    "head_dim"));
            json.fieldNames().forEachRemaining(keys::add);
            for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
                String value = VALUES.get(random.nextInt(VALUES.size()));
                json.putRawValue(keys.get(random.nextInt(keys.size())), new RawValue(value));
            }
            try {
                parse(json.toString());
                read++;
            } catch (InvalidFileException e) {
                assertEquals(1, e.getMessage().lines().count(), "seed " + seed);
            } catch (RuntimeException e) {
                fail("seed " + seed + ": " + json, e);
            }
        }
        assertTrue(read > 300, read + " read");
    }

    @Test
    void filesThatAreNotTextAreNamed() throws IOException {
        Path path = folder.resolve("config.json");
        Files.write(path, new byte[] {'{', (byte) 0xc0, '}'});
        assertEquals(
                path + ": not UTF-8",
                assertThrows(InvalidFileException.class, () -> HuggingFaceConfig.read(path))
                        .getMessage());
        Files.writeString(path, "{\n \"model_type\": \"llama\",\n oops}");
        String message = assertThrows(InvalidFileException.class, () -> HuggingFaceConfig.read(path))
                .getMessage();
        assertTrue(message.startsWith(path + ": line 3: not valid JSON"), message);
    }

    @Test
    void whatIsWrittenReadsBack() {
        for (DecoderConfig config : Models.all()) {
            ModelFamily family = ModelFamily.of(config);
            ObjectNode json = ConfigWriter.write(config, family, DType.BFLOAT16, GenerationConfig.NONE);
            assertEquals(
                    new HuggingFaceConfig(family, config),
                    HuggingFaceConfig.of(JsonFields.of(Path.of("config.json"), json.toString())));
            assertEquals("bfloat16", json.get("torch_dtype").asText());
        }
    }

    @Test
    void everyShareOfRotatedEntriesReadsBack() {
        for (int headSize = 2; headSize <= 128; headSize += 2) {
            for (int rotated = 2; rotated <= headSize; rotated += 2) {
                DecoderConfig config = Models.neoX(headSize, rotated, false);
                ConfigWriter.write(config, ModelFamily.GPT_NEOX, DType.FLOAT32, GenerationConfig.NONE);
            }
        }
    }

    @Test
    void aDecoderThatNoFamilyCanSayIsRefused() {
        DecoderConfig c = DecoderConfig.small(10, 32, 1, 2, 16);
        DecoderConfig mixed = new DecoderConfig(
                10,
                32,
                32,
                1,
                2,
                2,
                16,
                16,
                Norm.LAYER,
                1e-5,
                c.positions(),
                Mlp.GATED_SILU,
                false,
                false,
                false,
                false,
                false,
                true);
        assertThrows(IllegalArgumentException.class, () -> ModelFamily.of(mixed));
        assertThrows(IllegalArgumentException.class, () -> Origin.of(ModelFamily.GPT2, c));
        assertEquals(ModelFamily.LLAMA, ModelFamily.of(c));
    }

    @Test
    void generationSettingsComeFromTheirFileThenFromTheConfig() {
        GenerationConfig read = GenerationConfig.of(JsonFields.of(
                Path.of("g"), "{\"eos_token_id\": [3, 4], \"pad_token_id\": -1, \"temperature\": 0.6, \"top_k\": 0}"));
        assertEquals(List.of(3, 4), read.eosIds());
        assertEquals(Optional.of(0), read.topK());
        GenerationConfig both = read.or(GenerationConfig.of(List.of(9), Optional.of(1), Optional.of(2)));
        assertEquals(
                new GenerationConfig(
                        List.of(3, 4),
                        Optional.of(1),
                        Optional.of(2),
                        Optional.of(0.6),
                        Optional.of(0),
                        Optional.empty()),
                both);
        assertThrows(
                InvalidFileException.class, () -> GenerationConfig.of(JsonFields.of(Path.of("g"), "{\"top_p\": 1.5}")));
        assertThrows(
                InvalidFileException.class,
                () -> GenerationConfig.of(JsonFields.of(Path.of("g"), "{\"eos_token_id\": \"</s>\"}")));
    }
}

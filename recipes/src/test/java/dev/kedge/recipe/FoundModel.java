package dev.kedge.recipe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.file.GenerationConfig;
import dev.kedge.nn.file.ModelFamily;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.file.Origin;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.Generator;
import dev.kedge.sequence.PretrainedModel;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.text.CharTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// A folder as makers of models leave them: a Mistral in half precision, in shards, with a tied head; four end tokens
// in
/// three files; a tokenizer of several files with added tokens, and the chat template in one of its own.
public final class FoundModel {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<Integer> ENDS = Set.of(2, 4, 5, 13);

    private FoundModel() {}

    public static Path in(Path folder, DType dtype) throws IOException {
        tokenizer(folder);
        DecoderConfig shape = DecoderConfig.small(14, 16, 1, 2, 24);
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(7);
                Decoder decoder = Decoder.random(shape, 1, rng, Device.CPU);
                Parameters stored = Parameters.copyOf(decoder.parameters().named(), dtype, Device.CPU)) {
            Origin origin = Origin.of(ModelFamily.MISTRAL, shape);
            ModelFolder.save(folder, shape, stored.named(), GenerationConfig.NONE, origin, 2000);
        }
        Path config = folder.resolve("config.json");
        Files.writeString(
                config,
                Files.readString(config)
                        .replaceFirst("\\{", "{\"a_key_of_its_maker\": [1, {\"x\": null}], \"eos_token_id\": [2, 4],"));
        Files.writeString(
                folder.resolve("generation_config.json"),
                "{\"eos_token_id\": [2,5],   \"temperature\": 0.60, \"top_p\": 0.9, \"top_k\": 50,"
                        + " \"repetition_penalty\": 1.05, \"do_sample\": true}");
        return folder;
    }

    private static void tokenizer(Path folder) throws IOException {
        CharTokenizer.of("abcdefgh ").save(folder);
        Path config = folder.resolve("tokenizer_config.json");
        Files.writeString(config, Files.readString(config).replace("\"char\"", "\"none\""));
        String added = "{\"id\": %d, \"content\": \"%s\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false,"
                + " \"normalized\": false, \"special\": true},";
        Path file = folder.resolve("tokenizer.json");
        Files.writeString(
                file,
                Files.readString(file)
                        .replaceFirst(
                                "\"added_tokens\" : \\[",
                                "\"added_tokens\" : [" + added.formatted(12, "<|im_start|>")
                                        + added.formatted(13, "<|im_end|>")));
        Files.writeString(
                folder.resolve("chat_template.jinja"),
                "{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}"
                        + "{% if add_generation_prompt %}<|im_start|>{% endif %}");
        Files.writeString(folder.resolve("special_tokens_map.json"), "{ \"eos_token\":   \"<eos>\" }");
        Files.writeString(folder.resolve("added_tokens.json"), "{\"<|im_end|>\": 13}");
        Files.write(folder.resolve("tokenizer.model"), new byte[] {0, 1, 2, -1});
    }

    /// What was saved holds what its start held, but for the type of the weights, which config.json says.
    public static void assertKept(Path start, Path saved) throws IOException {
        for (String name : List.of(
                "tokenizer.json",
                "tokenizer_config.json",
                "special_tokens_map.json",
                "added_tokens.json",
                "tokenizer.model",
                "chat_template.jinja",
                "generation_config.json")) {
            assertArrayEquals(
                    Files.readAllBytes(start.resolve(name)),
                    Files.readAllBytes(saved.resolve(name)),
                    saved + " " + name);
        }
        ObjectNode config =
                (ObjectNode) JSON.readTree(start.resolve("config.json").toFile());
        config.put("torch_dtype", "float32");
        assertEquals(config, JSON.readTree(saved.resolve("config.json").toFile()), saved.toString());
        try (Stream<Path> files = Files.list(saved)) {
            assertFalse(files.anyMatch(f -> f.toString().contains("-of-")), saved + " holds shards of its start");
        }
    }

    /// Token for token the same greedy continuations, which stop at the same end tokens.
    public static void assertSame(Path start, Path saved) {
        Map<List<Integer>, List<Integer>> expected = continuations(start);
        assertEquals(expected, continuations(saved), saved.toString());
        assertTrue(
                expected.values().stream()
                                .map(List::getLast)
                                .filter(ENDS::contains)
                                .distinct()
                                .count()
                        > 1,
                "the continuations end at different tokens, or nothing is shown: " + expected);
    }

    private static Map<List<Integer>, List<Integer>> continuations(Path folder) {
        Map<List<Integer>, List<Integer>> all = new LinkedHashMap<>();
        try (PretrainedModel model = PretrainedModel.open(folder, Device.CPU)) {
            assertEquals(ENDS, model.tokenizer().stopIds(), folder.toString());
            for (int first = 0; first < 14; first++) {
                for (int second = 3; second < 14; second++) {
                    var options = Generator.Options.greedy(12, model.tokenizer().stopIds());
                    int[] prompt = {first, second};
                    int[] said = Generator.generate(model.decoder(), List.of(prompt), options, null)
                            .getFirst()
                            .tokens();
                    all.put(List.of(first, second), Arrays.stream(said).boxed().toList());
                }
            }
        }
        return all;
    }
}

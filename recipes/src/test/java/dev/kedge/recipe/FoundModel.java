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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A folder as makers of models leave them: a Mistral in half precision, in shards, with a tied head; four end
/// tokens in three files; a tokenizer of several files with added tokens, and the chat template in one of its
/// own.
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
        assertSame(start, saved, ENDS, 14, 2);
    }

    /// @param ends       of both
    /// @param vocabulary tokens that prompts are made of
    /// @param different  how many of the ends must be seen, or nothing is shown
    public static void assertSame(Path start, Path saved, Set<Integer> ends, int vocabulary, int different) {
        Map<Integer, List<Integer>> expected = continuations(start, ends, vocabulary);
        assertEquals(expected, continuations(saved, ends, vocabulary), saved.toString());
        long seen = expected.values().stream()
                .map(List::getLast)
                .filter(ends::contains)
                .distinct()
                .count();
        assertTrue(seen >= different, "continuations end at " + seen + " different tokens");
    }

    private static Map<Integer, List<Integer>> continuations(Path folder, Set<Integer> ends, int vocabulary) {
        Map<Integer, List<Integer>> all = new LinkedHashMap<>();
        try (PretrainedModel model = PretrainedModel.open(folder, Device.CPU)) {
            assertEquals(ends, model.tokenizer().stopIds(), folder.toString());
            List<int[]> prompts = IntStream.range(0, 12 * vocabulary)
                    .mapToObj(i -> new int[] {i % vocabulary, (7 * i + i / vocabulary) % vocabulary})
                    .toList();
            var options = Generator.Options.greedy(12, model.tokenizer().stopIds());
            Generator.generate(model.decoder(), prompts, options, null)
                    .forEach(c -> all.put(
                            c.prompt(), Arrays.stream(c.tokens()).boxed().toList()));
        }
        return all;
    }

    /// A llama2.c file of random weights with a head of its own, in a new folder beside two tokenizers; 260 tokens.
    public static Path llamaC(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.write(folder.resolve("tok259.bin"), pieces(259));
        Files.write(folder.resolve("tok260.bin"), pieces(260));
        int[] header = {16, 12, 1, 4, 2, -260, 24};
        int floats = 260 * 16 + 2 * 16 + 2 * 16 * 16 + 2 * 8 * 16 + 3 * 12 * 16 + 16 + 24 * 4 + 260 * 16;
        ByteBuffer bytes = ByteBuffer.allocate(28 + 4 * floats).order(ByteOrder.LITTLE_ENDIAN);
        Arrays.stream(header).forEach(bytes::putInt);
        Random random = new Random(5);
        while (bytes.hasRemaining()) {
            bytes.putFloat((float) random.nextGaussian());
        }
        return Files.write(folder.resolve("stories.bin"), bytes.array());
    }

    private static byte[] pieces(int count) {
        ByteBuffer bytes =
                ByteBuffer.allocate(1 << 14).order(ByteOrder.LITTLE_ENDIAN).putInt(8);
        for (int id = 0; id < count; id++) {
            String piece = id < 3 ? "<s>" : id < 259 ? "<0x%02X>".formatted(id - 3) : "ab";
            bytes.putFloat(0).putInt(piece.length()).put(piece.getBytes(StandardCharsets.UTF_8));
        }
        return Arrays.copyOf(bytes.array(), bytes.position());
    }
}

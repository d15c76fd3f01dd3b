package dev.kedge.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
    private static final List<String> HARD = List.of(
            "",
            " ",
            "Once upon a time, there was a little girl.",
            "  two  spaces \n\n tabs\t\tend ",
            "Größe, naïve café — “quotes” …",
            "你好，世界 안녕하세요 สวัสดี",
            "😀👩‍👩‍👧‍👦🇩🇪 \uD83D\uDC4D",
            "nul\0 and \u0007 and \uFFFD real",
            "1234567890 3.14 0x7F");

    /// Loading the large vocabularies takes seconds, so the tests that only read them share one of each.
    private static final Map<String, Tokenizer> SHARED = new HashMap<>();

    private static Tokenizer shared(String folder) {
        Path path = data(folder);
        return SHARED.computeIfAbsent(folder, _ -> Tokenizer.load(path));
    }

    @AfterAll
    static void close() {
        SHARED.values().forEach(Tokenizer::close);
    }

    private static Path data(String name) {
        return RealData.folder(name);
    }

    @ParameterizedTest
    @CsvSource({
        "tokenizers/gpt2, tokenizers/gguf/ggml-vocab-gpt-2.gguf",
        "tokenizers/qwen2, tokenizers/qwen2/ggml-vocab-qwen2.gguf"
    })
    void idsAgreeWithThePublishedVectors(String folder, String vectors) throws IOException {
        List<String> texts = List.of(Files.readString(data(vectors + ".inp")).split("\n__ggml_vocab_test__\n", -1));
        List<String> lines = List.of(Files.readString(data(vectors + ".out")).split("\n", -1));
        assertEquals(47, lines.size());
        Tokenizer tokenizer = shared(folder);
        for (int i = 0; i < lines.size(); i++) {
            int[] expected = lines.get(i).isBlank()
                    ? new int[0]
                    : Arrays.stream(lines.get(i).strip().split(" "))
                            .mapToInt(Integer::parseInt)
                            .toArray();
            assertArrayEquals(expected, tokenizer.encode(texts.get(i)), "case " + i);
            assertEquals(texts.get(i), tokenizer.decode(expected), "case " + i);
        }
    }

    @Test
    void gpt2AgreesOnALongText() throws IOException {
        var vector = new ObjectMapper()
                .readTree(data("tokenizers/gpt2/gpt2_encoded_tokens.json").toFile());
        int[] expected = IntStream.range(0, vector.path("token_ids").size())
                .map(i -> vector.path("token_ids").get(i).asInt())
                .toArray();
        Tokenizer tokenizer = shared("tokenizers/gpt2");
        String text = vector.path("text").asText();
        assertArrayEquals(expected, tokenizer.encode(text));
        assertEquals("Ġ", tokenizer.token(220));
        assertEquals(50257, tokenizer.vocabularySize());
        assertArrayEquals(new int[] {50256, 64}, tokenizer.encodeOrdinary("<|endoftext|>a"));
        assertEquals("a", tokenizer.decode(new int[] {50256, 64}));
        assertEquals("<|endoftext|>a", tokenizer.decode(new int[] {50256, 64}, true));
    }

    @Test
    void nothingIsTruncatedOrPadded() {
        Tokenizer tokenizer = shared("tokenizers/gpt2");
        assertEquals(20_000, tokenizer.encode(" a".repeat(20_000)).length);
        assertEquals(1, tokenizer.encode(" a").length);
    }

    @Test
    void theConfigDecidesHowTextIsSplit(@TempDir Path folder) throws IOException {
        for (String file : List.of("vocab.json", "merges.txt")) {
            Files.copy(data("tokenizers/gpt2").resolve(file), folder.resolve(file));
        }
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"qwen2\", \"eos_token_id\": [50256, 7]}");
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            assertEquals(4, tokenizer.encode("2019").length);
            assertEquals(OptionalInt.of(50256), tokenizer.eos());
            assertEquals(Set.of(50256, 7), tokenizer.stopIds());
            tokenizer.save(folder.resolve("saved"));
        }
        try (Tokenizer saved = Tokenizer.load(folder.resolve("saved"))) {
            assertEquals(OptionalInt.of(50256), saved.eos());
            assertEquals(Set.of(50256, 7), saved.stopIds());
        }
        Files.delete(folder.resolve("config.json"));
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            assertEquals(1, tokenizer.encode("2019").length);
        }
    }

    @Test
    void tinystories656k(@TempDir Path folder) throws IOException {
        try (Tokenizer tokenizer = Tokenizer.load(data("tinystories656k"))) {
            assertEquals(2048, tokenizer.vocabularySize());
            assertEquals(OptionalInt.of(1), tokenizer.bos());
            assertEquals(OptionalInt.of(2), tokenizer.eos());
            assertEquals(OptionalInt.of(0), tokenizer.pad());
            int[] ids = tokenizer.encode("Once upon a time");
            assertEquals(1, ids[0]);
            assertEquals("Once upon a time", tokenizer.decode(ids));
            assertArrayEquals(Arrays.copyOfRange(ids, 1, ids.length), tokenizer.encodeOrdinary("Once upon a time"));
            tokenizer.save(folder);
            try (Tokenizer saved = Tokenizer.load(folder)) {
                assertArrayEquals(ids, saved.encode("Once upon a time"));
                assertEquals(tokenizer.pad(), saved.pad());
            }
        }
        assertArrayEquals(
                Files.readAllBytes(data("tinystories656k/tokenizer.json")),
                Files.readAllBytes(folder.resolve("tokenizer.json")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tokenizers/gpt2", "tokenizers/qwen2", "stories260k"})
    void decodingGivesTheTextBackAsAWholeAndAsAStream(String folder) {
        Tokenizer tokenizer = shared(folder);
        for (String text : HARD) {
            int[] ids = tokenizer.encode(text);
            assertEquals(text, tokenizer.decode(ids));
            assertEquals(text, streamed(tokenizer, ids));
            requireOffsets(tokenizer.encodeWithOffsets(text), text);
        }
    }

    /// Ids in any order give bytes that are not UTF-8, which a stream must not give out too early.
    @ParameterizedTest
    @ValueSource(strings = {"tokenizers/gpt2", "tokenizers/qwen2", "tinystories656k", "stories260k"})
    void aStreamOfRandomIdsEqualsTheWhole(String folder) {
        long seed = 20240704;
        var random = new java.util.Random(seed);
        Tokenizer tokenizer = shared(folder);
        int low = tokenizer.vocabularySize() > 10_000 ? 256 : 300;
        for (int trial = 0; trial < 300; trial++) {
            int[] ids = random.ints(12, 0, trial % 2 == 0 ? low : tokenizer.vocabularySize())
                    .toArray();
            assertEquals(tokenizer.decode(ids), streamed(tokenizer, ids), "seed " + seed + " " + Arrays.toString(ids));
        }
    }

    private static String streamed(Tokenizer tokenizer, int[] ids) {
        StreamDecoder stream = new StreamDecoder(tokenizer);
        StringBuilder out = new StringBuilder();
        for (int id : ids) {
            out.append(stream.feed(id));
        }
        return out.append(stream.finish()).toString();
    }

    /// Offsets go forward, stay inside, and leave no character uncovered.
    private static void requireOffsets(Tokenizer.Encoding encoding, String text) {
        int covered = 0;
        for (int i = 0; i < encoding.ids().length; i++) {
            assertTrue(encoding.starts()[i] <= covered, text + " at token " + i);
            assertTrue(encoding.ends()[i] <= text.length());
            covered = Math.max(covered, encoding.ends()[i]);
        }
        assertEquals(text.length(), covered, text);
    }

    @Test
    void aStreamGivesTextAsSoonAsItIsCertain() {
        Tokenizer tokenizer = shared("tokenizers/gpt2");
        StreamDecoder stream = new StreamDecoder(tokenizer);
        List<String> parts = new ArrayList<>();
        for (int id : tokenizer.encode("Hi there 😀!")) {
            parts.add(stream.feed(id));
        }
        assertEquals("", stream.finish());
        assertEquals(List.of("Hi", " there", " "), parts.subList(0, 3));
        assertEquals("Hi there 😀!", String.join("", parts));
    }

    @Test
    void unpairedSurrogatesBecomeReplacementCharacters() {
        for (String folder : List.of("tokenizers/gpt2", "stories260k")) {
            Tokenizer tokenizer = shared(folder);
            assertEquals("a\uFFFDb", tokenizer.decode(tokenizer.encode("a\uD800b")));
        }
    }

    /// A decoder of Llama's kind judges a run of byte pieces as a whole: one bad byte spoils the characters before it.
    @Test
    void aStreamOfBytePiecesEqualsTheWhole(@TempDir Path folder) throws IOException {
        StringBuilder vocabulary = new StringBuilder("\"<s>\": 0, \"▁\": 1, \"a\": 2, \"▁a\": 3");
        for (int b = 0; b < 256; b++) {
            vocabulary.append(String.format(", \"<0x%02X>\": %d", b, 4 + b));
        }
        Files.writeString(folder.resolve("tokenizer.json"), """
                {"added_tokens": [{"id": 0, "content": "<s>", "special": true, "single_word": false, "lstrip": false,
                  "rstrip": false, "normalized": false}],
                 "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                  {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
                 "decoder": {"type": "Sequence", "decoders": [
                  {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                  {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
                 "model": {"type": "BPE", "byte_fallback": true, "merges": ["▁ a"], "vocab": {%s}}}
                """.formatted(vocabulary));
        long seed = 77;
        var random = new java.util.Random(seed);
        int[] likely = {0, 1, 2, 3, 4 + 0xE4, 4 + 0xBD, 4 + 0xA0, 4 + 0xC3, 4 + 0xA9, 4 + 'x', 4 + 0xFF};
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            String text = "a 你é a😀";
            int[] encoded = tokenizer.encode(text);
            assertEquals(text, tokenizer.decode(encoded));
            assertEquals(text, streamed(tokenizer, encoded));
            for (int trial = 0; trial < 2000; trial++) {
                int[] ids =
                        random.ints(10, 0, likely.length).map(i -> likely[i]).toArray();
                assertEquals(tokenizer.decode(ids), streamed(tokenizer, ids), "seed " + seed + Arrays.toString(ids));
            }
        }
    }

    @Test
    void aClosedTokenizerRefuses() {
        Tokenizer tokenizer = Tokenizer.load(data("tinystories656k"));
        tokenizer.close();
        tokenizer.close();
        assertThrows(IllegalStateException.class, () -> tokenizer.encode("a"));
        assertThrows(IllegalStateException.class, () -> tokenizer.decode(new int[] {5}));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tinystories656k", "stories260k", "arithmetic_llama"})
    void idsOutsideTheVocabularyAreRefused(String folder) {
        try (Tokenizer tokenizer = Tokenizer.load(data(folder))) {
            for (int id : new int[] {-1, tokenizer.vocabularySize()}) {
                assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(new int[] {id}));
                assertThrows(IllegalArgumentException.class, () -> tokenizer.token(id));
            }
        }
    }

    @Test
    void errorsNameTheFile(@TempDir Path folder) throws IOException {
        var e = assertThrows(IllegalArgumentException.class, () -> Tokenizer.load(folder));
        assertTrue(e.getMessage().contains("no tokenizer; expected tokenizer.json"), e.getMessage());
        for (String broken : List.of("{", "[]", "{\"model\": {\"type\": \"Nonsense\", \"vocab\": {\"a\": 0}}}", "{}")) {
            Files.writeString(folder.resolve("tokenizer.json"), broken);
            e = assertThrows(IllegalArgumentException.class, () -> Tokenizer.load(folder));
            assertTrue(e.getMessage().contains("tokenizer.json"), e.getMessage());
            assertEquals(1, e.getMessage().lines().count(), e.getMessage());
        }
        Files.write(folder.resolve("tokenizer.json"), new byte[] {'"', 0, 0, 0, 9, 9, 9, 9}); // taken for UTF-32
        e = assertThrows(IllegalArgumentException.class, () -> Tokenizer.load(folder));
        assertTrue(e.getMessage().contains("tokenizer.json"), e.getMessage());
    }

    /// Two processes that start together on an empty cache of natives must both live.
    @Test
    void twoProcessesUnpackTheNativesAtOnce(@TempDir Path cache) throws Exception {
        Path folder = data("tinystories656k");
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            processes.add(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "--enable-native-access=ALL-UNNAMED",
                            "-Xmx256m",
                            "-DENGINE_CACHE_DIR=" + cache,
                            "-cp",
                            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                            Encode.class.getName(),
                            folder.toString())
                    .redirectErrorStream(true)
                    .start());
        }
        for (Process process : processes) {
            String output = new String(process.getInputStream().readAllBytes());
            assertEquals(0, process.waitFor(), output);
            assertTrue(output.contains("Once upon"), output);
        }
        try (Stream<Path> unpacked = Files.walk(cache)) {
            assertEquals(1, unpacked.filter(Files::isRegularFile).count());
        }
    }

    static final class Encode {
        public static void main(String[] args) {
            try (Tokenizer tokenizer = Tokenizer.load(Path.of(args[0]))) {
                System.out.println(tokenizer.decode(tokenizer.encode("Once upon")));
            }
        }
    }
}

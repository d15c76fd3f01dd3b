package dev.kedge.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which files make a tokenizer, and which of their ids end a reply.
class TokenizerFilesTest {
    private static final String CHATML = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
            + "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    @TempDir
    Path folder;

    /// A tokenizer.json of letters in Hugging Face's own library, with two special tokens and one that is none.
    private void huggingFace() throws IOException {
        CharTokenizer.of("abcdefgh \n").save(folder);
        Path config = folder.resolve("tokenizer_config.json");
        Files.writeString(config, Files.readString(config).replace("\"char\"", "\"none\""));
        Path file = folder.resolve("tokenizer.json");
        String added = "{\"id\": %d, \"content\": \"%s\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false,"
                + " \"normalized\": false, \"special\": %s},";
        Files.writeString(
                file,
                Files.readString(file)
                        .replaceFirst(
                                "\"added_tokens\" : \\[",
                                "\"added_tokens\" : [" + added.formatted(13, "<|im_start|>", true)
                                        + added.formatted(14, "<|im_end|>", true) + added.formatted(15, "###", false)));
    }

    private Set<Integer> stopIds() {
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            return tokenizer.stopIds();
        }
    }

    @Test
    void allEndTokensOfAllFilesStop() throws IOException {
        huggingFace();
        assertEquals(Set.of(2), stopIds());
        Files.writeString(folder.resolve("config.json"), "{\"eos_token_id\": [4, 5]}");
        assertEquals(Set.of(2, 4, 5), stopIds());
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [6, -1]}");
        assertEquals(Set.of(2, 4, 5, 6), stopIds());
        Files.writeString(folder.resolve("chat_template.jinja"), CHATML);
        assertEquals(Set.of(2, 4, 5, 6, 14), stopIds());
    }

    /// What a template writes behind a reply ends generation only where it is one special token.
    @Test
    void wordsBehindAReplyAreNoEndToken() throws IOException {
        huggingFace();
        for (String end : List.of("###", "a", "", "\n")) {
            Files.writeString(folder.resolve("chat_template.jinja"), CHATML.replace("<|im_end|>", end));
            assertEquals(Set.of(2), stopIds(), end);
        }
        Files.writeString(folder.resolve("chat_template.jinja"), "{% for");
        assertEquals(Set.of(2), stopIds(), "a template that cannot be read says nothing");
    }

    /// The alphabet that we make ourselves, read from a folder whose model has more ends.
    @Test
    void anAlphabetHeedsItsModel() throws IOException {
        CharTokenizer.of("abc").save(folder);
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [2, 4]}");
        assertEquals(Set.of(2, 4), stopIds());
    }

    @Test
    void aTokenizerApartFromItsModelTakesTheModelsEnds() throws IOException {
        huggingFace();
        Path model = Files.createDirectories(folder.resolve("model"));
        Files.writeString(model.resolve("generation_config.json"), "{\"eos_token_id\": [7, 8]}");
        try (Tokenizer tokenizer = Tokenizer.load(folder, model)) {
            assertEquals(Set.of(2, 7, 8), tokenizer.stopIds());
        }
    }

    @Test
    void whatWasReadIsWrittenByteForByte() throws IOException {
        huggingFace();
        Files.writeString(folder.resolve("chat_template.json"), "{\"chat_template\":   \"{{ messages }}\"}");
        Files.writeString(folder.resolve("special_tokens_map.json"), "{ }");
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [2, 4], \"temperature\": 1.0}");
        Files.write(folder.resolve("tokenizer.model"), new byte[] {1, 2, 3});
        Files.writeString(folder.resolve("README.md"), "not of a tokenizer");
        assertWritten(Tokenizer.filesOf(folder));
        assertEquals(6, Tokenizer.filesOf(folder).size());
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            assertWritten(tokenizer.files());
            assertEquals(Tokenizer.filesOf(folder).keySet(), tokenizer.files().keySet());
        }
    }

    /// The form with char_ords has its chat template in the same file.
    @Test
    void anAlphabetIsWrittenInTheFormInWhichItWasFound() throws IOException {
        String config = "{\"char_ords\": [97, 98], \"chat_template\": \"{{ messages[0].content }}S\"}";
        Files.writeString(folder.resolve("tokenizer_config.json"), config);
        Path saved = folder.resolve("saved");
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            tokenizer.save(saved);
        }
        assertEquals(config, Files.readString(saved.resolve("tokenizer_config.json")));
        assertTrue(ChatTemplate.load(saved).isPresent());
    }

    private void assertWritten(Map<String, byte[]> files) throws IOException {
        for (var file : files.entrySet()) {
            assertArrayEquals(Files.readAllBytes(folder.resolve(file.getKey())), file.getValue(), file.getKey());
        }
    }

    /// Of a llama2.c model only the tokenizer that is read, not what lies beside it.
    @Test
    void aLlamaCModelHasTheTokenizerThatFitsIt() throws IOException {
        byte[] small = llamaC(0);
        byte[] large = llamaC(2);
        Files.write(folder.resolve("tok259.bin"), small);
        Files.write(folder.resolve("tok261.bin"), large);
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        Path model = folder.resolve("stories.bin");
        Files.write(
                model,
                ByteBuffer.allocate(28)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(20, -261)
                        .array());
        assertEquals(Set.of("tok261.bin"), Tokenizer.filesOf(model).keySet());
        assertArrayEquals(large, Tokenizer.filesOf(model).get("tok261.bin"));
        Files.delete(folder.resolve("tokenizer.json"));
        Files.delete(folder.resolve("tok259.bin"));
        Files.move(folder.resolve("tok261.bin"), folder.resolve("tokenizer.bin"));
        assertEquals(Set.of("tokenizer.bin"), Tokenizer.filesOf(folder).keySet());
        assertEquals(Set.of("tokenizer.bin"), Tokenizer.filesOf(model).keySet());
    }

    private static byte[] llamaC(int words) {
        ByteBuffer bytes =
                ByteBuffer.allocate(1 << 14).order(ByteOrder.LITTLE_ENDIAN).putInt(8);
        for (int id = 0; id < 259 + words; id++) {
            String piece = id < 3 ? "<s>" : id < 259 ? "<0x%02X>".formatted(id - 3) : "w" + id;
            bytes.putFloat(0).putInt(piece.length()).put(piece.getBytes(StandardCharsets.UTF_8));
        }
        byte[] file = new byte[bytes.position()];
        bytes.flip().get(file);
        return file;
    }
}

package dev.kedge.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CharTokenizerTest {
    @Test
    void charactersFollowTheSpecialTokens() {
        CharTokenizer tokenizer = CharTokenizer.of("ab 😀\n");
        assertEquals(8, tokenizer.vocabularySize());
        assertArrayEquals(new int[] {1, 4, 6, 3, 7, 5}, tokenizer.encode("b😀a\n "));
        assertArrayEquals(new int[] {1, 4, 2}, tokenizer.encodeOrdinary("<bos>b<eos>"));
        assertEquals("b", tokenizer.decode(new int[] {1, 4, 2, 0}));
        assertEquals("<bos>b<eos><pad>", tokenizer.decode(new int[] {1, 4, 2, 0}, true));
        assertEquals(Set.of(2), tokenizer.stopIds());
        var e = assertThrows(IllegalArgumentException.class, () -> tokenizer.encode("abé"));
        assertEquals("character 'é' (U+00E9) at position 2 is not in the alphabet", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> CharTokenizer.of("aba"));
        var offsets = tokenizer.encodeWithOffsets("<eos>😀a");
        assertArrayEquals(new int[] {0, 5, 7}, offsets.starts());
        assertArrayEquals(new int[] {5, 7, 8}, offsets.ends());
    }

    /// What is saved is read by Hugging Face's library with the same ids.
    @Test
    void savedIsATokenizerOfHuggingFaceToo(@TempDir Path folder) throws IOException {
        CharTokenizer tokenizer = CharTokenizer.of("0123456789+= \n😀é\"\\");
        tokenizer.save(folder);
        List<String> texts = List.of("12+7=19\n", "", " 😀 é\"\\", "<bos>1<eos>", "  ");
        try (Tokenizer again = Tokenizer.load(folder)) {
            assertTrue(again instanceof CharTokenizer);
            for (String text : texts) {
                assertArrayEquals(tokenizer.encode(text), again.encode(text));
            }
            assertEquals(tokenizer.pad(), again.pad());
            assertEquals(tokenizer.bos(), again.bos());
            assertEquals(tokenizer.eos(), again.eos());
        }
        Path config = folder.resolve("tokenizer_config.json");
        Files.writeString(config, Files.readString(config).replace("\"char\"", "\"none\""));
        try (Tokenizer other = Tokenizer.load(folder)) {
            assertTrue(other instanceof HuggingFaceTokenizer);
            for (String text : texts) {
                assertArrayEquals(tokenizer.encode(text), other.encode(text), text);
                assertEquals(tokenizer.decode(tokenizer.encode(text)), other.decode(other.encode(text)));
            }
            assertEquals(OptionalInt.of(0), other.pad());
            assertEquals(OptionalInt.of(1), other.bos());
            assertEquals(OptionalInt.of(2), other.eos());
        }
    }

    @Test
    void arithmeticLlama(@TempDir Path folder) {
        Path model = RealData.folder("arithmetic_llama");
        try (Tokenizer tokenizer = Tokenizer.load(model)) {
            assertEquals(16, tokenizer.vocabularySize());
            assertEquals(OptionalInt.empty(), tokenizer.bos());
            assertEquals(OptionalInt.of(1), tokenizer.eos());
            assertEquals(OptionalInt.of(2), tokenizer.pad());
            String prompt =
                    ChatTemplate.load(model).orElseThrow().render(List.of(new Message("user", "7,7:9,4")), true);
            assertEquals("7,7:9,4S", prompt);
            int[] ids = {11, 14, 11, 15, 13, 14, 8, 0};
            assertArrayEquals(ids, tokenizer.encode(prompt));
            assertArrayEquals(new int[] {3}, tokenizer.encode("x"));
            tokenizer.save(folder);
            try (Tokenizer saved = Tokenizer.load(folder)) {
                assertArrayEquals(ids, saved.encode(prompt));
                assertEquals(tokenizer.eos(), saved.eos());
                assertArrayEquals(new int[] {3}, saved.encode("x"));
            }
        }
    }
}

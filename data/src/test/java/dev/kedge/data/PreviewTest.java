package dev.kedge.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.text.CharTokenizer;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PreviewTest {
    private static final Tokenisation RULE =
            new Tokenisation(CharTokenizer.of("abc\n\t\u001b\u202e"), Optional.empty(), 10, Truncation.DROP);

    @Test
    void plainTextMarksTokensAndWhatIsLearnt() {
        assertEquals("""
                prompt and completion: 6 tokens, 3 learnt
                ⟨<bos>⟩|a|⏎
                [[b|c|⟨<eos>⟩]]
                """, Preview.of(PromptCompletion.of("a\n", "bc"), RULE, false));
        assertEquals("""
                chosen: 4 tokens, 2 learnt
                ⟨<bos>⟩|a[[b|⟨<eos>⟩]]
                rejected: 4 tokens, 2 learnt
                ⟨<bos>⟩|a[[c|⟨<eos>⟩]]
                """, Preview.of(Preference.of("a", "b", "c"), RULE, false));
        assertEquals("prompt: 2 tokens, 0 learnt\n⟨<bos>⟩|a\n", Preview.of(Prompt.of("a"), RULE, false));
        assertEquals(
                "document: left out, longer than 10 tokens\n", Preview.of(new Document("abcabcabcabc"), RULE, false));
    }

    @Test
    void anExampleCannotSteerTheTerminal() {
        String plain = Preview.of(new Document("a\u001b\u202e\t"), RULE, false);
        assertTrue(plain.contains("a|\\u001b|\\u202e|⇥"), plain);
        assertFalse(plain.contains("\u001b"));
    }

    @Test
    void coloursChangeNothingButColour() {
        var example = PromptCompletion.of("a\n", "bc");
        String coloured = Preview.of(example, RULE, true);
        String plain = Preview.of(example, RULE, false);
        assertEquals(
                plain.replace("|", "").replace("[[", "").replace("]]", ""),
                coloured.replaceAll("\u001b\\[[0-9;]*m", ""));
        // Green stands before each learnt token, and before no other.
        assertEquals(3, coloured.split("48;5;(28|34);", -1).length - 1);
        assertTrue(coloured.matches("(?s).*48;5;(28|34);38;5;\\d+mb.*"), coloured);
    }
}

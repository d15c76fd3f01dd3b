package dev.kedge.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.text.CharTokenizer;
import dev.kedge.text.Tokenizer;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PhraseMarksTest {
    private static final PhraseMarks MARKS = new PhraseMarks("<MASK>", "</MASK>");
    private static final Tokenizer LETTERS = CharTokenizer.of("abcdefghijklmnopqrstuvwxyzTI .");

    private static String ofLetters(String marked, String plain) {
        StringBuilder digits = new StringBuilder();
        for (int phrase : MARKS.phrases(marked, plain, LETTERS.encodeWithOffsets(plain))) {
            digits.append(phrase);
        }
        return digits.toString();
    }

    @ParameterizedTest
    @CsvSource({
        "a <MASK> red </MASK> ball, a red ball, 0011100000", // tags with white space of their own
        "a <MASK>red</MASK> ball, a red ball, 0011100000", // and without
        "a<MASK> red</MASK> ball, a red ball, 0011100000",
        "<MASK> a red </MASK> ball, a red ball, 1111100000", // white space inside a phrase is part of it
        "<MASK>a</MASK> <MASK>red</MASK> ball, a red ball, 1022200000", // and between phrases of none
        "a red <MASK>ball</MASK>, a red ball, 0000001111",
        "a red <MASK> ball </MASK>., a red ball., 00000011110",
        "a <MASK></MASK> <MASK> red </MASK> ball, a red ball, 0022200000", // an empty phrase is counted
        "<MASK>red</MASK><MASK>ball</MASK>, redball, 1112222",
        "a red ball, a red ball, 0000000000"
    })
    void tokensOfMarkedWordsAreNumbered(String marked, String plain, String phrases) {
        assertEquals(phrases, ofLetters(marked, plain));
    }

    @Test
    void emptyRepliesHaveNoTokens() {
        assertEquals("", ofLetters("", ""));
        assertEquals("", ofLetters("<MASK></MASK>", ""));
    }

    /// Tokens with the white space before a word, a token over the border of a phrase, one over two phrases, one that
    /// covers nothing, and two that are parts of one character.
    @Test
    void tokensBelongToTheFirstPhraseTheyTouch() {
        String plain = "a red ball so é";
        int[] starts = {0, 1, 3, 5, 5, 12, 14, 14};
        int[] ends = {1, 3, 5, 12, 5, 13, 15, 15};
        var encoding = new Tokenizer.Encoding(new int[8], starts, ends);
        int[] phrases = MARKS.phrases("a <MASK>red</MASK> <MASK>ball</MASK> so <MASK>é</MASK>", plain, encoding);
        assertArrayEquals(new int[] {0, 1, 1, 2, 0, 0, 3, 3}, phrases);
        var over = new Tokenizer.Encoding(new int[1], new int[] {3}, new int[] {9});
        assertArrayEquals(new int[] {1}, MARKS.phrases("a <MASK>red</MASK> <MASK>ball</MASK> so é", plain, over));
    }

    @Test
    void whatDoesNotFitIsRefusedInOneLine() {
        String turn = "tags must open and close in turn, found ";
        refused("a <MASK>red <MASK>ball", turn + "<MASK> at character 12 of \"a <MASK>red <MASK>ball\"");
        refused("a red</MASK> ball", turn + "</MASK> at character 5 of \"a red</MASK> ball\"");
        refused("a <MASK>red ball", turn + "the end instead of </MASK> at character 16 of \"a <MASK>red ball\"");
        String differs = "the marked reply differs from the plain one: ";
        refused(
                "a <MASK>blue</MASK> ball",
                differs + "\"blue</MASK> ball\" at character 8, where the plain one has \"red ball\"");
        refused("a <MASK>red</MASK>", differs + "\"\" at character 18, where the plain one has \"ball\"");
        refused("a red ball, so", differs + "\", so\" at character 10, where the plain one has \"\"");
    }

    private static void refused(String marked, String message) {
        var e = assertThrows(IllegalArgumentException.class, () -> ofLetters(marked, "a red ball"));
        assertEquals(message, e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "<M>"})
    void tagsAreTwoAndVisible(String closing) {
        var e = assertThrows(IllegalArgumentException.class, () -> new PhraseMarks("<M>", closing));
        assertEquals("expected two different tags, were \"<M>\" and \"" + closing + "\"", e.getMessage());
    }

    /// Words of which some are marked, however tags are spaced.
    @Property(tries = 300)
    void markedWordsAreFound(
            @ForAll @Size(min = 1, max = 12)
                    List<@StringLength(min = 1, max = 4) @CharRange(from = 'a', to = 'f') String> words,
            @ForAll @Size(value = 12) List<Boolean> marked,
            @ForAll @Size(value = 24) List<@IntRange(max = 2) Integer> spaces) {
        StringBuilder text = new StringBuilder();
        StringBuilder expected = new StringBuilder();
        int phrase = 0;
        for (int w = 0; w < words.size(); w++) {
            String word = words.get(w);
            text.append(w > 0 ? " " : "");
            expected.append(w > 0 ? "0" : "");
            phrase += marked.get(w) ? 1 : 0;
            text.append(
                    marked.get(w)
                            ? "<MASK>" + " ".repeat(spaces.get(2 * w)) + word + " ".repeat(spaces.get(2 * w + 1))
                                    + "</MASK>"
                            : word);
            int number = marked.get(w) ? phrase : 0;
            IntStream.range(0, word.length()).forEach(_ -> expected.append(number));
        }
        assertEquals(expected.toString(), ofLetters(text.toString(), String.join(" ", words)));
    }
}

package dev.kedge.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class TokenizedTest {
    private static final boolean[] NONE = {false, false, false};

    @Test
    void lengthsMustFit() {
        var e = assertThrows(IllegalArgumentException.class, () -> new Tokenized(new int[0], new boolean[0], 0));
        assertEquals("expected as many targets as tokens, at least one, were 0 and 0", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new Tokenized(new int[] {1, 2}, NONE, 0));
        assertThrows(IllegalArgumentException.class, () -> new Tokenized(new int[] {1}, new boolean[] {true}, 0));
        assertThrows(IllegalArgumentException.class, () -> new Tokenized(new int[] {1, 2, 3}, NONE, -1));
        assertThrows(IllegalArgumentException.class, () -> new Tokenized(new int[] {1, 2, 3}, NONE, 4));
        assertEquals(0, new Tokenized(new int[] {1, 2, 3}, NONE, 0).promptLength());
        assertThrows(IllegalArgumentException.class, () -> Tokenized.ofReply(new int[0], new int[0]));
    }

    @Test
    void whatHasNoTargetIsAPrompt() {
        Tokenized prompt = Tokenized.ofPrompt(new int[] {4, 5, 6});
        assertEquals(new Tokenized(new int[] {4, 5, 6}, NONE), prompt);
        assertEquals(3, prompt.promptLength());
        assertEquals(0, prompt.targets());
        assertEquals(1, new Tokenized(new int[] {4, 5}, new boolean[] {false, true}).promptLength());
        assertArrayEquals(new int[] {4, 5, 6}, prompt.prompt());
        Tokenized reply = Tokenized.ofReply(new int[] {1, 2}, new int[] {3, 4, 5});
        assertEquals(3, reply.targets());
        assertArrayEquals(new int[] {1, 2}, reply.prompt());
    }

    /// Tokens, targets and the prompt's length each count.
    @Test
    void sequencesAreEqualByTheirContent() {
        Tokenized one = Tokenized.ofReply(new int[] {1, 2}, new int[] {3});
        Tokenized same = Tokenized.ofReply(new int[] {1, 2}, new int[] {3});
        assertEquals(one, same);
        assertEquals(one.hashCode(), same.hashCode());
        for (Object other : List.of(
                Tokenized.ofReply(new int[] {1, 2}, new int[] {4}),
                one.withTarget(NONE),
                one.withPromptLength(1),
                "a text")) {
            assertNotEquals(one, other);
        }
        assertNotEquals(
                one.hashCode(),
                Tokenized.ofReply(new int[] {1, 2}, new int[] {4}).hashCode());
        assertNotEquals(one.hashCode(), one.withTarget(NONE).hashCode());
        assertEquals("Tokenized[tokens=[1, 2, 3], target=[false, false, true], promptLength=2]", one.toString());
    }

    @Test
    void aPairHasOnePromptAndTwoLengths() {
        Tokenized chosen = Tokenized.ofReply(new int[] {1, 2}, new int[] {3});
        Tokenized rejected = Tokenized.ofReply(new int[] {1, 2}, new int[] {4, 5, 6});
        for (TokenizedPair pair : List.of(new TokenizedPair(chosen, rejected), new TokenizedPair(rejected, chosen))) {
            assertEquals(2, pair.promptLength());
            assertEquals(5, pair.length());
            assertEquals(8, pair.tokens());
        }
        TokenizedPair shorter = new TokenizedPair(chosen, rejected, 1);
        assertEquals(1, shorter.chosen().promptLength());
        assertEquals(1, shorter.rejected().promptLength());
        Tokenized other = Tokenized.ofReply(new int[] {1, 7}, new int[] {3});
        var e = assertThrows(IllegalArgumentException.class, () -> new TokenizedPair(chosen, other));
        assertEquals("chosen and rejected have different prompts at token 1", e.getMessage());
        assertThrows(
                IllegalArgumentException.class,
                () -> new TokenizedPair(chosen, Tokenized.ofReply(new int[] {7, 2}, new int[] {3})));
        var longer = Tokenized.ofReply(new int[] {1, 2, 3}, new int[] {3});
        e = assertThrows(IllegalArgumentException.class, () -> new TokenizedPair(chosen, longer));
        assertTrue(e.getMessage().endsWith("different lengths: 2 and 3"), e.getMessage());
        List<LabelledSequence> labelled = LabelledSequence.of(new TokenizedPair(chosen, rejected));
        assertEquals(List.of(new LabelledSequence(chosen, true), new LabelledSequence(rejected, false)), labelled);
        assertEquals(5, labelled.getLast().length());
    }

    @Test
    void splitsMustFit() {
        List<Integer> all = List.of(1, 2, 3, 4);
        assertEquals(new Split<>(List.of(1, 2, 3), List.of(4)), Split.last(all, 1));
        assertEquals(new Split<>(List.of(), all), Split.last(all, 4));
        assertEquals(new Split<>(all, List.of()), Split.last(all, 0));
        var e = assertThrows(IllegalArgumentException.class, () -> Split.last(all, 5));
        assertEquals("heldOut must be from 0 to 4, was 5", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> Split.last(all, -1));
        assertThrows(IllegalArgumentException.class, () -> Split.seeded(all, 5, 1));
        e = assertThrows(IllegalArgumentException.class, () -> Split.firstAndLast(all, 5, 0));
        assertEquals("train must be from 0 to 4, was 5", e.getMessage());
        assertEquals(4, Split.seededShare(all, 1, 1).heldOut().size());
        assertEquals(0, Split.seededShare(all, 0, 1).heldOut().size());
        assertThrows(IllegalArgumentException.class, () -> Split.seededShare(all, 1.01, 1));
        assertThrows(IllegalArgumentException.class, () -> Split.seededShare(all, -0.01, 1));
        assertEquals(Split.seeded(all, 2, 7), Split.seededShare(all, 0.5, 7));
    }
}

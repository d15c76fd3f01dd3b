package dev.kedge.reproduction.rrpo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.reproduction.rrpo.PhraseTask.Sequence;
import dev.kedge.tensor.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PhraseTaskTest {
    private static final int N = 2000;

    private final SplittableRandom random = new SplittableRandom(4);

    private void assertForm(Sequence s) {
        long[] tokens = s.tokens();
        assertEquals(PhraseTask.LENGTH, tokens.length);
        assertTrue(tokens[0] >= 0 && tokens[0] < 4);
        assertTrue(s.phrase() >= 2 && s.phrase() <= 11);
        for (int t = 1; t < tokens.length; t++) {
            boolean inPhrase = t == s.phrase() || t == s.phrase() + 1;
            assertTrue(inPhrase ? tokens[t] >= 8 && tokens[t] < 12 : tokens[t] >= 4 && tokens[t] < 8, s.toString());
        }
        assertEquals(8 + (tokens[s.phrase()] - 8 + 1) % 4, tokens[s.phrase() + 1], "a phrase of some question");
    }

    @Test
    void phrasesAreRightAsOftenAsAskedAndAnywhere() {
        List<Sequence> all = IntStream.range(0, N)
                .mapToObj(_ -> PhraseTask.draw(0.45, random))
                .toList();
        all.forEach(this::assertForm);
        double right = all.stream().filter(Sequence::isRight).count() / (double) N;
        assertEquals(0.45, right, 4 * Math.sqrt(0.45 * 0.55 / N));
        assertEquals(10, all.stream().map(Sequence::phrase).distinct().count());
    }

    /// The next of the chain, or one drawn anew, which may be the same: 0.8 + 0.2/4.
    @Test
    void theChainIsNoisy() {
        int steps = 0;
        int kept = 0;
        for (int n = 0; n < N; n++) {
            long[] tokens = PhraseTask.draw(1, random).tokens();
            for (int t = 2; t < tokens.length; t++) {
                if (tokens[t] < 8 && tokens[t - 1] >= 4 && tokens[t - 1] < 8) {
                    steps++;
                    kept += tokens[t] == 4 + (tokens[t - 1] - 4 + 1) % 4 ? 1 : 0;
                }
            }
        }
        assertEquals(0.85, kept / (double) steps, 4 * Math.sqrt(0.85 * 0.15 / steps));
    }

    @Test
    void pairsShareWhatStandsBeforeThePhrase() {
        List<Sequence> pairs = PhraseTask.pairs(200, random);
        pairs.forEach(this::assertForm);
        int sameEnds = 0;
        for (int i = 0; i < 200; i++) {
            Sequence right = pairs.get(i);
            Sequence wrong = pairs.get(200 + i);
            assertTrue(right.isRight());
            assertFalse(wrong.isRight());
            assertEquals(right.phrase(), wrong.phrase());
            assertArrayEquals(
                    Arrays.copyOf(right.tokens(), right.phrase()), Arrays.copyOf(wrong.tokens(), right.phrase()));
            int from = Math.min(right.phrase() + 2, 13);
            sameEnds += Arrays.equals(right.tokens(), from, 14, wrong.tokens(), from, 14) ? 1 : 0;
        }
        assertTrue(sameEnds < 150, "ends are drawn anew: " + sameEnds);
    }

    @Test
    void phrasesAreMarked() {
        try (var _ = new Scope()) {
            Sequence s = PhraseTask.draw(1, random);
            long[] marks = PhraseTask.phrases(List.of(s)).toLongs();
            assertEquals(2, Arrays.stream(marks).sum());
            assertEquals(2, marks[s.phrase()] + marks[s.phrase() + 1]);
            assertArrayEquals(s.tokens(), PhraseTask.tokens(List.of(s)).toLongs());
        }
    }

    /// Every method begins at the reference.
    @Test
    void methodsBeginAtTheReference() {
        var ways = RrpoExperiment.trial(new RrpoExperiment.Scale(3, 40, 25, 30), 6);
        assertEquals(RrpoExperiment.Method.values().length, ways.size());
        var start = ways.values().iterator().next().getFirst();
        ways.forEach((method, way) -> {
            assertEquals(2, way.size(), method.title);
            assertEquals(start, way.getFirst());
            assertEquals(0, way.getFirst().kl(), 1e-6);
            assertTrue(way.getLast().kl() > 1e-6, method.title);
        });
    }
}

package dev.kedge.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DifferingSpansTest {
    private static int[] ids(String letters) {
        return letters.chars().toArray();
    }

    private static String digits(int[] numbers) {
        StringBuilder out = new StringBuilder();
        Arrays.stream(numbers).forEach(out::append);
        return out.toString();
    }

    /// Letters are tokens. Worked by hand.
    @ParameterizedTest
    @CsvSource(
            emptyValue = "",
            value = {
                "the red ball, the red ball, 000000000000, 000000000000", // equal
                "'', '', '', ''",
                "abc, '', 000, ''", // nothing but deleted
                "'', abc, '', 000",
                "abc, xyzu, 111, 1111", // nothing in common
                "a, b, 1, 1",
                "xabc, yabc, 1000, 1000", // at the start
                "abcx, abcyz, 0001, 00011", // at the end
                "abXcdYef, abPQcdef, 00100000, 00110000", // a phrase, then a deletion
                "abXcdYef, abPQcdRef, 00100200, 001100200", // two phrases
                "abcd, abXcd, 0000, 00000", // an insertion alone
                "aaaa, aa, 0000, 00", // repeated: the earliest run is shared, the rest deleted
                "aXa, aYa, 010, 010",
                "abab, baba, 0000, 0000", // aba is shared; the other b is deleted here and inserted there
                "qabxcd, abycdq, 000100, 001000" // the moved q is deleted and inserted
            })
    void numbersAreThoseOfThePhrases(String chosen, String rejected, String ofChosen, String ofRejected) {
        DifferingSpans spans = DifferingSpans.between(ids(chosen), ids(rejected));
        assertEquals(ofChosen, digits(spans.chosen()));
        assertEquals(ofRejected, digits(spans.rejected()));
        assertEquals(ofChosen.chars().map(c -> c - '0').max().orElse(0), spans.phrases());
    }

    /// Of equally long shared runs the earliest in the chosen reply, then in the rejected one: ab, not cd, is shared
    /// first, which leaves cd on one side of it in each.
    @Test
    void ofEqualRunsTheEarliestIsShared() {
        DifferingSpans spans = DifferingSpans.between(ids("abXcd"), ids("cdYab"));
        assertEquals("00000", digits(spans.chosen()));
        assertEquals("00000", digits(spans.rejected()));
        DifferingSpans twice = DifferingSpans.between(ids("ab1"), ids("ab2ab3"));
        assertEquals("001", digits(twice.chosen())); // with the later ab it would stand against 3 alone
        assertEquals("001111", digits(twice.rejected()));
    }

    /// Only targets are compared, and of them only phrases stay targets: the prompt and a token that is no target have
    /// none.
    @Test
    void phrasesOfAPairAreItsOnlyTargets() {
        boolean[] target = {false, false, true, true, false, true, true};
        TokenizedPair pair = new TokenizedPair(
                new Tokenized(ids("pqaXnbY"), target), new Tokenized(ids("pqaZmbWV"), Arrays.copyOf(target, 8)), 2);
        TokenizedPair phrases = DifferingSpans.phrasesOf(pair);
        boolean[] ofChosen = {false, false, false, true, false, false, true};
        boolean[] ofRejected = {false, false, false, true, false, false, true, false};
        assertEquals(
                new TokenizedPair(
                        new Tokenized(ids("pqaXnbY"), ofChosen), new Tokenized(ids("pqaZmbWV"), ofRejected), 2),
                phrases);
    }

    @Test
    void withoutAPhraseThereIsNoTarget() {
        TokenizedPair insertion =
                new TokenizedPair(Tokenized.ofDocument(ids("abc")), Tokenized.ofDocument(ids("abXc")), 0);
        TokenizedPair phrases = DifferingSpans.phrasesOf(insertion);
        assertEquals(0, phrases.chosen().targets() + phrases.rejected().targets());
    }

    /// Long replies of one frequent token each, in which a heuristic would see noise.
    @Test
    void frequentTokensAreTokens() {
        int[] chosen = new int[500];
        int[] rejected = new int[500];
        chosen[250] = 1;
        rejected[250] = 2;
        DifferingSpans spans = DifferingSpans.between(chosen, rejected);
        int[] expected = new int[500];
        expected[250] = 1;
        assertArrayEquals(expected, spans.chosen());
        assertArrayEquals(expected, spans.rejected());
    }

    /// Every second token differs: as many windows as can be.
    @Test
    void manyPhrasesNeedNoDeepStack() {
        int n = 2000;
        int[] chosen = IntStream.range(0, n).map(i -> i % 2 == 0 ? i : -1).toArray();
        int[] rejected = IntStream.range(0, n).map(i -> i % 2 == 0 ? i : -2).toArray();
        DifferingSpans spans = DifferingSpans.between(chosen, rejected);
        assertEquals(n / 2, spans.phrases());
        assertArrayEquals(
                IntStream.range(0, n).map(i -> i % 2 == 0 ? 0 : i / 2 + 1).toArray(), spans.chosen());
    }

    @Test
    void onlyTargetsOfAPairAreCompared() {
        var chosen = new Tokenized(
                new int[] {7, 8, 1, 2, 9, 3, 4}, new boolean[] {false, false, true, true, false, true, true});
        var rejected =
                new Tokenized(new int[] {7, 8, 1, 5, 6, 4}, new boolean[] {false, false, true, true, true, true});
        DifferingSpans spans = DifferingSpans.between(new TokenizedPair(chosen, rejected, 2));
        assertEquals("0110", digits(spans.chosen())); // 2 3 against 5 6, whatever stands between them
        assertEquals("0110", digits(spans.rejected()));
    }

    @Test
    void equalityIsThatOfTheNumbers() {
        DifferingSpans spans = DifferingSpans.between(ids("axb"), ids("ayb"));
        assertEquals(new DifferingSpans(new int[] {0, 1, 0}, new int[] {0, 1, 0}), spans);
        assertEquals(new DifferingSpans(new int[] {0, 1, 0}, new int[] {0, 1, 0}).hashCode(), spans.hashCode());
        assertNotEquals(new DifferingSpans(new int[] {0, 1, 0}, new int[] {0, 1}), spans);
        assertEquals("DifferingSpans[chosen=[0, 1, 0], rejected=[0, 1, 0]]", spans.toString());
    }

    @Property(tries = 500)
    void isTheDefinition(
            @ForAll @Size(max = 9) List<@IntRange(max = 3) Integer> chosen,
            @ForAll @Size(max = 9) List<@IntRange(max = 3) Integer> rejected) {
        int[] a = chosen.stream().mapToInt(Integer::intValue).toArray();
        int[] b = rejected.stream().mapToInt(Integer::intValue).toArray();
        int[] numbersOfA = new int[a.length];
        int[] numbersOfB = new int[b.length];
        define(chosen, 0, rejected, 0, 0, numbersOfA, numbersOfB);
        assertEquals(new DifferingSpans(numbersOfA, numbersOfB), DifferingSpans.between(a, b));
    }

    /// The definition by lists and recursion: the first of the longest sublists that both have, then both sides.
    private static int define(
            List<Integer> a, int aFrom, List<Integer> b, int bFrom, int phrases, int[] numbersOfA, int[] numbersOfB) {
        for (int length = Math.min(a.size(), b.size()); length > 0; length--) {
            for (int i = 0; i + length <= a.size(); i++) {
                for (int j = 0; j + length <= b.size(); j++) {
                    if (a.subList(i, i + length).equals(b.subList(j, j + length))) {
                        int before =
                                define(a.subList(0, i), aFrom, b.subList(0, j), bFrom, phrases, numbersOfA, numbersOfB);
                        return define(
                                a.subList(i + length, a.size()),
                                aFrom + i + length,
                                b.subList(j + length, b.size()),
                                bFrom + j + length,
                                before,
                                numbersOfA,
                                numbersOfB);
                    }
                }
            }
        }
        if (a.isEmpty() || b.isEmpty()) {
            return phrases;
        }
        Arrays.fill(numbersOfA, aFrom, aFrom + a.size(), phrases + 1);
        Arrays.fill(numbersOfB, bFrom, bFrom + b.size(), phrases + 1);
        return phrases + 1;
    }

    /// Both replies have the same phrases, each in one piece, in order, and no token on both sides of one.
    @Property(tries = 500)
    void phrasesArePairsOfRunsWithoutCommonTokens(
            @ForAll @Size(max = 40) List<@IntRange(max = 5) Integer> chosen,
            @ForAll @Size(max = 40) List<@IntRange(max = 5) Integer> rejected) {
        DifferingSpans spans = DifferingSpans.between(
                chosen.stream().mapToInt(Integer::intValue).toArray(),
                rejected.stream().mapToInt(Integer::intValue).toArray());
        int fromC = 0;
        int fromR = 0;
        for (int k = 1; k <= spans.phrases(); k++) {
            int[] c = run(spans.chosen(), k);
            int[] r = run(spans.rejected(), k);
            assertFalse(c[0] < fromC || r[0] < fromR, spans::toString);
            for (int t = c[0]; t < c[1]; t++) {
                assertFalse(rejected.subList(r[0], r[1]).contains(chosen.get(t)), spans::toString);
            }
            fromC = c[1];
            fromR = r[1];
        }
    }

    /// From and to of the tokens numbered k, which must be one run of at least one.
    private static int[] run(int[] numbers, int k) {
        int[] at =
                IntStream.range(0, numbers.length).filter(t -> numbers[t] == k).toArray();
        int from = at[0];
        int to = at[at.length - 1] + 1;
        assertEquals(at.length, to - from, "phrase " + k + " is one run");
        return new int[] {from, to};
    }

    /// A change of some tokens for others that occur nowhere else is found exactly.
    @Property(tries = 300)
    void replacedTokensAreThePhrases(@ForAll @Size(max = 30) List<Boolean> replaced) {
        int n = replaced.size();
        int[] chosen = IntStream.range(0, n).toArray();
        int[] rejected =
                IntStream.range(0, n).map(t -> replaced.get(t) ? 1000 + t : t).toArray();
        int[] expected = new int[n];
        int phrase = 0;
        for (int t = 0; t < n; t++) {
            if (replaced.get(t)) {
                phrase += t == 0 || !replaced.get(t - 1) ? 1 : 0;
                expected[t] = phrase;
            }
        }
        assertEquals(new DifferingSpans(expected, expected), DifferingSpans.between(chosen, rejected));
    }
}

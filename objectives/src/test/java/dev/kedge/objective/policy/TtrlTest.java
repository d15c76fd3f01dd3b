package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TtrlTest {
    private static Ttrl.Vote vote(String... answers) {
        return Ttrl.vote(Stream.of(answers)
                .map(a -> a.equals("?") ? Optional.<String>empty() : Optional.of(a))
                .toList());
    }

    @Test
    void theMostFrequentWins() {
        Ttrl.Vote vote = vote("7", "12", "12", "3", "12");
        assertEquals(Optional.of("12"), vote.majority());
        assertEquals(0.6, vote.share());
        assertArrayEquals(new double[] {0, 1, 1, 0, 1}, vote.rewards());
    }

    @Test
    void ofEquallyFrequentOnesTheFirstSeenWins() {
        assertEquals(Optional.of("b"), vote("b", "a", "a", "b").majority());
        assertEquals(Optional.of("c"), vote("c", "a", "b").majority());
    }

    @Test
    void whatCouldNotBeReadCannotWin() {
        Ttrl.Vote vote = vote("?", "4", "?", "?");
        assertEquals(Optional.of("4"), vote.majority());
        assertEquals(0.25, vote.share());
        assertArrayEquals(new double[] {0, 1, 0, 0}, vote.rewards());
    }

    @Test
    void withoutAnyAnswerNobodyIsRewarded() {
        Ttrl.Vote vote = vote("?", "?");
        assertEquals(Optional.empty(), vote.majority());
        assertEquals(0, vote.share());
        assertArrayEquals(new double[2], vote.rewards());
    }

    @Test
    void noVotesAreRefused() {
        refused("a vote needs answers", () -> Ttrl.vote(List.of()));
    }
}

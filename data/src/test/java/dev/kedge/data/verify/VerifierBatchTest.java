package dev.kedge.data.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.verify.VerifierResult.Status;
import dev.kedge.data.verify.WeightedSum.Part;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A verifier of one's own may do what it likes: the step goes on, and says what was lost.
class VerifierBatchTest {
    private static final Limits SHORT = new Limits(Duration.ofMillis(300), 4, 3);

    private static VerifierResults verify(Verifier verifier, List<String> completions, Limits limits) {
        return VerifierBatch.verify(
                verifier, Collections.nCopies(completions.size(), new VerifierQuestion("p", "a")), completions, limits);
    }

    /// A class of one's own, as a recipe names it.
    public static final class Own implements Verifier {
        @Override
        public double reward(VerifierQuestion question, String completion) throws Exception {
            return switch (completion) {
                case "throw" -> throw new java.io.IOException("a line\nand a second");
                case "error" -> throw new StackOverflowError();
                case "nan" -> Double.NaN;
                case "infinite" -> Double.POSITIVE_INFINITY;
                case "sleep" -> {
                    Thread.sleep(60_000);
                    yield 1;
                }
                default -> completion.length();
            };
        }
    }

    @Test
    void everyFailureIsCountedAndTheOthersKeepTheirRewards() {
        VerifierResults results = verify(
                new Custom(Own.class.getName()).verifier(),
                List.of("aa", "throw", "nan", "sleep", "infinite", "error", "a", ""),
                SHORT);
        assertEquals(
                List.of(
                        Status.OK,
                        Status.THREW,
                        Status.NOT_A_NUMBER,
                        Status.TIMED_OUT,
                        Status.NOT_A_NUMBER,
                        Status.THREW,
                        Status.OK,
                        Status.OK),
                results.each().stream().map(VerifierResult::status).toList());
        assertEquals(
                List.of(true, false, false, false, false, false, true, true),
                results.each().stream().map(j -> j.reward().isPresent()).toList());
        assertEquals(2, results.each().getFirst().reward().orElseThrow());
        assertEquals("IOException: a line and a second", results.each().get(1).reason());
        assertEquals(
                Map.of(Status.OK, 3, Status.THREW, 2, Status.NOT_A_NUMBER, 2, Status.TIMED_OUT, 1), results.counts());
        assertEquals(
                List.of(
                        "2 of 8 completions: THREW (first: IOException: a line and a second)",
                        "1 of 8 completions: TIMED_OUT (first: no reward within 300 ms)",
                        "2 of 8 completions: NOT_A_NUMBER (first: the reward was NaN, must be finite)"),
                results.failures());
    }

    @Test
    void rewardsKeepTheOrderOfTheCompletions() {
        List<String> completions = IntStream.range(0, 200).mapToObj("x"::repeat).toList();
        VerifierResults results = verify((_, completion) -> completion.length(), completions, Limits.usual());
        for (int i = 0; i < completions.size(); i++) {
            assertEquals(i, results.each().get(i).reward().orElseThrow());
        }
    }

    /// The first threads pay no heed to the interrupt and never wait, so that they keep their processors.
    @Test
    void threadsThatNeverEndAreGivenUpAndTheirNumberIsBounded() {
        AtomicBoolean over = new AtomicBoolean();
        CountDownLatch begun = new CountDownLatch(SHORT.hung());
        try {
            VerifierResults results = verify(
                    (_, _) -> {
                        begun.countDown();
                        while (!over.get()) {
                            Thread.onSpinWait();
                        }
                        return 1;
                    },
                    Collections.nCopies(20, "a"),
                    SHORT);
            assertEquals(Map.of(Status.TIMED_OUT, 20), results.counts());
            assertEquals(0, begun.getCount());
            assertTrue(
                    results.each().getLast().reason().startsWith("not begun: "),
                    results.failures().toString());
        } finally {
            over.set(true);
        }
        assertEquals(
                1,
                verify(new Exact(), List.of("a"), SHORT)
                        .each()
                        .getFirst()
                        .reward()
                        .orElseThrow());
    }

    @Test
    void aPartThatFailsTakesOnlyItsCompletion() {
        Verifier sum = new WeightedSum(
                        List.of(new Part("own", 1, new Custom(Own.class.getName())), new Part("exact", 2, new Exact())))
                .verifier();
        VerifierResults results = verify(sum, List.of("a", "throw"), SHORT);
        assertEquals(3, results.each().getFirst().reward().orElseThrow());
        assertEquals(Status.THREW, results.each().getLast().status());
        assertEquals(Map.of("exact", 0.0), results.each().getLast().parts());
    }

    @Test
    void thereIsOneQuestionForEachCompletion() {
        assertThrows(
                IllegalArgumentException.class,
                () -> VerifierBatch.verify(new Exact(), List.of(), List.of("a"), Limits.usual()));
        assertEquals(List.of(), verify(new Exact(), List.of(), Limits.usual()).each());
    }

    static final class Hidden implements Verifier {
        @Override
        public double reward(VerifierQuestion question, String completion) {
            return 1;
        }
    }

    public static final class Needy implements Verifier {
        public Needy(int wanted) {
            assertEquals(1, wanted);
        }

        @Override
        public double reward(VerifierQuestion question, String completion) {
            return 1;
        }
    }

    public static final class Broken implements Verifier {
        public Broken() {
            throw new IllegalStateException("no dictionary");
        }

        @Override
        public double reward(VerifierQuestion question, String completion) {
            return 1;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "org.example.Missing, cannot be loaded",
        "not a name, cannot be loaded",
        "java.lang.String, does not implement",
        "dev.kedge.data.verify.Verifier, must be public and not abstract",
        "dev.kedge.data.verify.VerifierBatchTest$Hidden, must be public",
        "dev.kedge.data.verify.VerifierBatchTest$Needy, no public constructor",
        "dev.kedge.data.verify.VerifierBatchTest$Broken, no dictionary",
    })
    void aClassThatIsNoVerifierIsNamedInOneLine(String name, String problem) {
        Custom custom = new Custom(name);
        var wrong = assertThrows(IllegalArgumentException.class, custom::verifier);
        assertTrue(wrong.getMessage().contains(name), wrong.getMessage());
        assertTrue(wrong.getMessage().contains(problem), wrong.getMessage());
        assertEquals(1, wrong.getMessage().lines().count());
    }
}

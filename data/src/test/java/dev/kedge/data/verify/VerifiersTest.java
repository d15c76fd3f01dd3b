package dev.kedge.data.verify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.task.Arithmetic;
import dev.kedge.data.verify.VerifierResult.Status;
import dev.kedge.data.verify.WeightedSum.Part;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VerifiersTest {
    private static List<VerifierResult> verify(
            Verification verification, VerifierQuestion question, String... completions) {
        return VerifierBatch.verify(
                        verification.verifier(),
                        Collections.nCopies(completions.length, question),
                        List.of(completions),
                        Limits.usual())
                .each();
    }

    private static double[] rewards(Verification verification, String answer, String... completions) {
        return verify(verification, new VerifierQuestion("p", answer), completions).stream()
                .mapToDouble(result -> result.reward().orElseThrow())
                .toArray();
    }

    @Test
    void exactIsTheSameTextButForItsEnds() {
        assertArrayEquals(
                new double[] {1, 1, 0, 0, 0}, rewards(new Exact(), "a b ", "a b", "\n a b", "a  b", "A b", ""));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "100 ~ 100.09 ~ 1",
                "100 ~ 100.11 ~ 0",
                "-100 ~ It is -99.95. ~ 1",
                "-100 ~ 100 ~ 0",
                "1,000,000 ~ 1e6 ~ 1",
                "1234 ~ 1,234 ~ 1",
                "5 ~ first 4, then $5 ~ 1",
                "5 ~ first 5, then 4 ~ 0",
                "5 ~ 10-5 ~ 1",
                "5 ~ five ~ 0",
                "0 ~ 0.0 ~ 1",
                "0 ~ 0.001 ~ 0",
            })
    void numbersAreEqualWithinTheRelativeTolerance(String answer, String completion, double reward) {
        assertArrayEquals(
                new double[] {reward}, rewards(new Numeric(1e-3, Optional.empty()), answer, completion), completion);
    }

    @Test
    void theAbsoluteToleranceHoldsNearZero() {
        assertArrayEquals(new double[] {1, 0}, rewards(new Numeric(0, Optional.of(0.25)), "0", "0.25", "0.2500001"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "So 6*7=42. #### 42 ~ 1",
                "#### $42.00 ~ 1",
                "#### 4,2 ~ 0",
                "#### -42 ~ 0",
                "#### 41 then 42 ~ 0",
                "#### 41 #### 42 ~ 1",
                "42 #### none ~ 0",
                "The answer is 42. ~ 1",
                "The answer is $42 ~ 1",
                "42 is not 43 ~ 0",
                "forty-two ~ 0",
            })
    void gsm8kReadsWhatFollowsTheMarkOrTheLastNumber(String completion, double reward) {
        assertArrayEquals(new double[] {reward}, rewards(new Gsm8k(), "6*7 #### 42", completion));
    }

    @Test
    void aReferenceWithoutAnAnswerIsAFailureAndNoZero() {
        for (Verification verification : List.of(new Gsm8k(), new Numeric(0, Optional.empty()), new Boxed())) {
            VerifierResult result = verify(verification, new VerifierQuestion("p", ""), "#### 5 \\boxed{5}")
                    .getFirst();
            assertEquals(Status.THREW, result.status());
            assertTrue(result.reward().isEmpty());
            assertTrue(result.reason().contains("reference answer"), result.reason());
        }
    }

    @Test
    void aFormatIsOfTheWholeCompletion() {
        Format format = new Format("<think>.*</think>\\s*<answer>[^<]+</answer>");
        assertArrayEquals(
                new double[] {1, 0, 0, 0},
                rewards(
                        format,
                        "",
                        "<think>a\nb</think>\n<answer>5</answer>",
                        "so <think>a</think><answer>5</answer>",
                        "<think>a</think><answer></answer>",
                        "<think>a<answer>5</answer>"));
        var wrong = assertThrows(IllegalArgumentException.class, () -> new Format("(a"));
        assertTrue(wrong.getMessage().contains("RE2"), wrong.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new Format("(a)\\1"));
    }

    /// By hand from the equation: with a maximum of 10 and a buffer of 4, nothing up to 6, then a quarter each.
    @Test
    void theOverlongPenaltyFallsEvenly() {
        assertArrayEquals(
                new double[] {0, 0, -0.25, -0.5, -1, -1},
                rewards(
                        new Length(10, 4),
                        "",
                        "",
                        "123456",
                        "1234567",
                        "1234567\ud83d\ude00",
                        "1234567890",
                        "12345678901"));
        assertEquals(0, new Length(10, 0).overlong(10));
        assertEquals(-1, new Length(10, 0).overlong(11));
        assertThrows(IllegalArgumentException.class, () -> new Length(10, 11));
    }

    @Test
    void theMajorityOfEachQuestionWins() {
        VerifierQuestion a = new VerifierQuestion("a", "");
        VerifierQuestion b = new VerifierQuestion("b", "");
        List<VerifierResult> results = VerifierBatch.verify(
                        new Majority(Extraction.BOXED),
                        List.of(a, b, a, b, a, a),
                        List.of("\\boxed{2}", "\\boxed{3}", "\\boxed{0.5}", "\\boxed{4}", "\\boxed{\\frac12}", "none"),
                        Limits.usual())
                .each();
        double[] rewards =
                results.stream().mapToDouble(j -> j.reward().orElseThrow()).toArray();
        assertArrayEquals(new double[] {0, 1, 1, 0, 1, 0}, rewards, "a tie of b goes to the first seen");
        assertArrayEquals(
                new double[] {0, 0, 0, 1},
                rewards(new Majority(Extraction.NUMBER), "", "none", "none", "nothing", "so 5"),
                "what holds no answer never wins");
        assertArrayEquals(new double[] {0, 0}, rewards(new Majority(Extraction.GSM8K), "", "none", ""));
    }

    @Test
    void aProgramVerifiesItsOwnTask() {
        Program program = new Program(new Arithmetic(99, false));
        List<VerifierResult> results = verify(program, new VerifierQuestion("17+25=", ""), "42", "41", "");
        assertEquals(
                List.of(1.0, 0.5, 0.0),
                results.stream().map(j -> j.reward().orElseThrow()).toList());
        assertEquals(
                Status.THREW,
                verify(program, new VerifierQuestion("seventeen", ""), "42")
                        .getFirst()
                        .status());
    }

    @Test
    void aSumReportsItsPartsAndFailsWithThem() {
        WeightedSum sum = new WeightedSum(List.of(
                new Part("right", 1, new Gsm8k()),
                new Part("short", 0.5, new Length(10, 4)),
                new Part("form", 0.25, new Format("#### .*"))));
        List<VerifierResult> results = verify(sum, new VerifierQuestion("p", "#### 7"), "#### 7", "7", "#### 77 oh no");
        assertEquals(1.25, results.get(0).reward().orElseThrow());
        assertEquals(
                Map.of("right", 1.0, "short", 0.0, "form", 1.0), results.get(0).parts());
        assertEquals(1, results.get(1).reward().orElseThrow());
        assertEquals(-0.25, results.get(2).reward().orElseThrow());
        VerifierResult failed =
                verify(sum, new VerifierQuestion("p", "seven"), "7").getFirst();
        assertEquals(Status.THREW, failed.status());
        assertTrue(failed.reward().isEmpty());
        assertTrue(failed.reason().startsWith("part right: "), failed.reason());
        assertEquals(Map.of("short", 0.0, "form", 0.0), failed.parts());
        assertThrows(
                IllegalArgumentException.class,
                () -> new WeightedSum(List.of(new Part("a", 1, new Exact()), new Part("a", 2, new Exact()))));
    }

    /// What a model may write to harm its verifier: every verifier answers, with a reward of 0 or below.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "}",
                "(",
                "\\boxed{",
                "\\frac",
                "\\sqrt[",
                "^",
                "-",
                "\\left(",
                "\\begin{matrix}",
                "1",
                "9,999",
                ".",
                "#",
                "$",
                "1e9",
                "\ud800",
                "\udc00",
                "\u0000",
                "a",
                "\\",
                "\\text{",
                "|",
                "a_",
                "((a+)+)+",
                "\\pm",
                "\\{",
                "<think>"
            })
    void hostileCompletionsAreWrong(String scrap) {
        List<Verification> all = List.of(
                new Exact(),
                new Numeric(1e-6, Optional.of(1e-6)),
                new Boxed(),
                new Gsm8k(),
                new Format("(((a*)*)*)*b"),
                new Length(1000, 100),
                new Program(new Arithmetic(99, true)));
        String huge = scrap.repeat(10_000);
        String deep = scrap.repeat(900);
        for (Verification verification : all) {
            for (VerifierResult result : verify(
                    verification,
                    new VerifierQuestion("17+25=", "42"),
                    huge,
                    "\\boxed{" + huge + "}",
                    "\\boxed{" + deep + "}",
                    "\\boxed{" + deep,
                    "\\boxed{" + scrap + "}",
                    "#### " + huge)) {
                assertEquals(Status.OK, result.status(), verification + ": " + result.reason());
                assertTrue(result.reward().orElseThrow() <= 0.5, verification + " on " + scrap);
            }
        }
        double[] votes = rewards(new Majority(Extraction.BOXED), "", huge, "\\boxed{" + deep + "}", "\\boxed{5}");
        assertEquals(3, votes.length);
    }

    @Test
    void bracesNestedADeepWayEndTheReadingAndNotTheStack() {
        String nested = "\\boxed{" + "{".repeat(100_000) + "5" + "}".repeat(100_000) + "}";
        assertArrayEquals(new double[] {0}, rewards(new Boxed(), "5", nested));
        String below = "\\boxed{" + "{".repeat(900) + "5" + "}".repeat(900) + "}";
        assertArrayEquals(new double[] {0}, rewards(new Boxed(), "5", below));
        String few = "\\boxed{" + "{".repeat(9) + "5" + "}".repeat(9) + "}";
        assertArrayEquals(new double[] {1}, rewards(new Boxed(), "5", few));
    }
}

package dev.kedge.data.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScratchSumTest {
    private final ScratchSum task = new ScratchSum();

    @ParameterizedTest
    @CsvSource({"00, 0", "06, 0", "33, 0", "07, 2", "52, 2", "29, 2", "65, 2", "66, 4", "39, 4", "99, 4"})
    void needIsThatOfTheTable(String prompt, int need) {
        assertEquals(need, task.need(new Problem(prompt)));
        assertEquals(need, task.difficulty(new Problem(prompt)));
    }

    @ParameterizedTest
    @CsvSource({
        "58, wwww=3, 1",
        "58, wwwwww=3, 1",
        "58, www=3, 0",
        "58, wwww=13, 0",
        "58, wwww=4, 0",
        "58, wwwwwww=3, 0",
        "58, wwww=3w, 0",
        "58, wwww==3, 0",
        "58, wwww, 0",
        "58, wwww3, 0",
        "12, =3, 1",
        "12, ww=3, 1",
        "12, 3, 0"
    })
    void workedExamples(String prompt, String completion, double reward) {
        assertEquals(reward, task.reward(new Problem(prompt), completion));
    }

    @ParameterizedTest
    @CsvSource({"wwww=3, 1", "www=3, 0.25", "wwww=4, 0.25", "wwww=13, 0", "wwww, 0"})
    void theFormatAloneMayEarnAPart(String completion, double reward) {
        assertEquals(reward, new ScratchSum(Optional.of(0.25)).reward(new Problem("58"), completion));
    }

    @Test
    void theFormatAloneNeverEarnsAll() {
        var refused = assertThrows(IllegalArgumentException.class, () -> new ScratchSum(Optional.of(1.0)));
        assertEquals("format_reward must be in [0, 1), was 1.0", refused.getMessage());
    }

    @Test
    void theAnswerIsKnownWhereverTheFormatIsExact() {
        assertEquals(OptionalInt.of(7), task.answer("ww=7"));
        assertEquals(OptionalInt.empty(), task.answer("ww=77"));
        assertEquals(OptionalInt.empty(), task.answer("=w7"));
    }

    @Test
    void aHundredProblemsAreSplit() {
        List<Problem> train = task.problems(ProblemSplit.TRAIN);
        List<Problem> heldOut = task.problems(ProblemSplit.HELD_OUT);
        assertEquals(100, new HashSet<>(task.problems()).size());
        assertEquals(
                new HashSet<>(task.problems()),
                new HashSet<>(Stream.concat(train.stream(), heldOut.stream()).toList()));
        assertEquals(100, train.size() + heldOut.size());
        for (ProblemSplit part : ProblemSplit.values()) {
            assertEquals(
                    List.of(0, 2, 4),
                    task.problems(part).stream()
                            .map(task::need)
                            .distinct()
                            .sorted()
                            .toList());
        }
        assertThrows(IllegalArgumentException.class, () -> task.solution(new Problem("5+8=")));
    }

    /// Right: as many `w`s as needed, which has the chance 1, 4/6 or 2/6, and the digit, known or by luck.
    @Test
    void demonstrationsAreAsOftenRightAsTheirChances() {
        double rightness = 0.5;
        SplittableRandom random = new SplittableRandom(7);
        int repeats = 300;
        double right = 0;
        double expected = 0;
        for (Problem problem : task.problems()) {
            expected += (6 - task.need(problem)) / 6.0 * (rightness + (1 - rightness) / 10);
            for (int i = 0; i < repeats; i++) {
                String text = task.demonstration(problem, rightness, random);
                assertTrue(text.matches("w{0,5}=[0-9]"), text);
                right += task.reward(problem, text);
            }
        }
        // Five standard deviations of a share of 30,000 draws: 5 * 0.5 / sqrt(30000).
        assertEquals(expected / 100, right / (100 * repeats), 0.0145);
        Problem problem = new Problem("12");
        assertEquals(1, task.reward(problem, task.demonstration(problem, 1, random)));
        assertThrows(IllegalArgumentException.class, () -> task.demonstration(problem, 1.1, random));
    }
}

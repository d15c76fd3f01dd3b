package dev.kedge.data.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GradingTest {
    private final Grading task = new Grading(new Arithmetic(99, true));

    @ParameterizedTest
    @CsvSource({
        "17+25=|42?, 42Y, 1",
        "17+25=|42?, Y, 1",
        "17+25=|42?, 9-9=YY, 0",
        "17+25=|42?, 42N, 0",
        "17+25=|42?, 42, 0",
        "17+25=|42?, 42YN, 0",
        "17+25=|42?, Y42, 0",
        "17+25=|43?, 42N, 1",
        "17+25=|43?, N, 1",
        "17+25=|43?, 43Y, 0",
        "17-25=|-8?, -8Y, 1",
        "17-25=|8?, -8N, 1"
    })
    void workedExamples(String prompt, String completion, double reward) {
        assertEquals(reward, task.reward(new Problem(prompt), completion));
    }

    @Test
    void theSolutionWorksBeforeItJudges() {
        assertEquals("42Y", task.solution(new Problem("17+25=|42?")));
        assertEquals("42N", task.solution(new Problem("17+25=|41?")));
        assertEquals("1+1=2;#2Y", new Grading(new ChainOfThought(2, 9)).solution(new Problem("1+1=|#2?")));
        assertThrows(IllegalArgumentException.class, () -> task.solution(new Problem("17+25=")));
    }

    /// Half of the proposals are right; a teacher who knows nothing gives no verdict in a third of the cases, and is
    /// right in another.
    @Test
    void proposalsAndVerdictsAreAsOftenRightAsTheirChances() {
        SplittableRandom random = new SplittableRandom(7);
        int draws = 9000;
        int right = 0;
        double reward = 0;
        Map<String, Integer> verdicts = new HashMap<>();
        for (int i = 0; i < draws; i++) {
            Problem problem = task.sample(random);
            right += task.truth(problem).equals("Y") ? 1 : 0;
            String said = task.demonstration(problem, 0, random);
            reward += task.reward(problem, said);
            verdicts.merge(task.finalAnswer(said).orElse("none"), 1, Integer::sum);
        }
        // Five standard deviations: 5 * 0.5 / sqrt(9000).
        assertEquals(0.5, right / (double) draws, 0.0264);
        assertEquals(1 / 3.0, reward / draws, 0.0264);
        for (String verdict : new String[] {"Y", "N", "none"}) {
            assertEquals(1 / 3.0, verdicts.get(verdict) / (double) draws, 0.0264, verdict);
        }
    }

    @Test
    void aTaskThatUsesTheVerdictsIsRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> new Grading(new Copying("XYZ", 1, 3, false)));
        assertEquals(
                "a task whose answers are judged must not use \"Y\", was "
                        + "Copying[symbols=XYZ, shortest=1, longest=3, reversed=false]",
                e.getMessage());
    }
}

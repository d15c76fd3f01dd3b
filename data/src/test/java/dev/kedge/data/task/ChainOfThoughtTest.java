package dev.kedge.data.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.task.ChainOfThought.Step;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChainOfThoughtTest {
    private final ChainOfThought task = new ChainOfThought(4, 99);
    private final Problem problem = new Problem("3+8+4=");

    /// Verdicts: + right, - wrong. The last column is the first wrong step, -1 where there is none.
    @ParameterizedTest
    @CsvSource(
            emptyValue = "",
            value = {
                "3+8=11;11+4=15;#15, 1, +++, -1",
                "3+8=12;12+4=16;#16, 0, -++, 0", // carried on rightly
                "3+8=11;11+4=16;#16, 0, +-+, 1",
                "3+8=11;11+4=15;#16, 0, ++-, 2",
                "3+8=12;12+4=16;#15, 1, -+-, 0", // right by luck
                "#15, 1, -, 0",
                "3+8=11;#15, 1, +-, 1",
                "3+8=11;11+4=15;, 0, ++, 2", // no answer
                "3+8=11;11+4=15, 0, +-, 1",
                "3+8=11;8+4=12;#12, 0, +-+, 1", // not the sum before
                "3+8=11;11+5=16;#16, 0, +-+, 1", // not the next term
                "8+3=11;11+4=15;#15, 1, -++, 0",
                "3+8=11;junk;11+4=15;#15, 1, +---, 1",
                "3+8=11;11+4=15;15+0=15;#15, 1, ++--, 2",
                "3+8=11;11+4=15;#15;, 0, ++-, 2",
                "3+8=11;11+4=15;#15#15, 0, ++-, 2",
                "3+8=11;11+4=15;#015, 0, ++-, 2",
                "3+8=11;11+4=15;#15;#15, 0, ++--, 2",
                "'', 0, '', 0"
            })
    void outcomesAndStepsAreJudgedApart(String completion, double reward, String verdicts, int firstWrong) {
        assertEquals(reward, task.reward(problem, completion));
        List<Step> steps = task.steps(problem, completion);
        assertEquals(verdicts, steps.stream().map(s -> s.right() ? "+" : "-").collect(Collectors.joining()));
        assertEquals(
                firstWrong < 0 ? OptionalInt.empty() : OptionalInt.of(firstWrong),
                task.firstWrong(problem, completion));
    }

    @Test
    void workedExamples() {
        assertEquals("3+8=11;11+4=15;#15", task.solution(problem));
        assertEquals("12+7=19;#19", task.solution(new Problem("12+7=")));
        assertEquals("0+0=0;#0", task.solution(new Problem("0+0=")));
        assertEquals(OptionalInt.of(16), task.answer("3+8=12;12+4=16;#16"));
        assertEquals(OptionalInt.empty(), task.answer("3+8=12;#"));
        assertEquals(OptionalInt.empty(), task.answer("16"));
        assertEquals(31, task.difficulty(problem));
        assertEquals(22, task.difficulty(new Problem("12+7=")));
        assertEquals(
                List.of(new Step(0, 7, true), new Step(7, 15, true), new Step(15, 18, true)),
                task.steps(problem, task.solution(problem)));
        assertThrows(IllegalArgumentException.class, () -> task.solution(new Problem("3+8-4=")));
        assertThrows(IllegalArgumentException.class, () -> new ChainOfThought(1, 9));
        assertThrows(IllegalArgumentException.class, () -> new ChainOfThought(3, 10_000));
    }

    @Test
    void theLongestSolutionHasTheGreatestLength() {
        ChainOfThought largest = new ChainOfThought(9, 9999);
        String prompt = "9999+".repeat(8) + "9999=";
        assertEquals(
                largest.maxCompletionLength(),
                largest.solution(new Problem(prompt)).length());
    }

    @Property(tries = 200)
    void aCorruptionHasOneWrongStep(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Problem drawn = task.sample(random);
        List<Step> steps = task.steps(drawn, task.corruption(drawn, random));
        assertEquals(1, steps.stream().filter(s -> !s.right()).count());
        assertTrue(task.firstWrong(drawn, task.solution(drawn)).isEmpty());
    }

    @Property(tries = 500)
    void stepsTileEveryText(@ForAll List<@IntRange(max = 13) Integer> characters) {
        String text = characters.stream()
                .map(c -> task.alphabet().substring(c, c + 1))
                .collect(Collectors.joining());
        int end = 0;
        for (Step step : task.steps(problem, text)) {
            assertEquals(end, step.from());
            assertTrue(step.to() > step.from());
            end = step.to();
        }
        assertEquals(text.length(), end);
    }
}

package dev.kedge.data.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.Content;
import dev.kedge.data.Preference;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TaskTest {
    static Stream<Task> tasks() {
        return Stream.of(
                new Arithmetic(99, false),
                new Arithmetic(20, true),
                new Sorting("abc123", 2, 5),
                new Sorting("ab", 2, 3),
                new Copying("abcd", 1, 4, false),
                new Copying("abcd", 1, 4, true),
                new Brackets(1, 4, 2),
                new Brackets(3, 3, 3));
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void solutionsAreRightAndCorruptionsAreNot(Task task) {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 2000; i++) {
            Problem problem = task.sample(random);
            String solution = task.solution(problem);
            String corruption = task.corruption(problem, random);
            assertEquals(1.0, task.reward(problem, solution), () -> problem + " " + solution);
            double wrong = task.reward(problem, corruption);
            assertTrue(wrong >= 0 && wrong < 1, () -> problem + " " + corruption + " " + wrong);
            assertFalse(corruption.isEmpty());
            assertTrue(solution.length() <= task.maxCompletionLength());
            for (char c : (problem.prompt() + solution + corruption).toCharArray()) {
                assertTrue(task.alphabet().indexOf(c) >= 0, () -> "'" + c + "' of " + problem);
            }
            assertTrue((solution + corruption)
                    .chars()
                    .allMatch(c -> task.completionAlphabet().indexOf(c) >= 0));
        }
        assertEquals(
                task.alphabet().length(), task.alphabet().chars().distinct().count());
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void rewardsAreFromZeroToOneAndOneOnlyForRightAnswers(Task task) {
        SplittableRandom random = new SplittableRandom(2);
        List<String> completions = task.completions(Math.min(3, task.maxCompletionLength()));
        for (int i = 0; i < 20; i++) {
            Problem problem = task.sample(random);
            for (String completion : completions) {
                double reward = task.reward(problem, completion);
                assertTrue(reward >= 0 && reward <= 1, () -> problem + " " + completion + " " + reward);
                boolean right = task instanceof Brackets
                        ? balanced(problem.prompt() + completion)
                        : completion.equals(task.solution(problem));
                assertEquals(right, reward == 1, () -> problem + " " + completion + " " + reward);
            }
            assertTrue(task.reward(problem, "\u0000 ü") < 1);
        }
    }

    /// Balanced if crossing out neighbours that match leaves nothing.
    private static boolean balanced(String text) {
        String left = text;
        for (String before = ""; !before.equals(left); ) {
            before = left;
            left = left.replace("()", "").replace("[]", "").replace("{}", "").replace("<>", "");
        }
        return left.isEmpty();
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void partsAreDisjointAndDrawsFollowTheSeed(Task task) {
        Set<Problem> train = new HashSet<>();
        Set<Problem> heldOut = new HashSet<>();
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < 500; i++) {
            train.add(task.sample(random, Part.TRAIN));
            heldOut.add(task.sample(random, Part.HELD_OUT));
        }
        assertTrue(train.stream().noneMatch(heldOut::contains));
        assertEquals(
                task.preferences(50, new SplittableRandom(4), Part.TRAIN),
                task.preferences(50, new SplittableRandom(4), Part.TRAIN));
    }

    @Test
    void arithmeticIsGradedByDigitsFromTheRight() {
        Arithmetic task = new Arithmetic(99, true);
        Problem sum = new Problem("17+25=");
        assertEquals("42", task.solution(sum));
        assertEquals("-8", task.solution(new Problem("17-25=")));
        assertEquals(0.5, task.reward(sum, "41"));
        assertEquals(0.5, task.reward(sum, "2"));
        assertEquals(2.0 / 3, task.reward(sum, "042"), 1e-15);
        assertEquals(0.0, task.reward(sum, "24"));
        assertEquals(0.0, task.reward(sum, ""));
        assertThrows(IllegalArgumentException.class, () -> task.solution(new Problem("cab>")));
    }

    @Test
    void aFifthOfTheProblemsIsHeldOut() {
        Arithmetic task = new Arithmetic(99, false);
        int train = task.problems(Part.TRAIN).size();
        int heldOut = task.problems(Part.HELD_OUT).size();
        assertEquals(10_000, train + heldOut);
        // Five standard deviations of a binomial around 2,000: 5 * sqrt(10000 * 0.2 * 0.8) = 200.
        assertTrue(Math.abs(heldOut - 2000) < 200, "" + heldOut);
    }

    @Test
    void completionsAreEnumerated() {
        Task task = new Copying("ab", 1, 2, false);
        assertEquals(List.of("", "a", "b", "aa", "ab", "ba", "bb"), task.completions(2));
        assertEquals(1111, new Arithmetic(9, false).completions(3).size());
        assertThrows(IllegalArgumentException.class, () -> new Arithmetic(9, false).completions(7));
    }

    @Test
    void workedExamples() {
        assertEquals("abc", new Sorting("abc", 2, 3).solution(new Problem("cab>")));
        assertEquals("cab", new Copying("abc", 2, 3, false).solution(new Problem("cab>")));
        assertEquals("bac", new Copying("abc", 2, 3, true).solution(new Problem("cab>")));
        Brackets brackets = new Brackets(3, 4, 2);
        Problem open = new Problem("([()");
        assertEquals("])", brackets.solution(open));
        assertEquals(1, brackets.reward(open, "{}])"));
        assertEquals(0.25, brackets.reward(open, "]"));
        assertEquals(0.25, brackets.reward(open, "]]"));
        assertEquals(0.5, brackets.reward(open, "])("));
        assertEquals(0, brackets.reward(open, ")"));
    }

    @Test
    void recordsAreReadyForTraining() {
        Task task = new Arithmetic(9, false);
        Preference preference =
                task.preferences(1, new SplittableRandom(1), Part.TRAIN).getFirst();
        String prompt = ((Content.Text) preference.prompt()).text();
        assertEquals(Content.text(task.solution(new Problem(prompt))), preference.chosen());
        assertEquals(5, task.prompts(5, new SplittableRandom(1), Part.HELD_OUT).size());
        assertEquals(5, task.solved(5, new SplittableRandom(1), Part.HELD_OUT).size());
    }
}

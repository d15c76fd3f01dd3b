package dev.kedge.data.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.Content;
import dev.kedge.data.Preference;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class GeneratedTaskTest {
    static Stream<GeneratedTask> tasks() {
        return Stream.of(
                new Arithmetic(99, false),
                new Arithmetic(20, true),
                new Sorting("abc123", 2, 5),
                new Sorting("ab", 2, 3),
                new Copying("abcd", 1, 4, false),
                new Copying("abcd", 1, 4, true),
                new Brackets(1, 4, 2),
                new Brackets(3, 3, 3),
                new ScratchSum(),
                new ChainOfThought(4, 9),
                new ChainOfThought(3, 120),
                new Countdown(4, 12),
                new Countdown(3, 99),
                new Grading(new Arithmetic(20, true)),
                new Grading(new ScratchSum()));
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void solutionsAreRightAndCorruptionsAreNot(GeneratedTask task) {
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
    void rewardsAreFromZeroToOneAndOneOnlyForRightAnswers(GeneratedTask task) {
        SplittableRandom random = new SplittableRandom(2);
        List<String> completions = task.completions(Math.min(3, task.maxCompletionLength()));
        for (int i = 0; i < 10; i++) {
            Problem problem = task.sample(random);
            for (String completion : completions) {
                double reward = task.reward(problem, completion);
                assertTrue(reward >= 0 && reward <= 1, () -> problem + " " + completion + " " + reward);
                boolean right = isRight(task, problem, completion);
                assertEquals(right, reward == 1, () -> problem + " " + completion + " " + reward);
            }
            assertTrue(task.reward(problem, "\u0000 ü") < 1);
        }
    }

    /// What is right, said in another way than by the tasks; for completions of up to three characters.
    private static boolean isRight(GeneratedTask task, Problem problem, String completion) {
        String prompt = problem.prompt();
        return switch (task) {
            case Brackets _ -> balanced(prompt + completion);
            case ScratchSum _ -> {
                int sum = prompt.chars().map(c -> c - '0').sum();
                String scratch = sum >= 12 ? "wwww" : sum >= 7 ? "ww" : "";
                yield completion.matches(scratch + "w*=" + Integer.toString(sum).replaceFirst("^1(?=.)", ""));
            }
            case ChainOfThought _ -> {
                String solution = task.solution(problem);
                yield completion.matches("[^#]*" + solution.substring(solution.indexOf('#')));
            }
            case Countdown _ -> completion.length() == 3 && isReached(prompt, completion);
            case Grading v -> completion.matches("[^YN]*" + v.truth(problem));
            case Arithmetic _, Copying _, Sorting _ -> completion.equals(task.solution(problem));
        };
    }

    /// Three characters reach a target only as two numbers of one digit with an operator between them.
    private static boolean isReached(String prompt, String completion) {
        int a = completion.charAt(0) - '0';
        int b = completion.charAt(2) - '0';
        int target = Integer.parseInt(prompt, prompt.indexOf(':') + 1, prompt.length() - 1, 10);
        List<String> given =
                new ArrayList<>(List.of(prompt.substring(0, prompt.indexOf(':')).split(",")));
        return given.remove(completion.substring(0, 1))
                && given.remove(completion.substring(2))
                && switch (completion.charAt(1)) {
                    case '+' -> a + b == target;
                    case '-' -> a - b == target;
                    case '*' -> a * b == target;
                    case '/' -> a == b * target;
                    default -> false;
                };
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
    void partsAreDisjointAndDrawsFollowTheSeed(GeneratedTask task) {
        Set<Problem> train = new HashSet<>();
        Set<Problem> heldOut = new HashSet<>();
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < 500; i++) {
            train.add(task.sample(random, ProblemSplit.TRAIN));
            heldOut.add(task.sample(random, ProblemSplit.HELD_OUT));
        }
        assertTrue(train.stream().noneMatch(heldOut::contains));
        assertEquals(
                task.preferences(50, new SplittableRandom(4), ProblemSplit.TRAIN),
                task.preferences(50, new SplittableRandom(4), ProblemSplit.TRAIN));
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void hostileCompletionsAreWrong(GeneratedTask task) {
        List<String> completions = List.of(
                "",
                "\u0000",
                "ü\ud83d",
                "9".repeat(100_000),
                "w".repeat(100_000) + "=3",
                "(".repeat(100_000),
                "(".repeat(50_000) + "1" + ")".repeat(50_000),
                ";".repeat(100_000),
                "1+1=2;".repeat(20_000) + "#2",
                "99999999999999999999+1=5;#" + "9".repeat(40),
                "1/0",
                "1/(1-1)",
                "999999999*999999999*999999999",
                "-5",
                "+5",
                "5 ",
                "٥"); // a digit, but not one of ours
        Problem problem = task.sample(new SplittableRandom(5));
        for (String completion : completions) {
            double reward = task.reward(problem, completion);
            assertTrue(reward >= 0 && reward < 1, () -> problem + " " + completion + " " + reward);
        }
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void problemsOfATaskAreNotAllEquallyHard(GeneratedTask task) {
        SplittableRandom random = new SplittableRandom(6);
        Set<Integer> difficulties = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            difficulties.add(task.difficulty(task.sample(random)));
        }
        assertTrue(difficulties.size() > 1 && difficulties.stream().allMatch(d -> d >= 0), () -> "" + difficulties);
    }

    @ParameterizedTest
    @CsvSource({"7+2=, 1", "17+25=, 3", "99+1=, 4", "95+5=, 4", "17-25=, 3", "25-17=, 3", "25-14=, 2", "100-1=, 5"})
    void digitsAndCarriesMakeSumsHard(String prompt, int difficulty) {
        assertEquals(difficulty, new Arithmetic(999, true).difficulty(new Problem(prompt)));
    }

    @Test
    void theDifficultyOfWordsIsTheirLength() {
        assertEquals(3, new Copying("abc", 1, 4, true).difficulty(new Problem("cab>")));
        assertEquals(2, new Sorting("abc", 2, 4).difficulty(new Problem("ca>")));
        assertEquals(2, new Brackets(3, 4, 2).difficulty(new Problem("([()")));
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
        int train = task.problems(ProblemSplit.TRAIN).size();
        int heldOut = task.problems(ProblemSplit.HELD_OUT).size();
        assertEquals(10_000, train + heldOut);
        // Five standard deviations of a binomial around 2,000: 5 * sqrt(10000 * 0.2 * 0.8) = 200.
        assertTrue(Math.abs(heldOut - 2000) < 200, "" + heldOut);
    }

    @Test
    void completionsAreEnumerated() {
        GeneratedTask task = new Copying("ab", 1, 2, false);
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
        GeneratedTask task = new Arithmetic(9, false);
        Preference preference =
                task.preferences(1, new SplittableRandom(1), ProblemSplit.TRAIN).getFirst();
        String prompt = ((Content.Text) preference.prompt()).text();
        assertEquals(Content.text(task.solution(new Problem(prompt))), preference.chosen());
        assertEquals(
                5,
                task.prompts(5, new SplittableRandom(1), ProblemSplit.HELD_OUT).size());
        assertEquals(
                5,
                task.solved(5, new SplittableRandom(1), ProblemSplit.HELD_OUT).size());
    }
}

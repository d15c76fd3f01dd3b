package dev.kedge.data.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CountdownTest {
    private final Countdown task = new Countdown(4, 12);

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "2,3,7:13= | 2*3+7 | 1",
                "2,3,7:13= | 7+3*2 | 1",
                "2,3,7:13= | ((7)+(3*2)) | 1",
                "2,3,7:13= | 2+3*7 | 0.1",
                "2,3,7:13= | 7 | 0.1",
                "2,3,7:13= | 13 | 0", // not given
                "2,3,7:13= | 7+7-3+2 | 0", // twice
                "2,3,7:13= | 7+3+3 | 0",
                "2,3,7:13= | 2*3+7= | 0",
                "2,3,7:13= | 2*3+ | 0",
                "2,3,7:13= | 2*3+07 | 0",
                "2,3,7:13= | (2*3+7 | 0",
                "2,3,7:13= | 2*3)+7 | 0",
                "2,3,7:13= | -7 | 0",
                "3,3,2:8= | 3*3-2+1 | 0",
                "3,3,2:7= | 3*3-2 | 1",
                "7,2,3:14= | 7/3*2 | 0", // not whole on the way
                "6,3,2:4= | 6/3*2 | 1",
                "2,3,4:3= | 2-3+4 | 1", // below 0 on the way
                "2,3,4:3= | (2-3)*4 | 0.1",
                "2,2,5:5= | 5/(2-2) | 0"
            })
    void workedExamples(String prompt, String completion, double reward) {
        assertEquals(reward, task.reward(new Problem(prompt), completion));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "9,8,3:12= | 9+3", // fewer numbers than given
                "9,3,1:36= | (3+1)*9",
                "8,4,2:1= | 8/(4*2)",
                "9,5,1:3= | 9-(5+1)",
                "7:7= | 7"
            })
    void solutionsUseTheFewestNumbers(String prompt, String expected) {
        String solution = task.solution(new Problem(prompt));
        assertEquals(1, task.reward(new Problem(prompt), solution));
        assertEquals(numbers(expected), numbers(solution), solution);
    }

    private static int numbers(String expression) {
        return Expression.parse(expression).orElseThrow().numbers().size();
    }

    @Test
    void theExampleIsSolvedAsItIsSaidToBe() {
        assertEquals("7+3*2", task.solution(new Problem("2,3,7:13=")));
    }

    @Test
    void whatCannotBeReachedIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> task.solution(new Problem("1,1:7=")));
        assertThrows(IllegalArgumentException.class, () -> task.solution(new Problem("0,1:7=")));
        assertThrows(IllegalArgumentException.class, () -> new Countdown(7, 9));
        assertThrows(IllegalArgumentException.class, () -> new Countdown(3, 100));
        assertEquals(31, task.difficulty(new Problem("2,3,7:13=")));
    }

    @Test
    void problemsListNumbersInOrderAndATargetThatIsNoneOfThem() {
        SplittableRandom random = new SplittableRandom(8);
        for (int i = 0; i < 500; i++) {
            String[] sides = task.sample(random).prompt().split(":");
            List<Integer> given =
                    Arrays.stream(sides[0].split(",")).map(Integer::valueOf).toList();
            assertEquals(given.stream().sorted().toList(), given);
            assertTrue(given.size() >= 2 && given.size() <= 4 && given.getFirst() >= 1 && given.getLast() <= 12);
            assertFalse(given.contains(Integer.valueOf(sides[1].replace("=", ""))));
        }
    }

    @Property(tries = 30)
    void theLargestTaskIsSolved(@ForAll long seed) {
        Countdown largest = new Countdown(6, 99);
        Problem problem = largest.sample(new SplittableRandom(seed));
        String solution = largest.solution(problem);
        assertEquals(1, largest.reward(problem, solution), () -> problem + " " + solution);
        assertTrue(solution.length() <= largest.maxCompletionLength());
    }

    @Test
    void limitsAreWhereTheyAreSaidToBe() {
        assertEquals(Optional.empty(), Expression.parse(""));
        assertTrue(Expression.parse("(".repeat(16) + "1" + ")".repeat(16)).isPresent());
        assertTrue(Expression.parse("(".repeat(17) + "1" + ")".repeat(17)).isEmpty());
        assertTrue(Expression.parse("(1)+".repeat(24) + "(1)").isPresent()); // 99 characters, 1 deep
        assertTrue(Expression.parse("1+".repeat(50) + "1").isEmpty());
        assertTrue(Expression.parse("999999999*999999999").isPresent());
        assertTrue(Expression.parse("999999999*999999999*999999999").isEmpty());
        assertTrue(Expression.parse("1234567890").isEmpty());
    }

    /// Random trees, evaluated while they are written, without bounds.
    private static final class Tree {
        private final RandomGenerator random;
        private final StringBuilder text = new StringBuilder();

        private Tree(long seed) {
            random = new SplittableRandom(seed);
        }

        /// Writes parentheses around each operation; empty where a quotient is not whole.
        private Optional<BigInteger> write(int depth) {
            if (depth == 0 || random.nextInt(4) == 0) {
                int number = random.nextInt(20);
                text.append(number);
                return Optional.of(BigInteger.valueOf(number));
            }
            char operator = "+-*/".charAt(random.nextInt(4));
            text.append('(');
            Optional<BigInteger> a = write(depth - 1);
            text.append(operator);
            Optional<BigInteger> b = write(depth - 1);
            text.append(')');
            return a.flatMap(x -> b.flatMap(y -> switch (operator) {
                case '+' -> Optional.of(x.add(y));
                case '-' -> Optional.of(x.subtract(y));
                case '*' -> Optional.of(x.multiply(y));
                default ->
                    y.signum() == 0 || x.remainder(y).signum() != 0 ? Optional.empty() : Optional.of(x.divide(y));
            }));
        }
    }

    @Property(tries = 500)
    void expressionsComeToTheirExactValue(@ForAll long seed) {
        Tree tree = new Tree(seed);
        Optional<Long> exact = tree.write(3).map(BigInteger::longValueExact);
        assertEquals(exact, Expression.parse(tree.text.toString()).map(Expression::value), tree.text::toString);
    }

    /// What binds closer comes first, and equals go from left to right.
    @ParameterizedTest
    @CsvSource({"2+3*4, 14", "2*3+4, 10", "9-3-2, 4", "8/4*2, 4", "8/4/2, 1", "9-(3-2), 8", "(2+3)*4, 20", "2-3*4, -10"
    })
    void operatorsBindAsUsual(String text, long value) {
        assertEquals(value, Expression.parse(text).orElseThrow().value());
    }
}

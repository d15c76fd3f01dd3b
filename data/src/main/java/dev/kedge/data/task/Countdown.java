package dev.kedge.data.task;

import dev.kedge.config.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A target to be reached from given numbers: `2,3,7:13=` has the solution `7+3*2`, and every other expression that
/// comes to 13 is right too.
///
/// Expressions have `+ - * /` and parentheses, use each given number at most as often as it is given and no other, and
/// have whole quotients only; they have at most 100 characters and 16 parentheses inside one another. The reward of a
/// right one is 1, of one that comes to something else 0.1, of any other text 0.
///
/// Problems are made from their solution, which uses all numbers; the target is none of them. Numbers are listed in
/// their order, so that the two parts share no problem in another guise.
///
/// @param numbers the most numbers of a problem, from 2 to 6; how many there are is drawn evenly from 2 on
/// @param max     the largest given number, from 2 to 99; they are drawn evenly from 1 on
@Kind("countdown")
public record Countdown(int numbers, int max) implements GeneratedTask {
    private static final double WELL_FORMED = 0.1;
    private static final int MAX_TARGET = 999;
    private static final String OPERATORS = "+-*/";
    private static final Pattern PROMPT = Pattern.compile("([1-9][0-9]?(?:,[1-9][0-9]?){0,5}):([1-9][0-9]{0,2})=");

    public Countdown {
        if (numbers < 2 || numbers > 6) {
            throw new IllegalArgumentException("numbers must be from 2 to 6, was " + numbers);
        }
        if (max < 2 || max > 99) {
            throw new IllegalArgumentException("max must be from 2 to 99, was " + max);
        }
    }

    private record Given(List<Integer> numbers, int target) {}

    @Override
    public String alphabet() {
        return completionAlphabet() + ",:=";
    }

    @Override
    public Problem sample(RandomGenerator random) {
        int count = random.nextInt(2, numbers + 1);
        while (true) {
            List<Integer> given = IntStream.range(0, count)
                    .mapToObj(_ -> random.nextInt(1, max + 1))
                    .sorted()
                    .toList();
            int target = reached(given, random);
            if (!given.contains(target)) {
                String listed = given.stream().map(String::valueOf).collect(Collectors.joining(","));
                return new Problem(listed + ":" + target + "=");
            }
        }
    }

    /// Two numbers at a time are put together, until one is left. There is always a way: their difference, or 1 as the
    /// quotient of equal ones.
    private static int reached(List<Integer> given, RandomGenerator random) {
        List<Integer> left = new ArrayList<>(given);
        while (left.size() > 1) {
            int a = left.remove(random.nextInt(left.size()));
            int b = left.remove(random.nextInt(left.size()));
            int larger = Math.max(a, b);
            int smaller = Math.min(a, b);
            int[] results = {
                larger + smaller, larger - smaller, larger * smaller, larger % smaller == 0 ? larger / smaller : 0
            };
            int[] possible = Arrays.stream(results)
                    .filter(r -> r >= 1 && r <= MAX_TARGET)
                    .toArray();
            left.add(possible[random.nextInt(possible.length)]);
        }
        return left.getFirst();
    }

    /// How many numbers are given in tens, the digits of the largest of them in ones: 31 for `2,3,7:13=`.
    @Override
    public int difficulty(Problem problem) {
        List<Integer> numbers = given(problem).numbers;
        int largest = numbers.stream().max(Comparator.naturalOrder()).orElseThrow();
        return 10 * numbers.size() + Integer.toString(largest).length();
    }

    @Override
    public double reward(Problem problem, String completion) {
        Given given = given(problem);
        return Expression.parse(completion)
                .filter(e -> isMadeOf(e, given.numbers))
                .map(e -> e.value() == given.target ? 1 : WELL_FORMED)
                .orElse(0.0);
    }

    private static boolean isMadeOf(Expression expression, List<Integer> given) {
        List<Long> left = new ArrayList<>(given.stream().map(Integer::longValue).toList());
        return expression.numbers().stream().allMatch(left::remove);
    }

    /// Found by search; it uses the fewest numbers that suffice.
    ///
    /// @throws IllegalArgumentException if the target cannot be reached
    @Override
    public String solution(Problem problem) {
        Given given = given(problem);
        return CountdownSearch.solution(given.numbers, given.target)
                .orElseThrow(() -> new IllegalArgumentException(
                        "the target of \"" + problem.prompt() + "\" cannot be reached from its numbers"));
    }

    /// The solution with one operator replaced by another; where none of these is wrong, with a number added.
    @Override
    public String corruption(Problem problem, RandomGenerator random) {
        String solution = solution(problem);
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < solution.length(); i++) {
            for (char operator : OPERATORS.toCharArray()) {
                String other = solution.substring(0, i) + operator + solution.substring(i + 1);
                if (OPERATORS.indexOf(solution.charAt(i)) >= 0 && reward(problem, other) < 1) {
                    wrong.add(other);
                }
            }
        }
        return wrong.isEmpty()
                ? solution + "+" + given(problem).numbers.getFirst()
                : wrong.get(random.nextInt(wrong.size()));
    }

    private static Given given(Problem problem) {
        Matcher prompt = PROMPT.matcher(problem.prompt());
        if (!prompt.matches()) {
            throw new IllegalArgumentException(
                    "\"" + problem.prompt() + "\" is no problem of this task, as \"2,3,7:13=\" is");
        }
        List<Integer> numbers =
                Arrays.stream(prompt.group(1).split(",")).map(Integer::valueOf).toList();
        return new Given(numbers, Integer.parseInt(prompt.group(2)));
    }

    @Override
    public String completionAlphabet() {
        return "0123456789" + OPERATORS + "()";
    }

    /// All numbers, the operators between them, and parentheses around all that is put together but the whole.
    @Override
    public int maxCompletionLength() {
        return numbers * Integer.toString(max).length() + (numbers - 1) + 2 * (numbers - 2);
    }
}

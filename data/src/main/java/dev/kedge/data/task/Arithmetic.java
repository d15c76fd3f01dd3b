package dev.kedge.data.task;

import dev.kedge.config.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/// Sums and differences of two numbers from 0 to `max`: `17+25=` has the solution `42`.
///
/// The reward compares digits from the right: the share of places that agree, of the longer number's length. So `41`
/// for `42` has 1/2, and `042` has 2/3, as a number is written in one way only.
///
/// @param max        the largest operand, from 1 to 9999
/// @param difference whether there are differences too; they may be negative
@Kind("arithmetic")
public record Arithmetic(int max, boolean difference) implements GeneratedTask {
    private static final String DIGITS = "0123456789";

    public Arithmetic {
        if (max < 1 || max > 9999) {
            throw new IllegalArgumentException("max must be from 1 to 9999, was " + max);
        }
    }

    @Override
    public String alphabet() {
        return DIGITS + (difference ? "+-=" : "+=");
    }

    @Override
    public Problem sample(RandomGenerator random) {
        int a = random.nextInt(max + 1);
        int b = random.nextInt(max + 1);
        return problem(a, b, difference && random.nextBoolean());
    }

    /// All problems of a part, in the order of their operands.
    public List<Problem> problems(ProblemSplit part) {
        List<Problem> problems = new ArrayList<>();
        for (int sign = 0; sign < (difference ? 2 : 1); sign++) {
            for (int a = 0; a <= max; a++) {
                for (int b = 0; b <= max; b++) {
                    Problem problem = problem(a, b, sign == 1);
                    if (ProblemSplit.of(problem) == part) {
                        problems.add(problem);
                    }
                }
            }
        }
        return problems;
    }

    private static Problem problem(int a, int b, boolean minus) {
        return new Problem(a + (minus ? "-" : "+") + b + "=");
    }

    @Override
    public double reward(Problem problem, String completion) {
        String reversedSolution = new StringBuilder(solution(problem)).reverse().toString();
        return GeneratedTask.agreement(
                reversedSolution, new StringBuilder(completion).reverse().toString());
    }

    /// The digits of the larger operand and the carries, or borrows, between them: 3 for `17+25=`.
    @Override
    public int difficulty(Problem problem) {
        Operation operation = operation(problem);
        int larger = Math.max(operation.a, operation.b);
        int smaller = Math.min(operation.a, operation.b);
        // What is borrowed in a - b is carried in b + (a - b).
        int carries = operation.minus ? carries(smaller, larger - smaller) : carries(larger, smaller);
        return Integer.toString(larger).length() + carries;
    }

    /// Each carry turns ten of one place into one of the next: nine less in the sum of the digits.
    private static int carries(int a, int b) {
        return (digitSum(a) + digitSum(b) - digitSum(a + b)) / 9;
    }

    private static int digitSum(int number) {
        return Integer.toString(number).chars().map(c -> c - '0').sum();
    }

    @Override
    public String solution(Problem problem) {
        Operation operation = operation(problem);
        return Integer.toString(operation.minus ? operation.a - operation.b : operation.a + operation.b);
    }

    private record Operation(int a, int b, boolean minus) {}

    private static Operation operation(Problem problem) {
        String prompt = problem.prompt();
        int operator = Math.max(prompt.indexOf('+'), prompt.indexOf('-'));
        if (operator < 1 || !prompt.endsWith("=")) {
            throw new IllegalArgumentException("\"" + prompt + "\" is no problem of this task, as \"17+25=\" is");
        }
        int a = Integer.parseInt(prompt, 0, operator, 10);
        int b = Integer.parseInt(prompt, operator + 1, prompt.length() - 1, 10);
        return new Operation(a, b, prompt.charAt(operator) == '-');
    }

    /// One digit changed, so that the sign and the length are those of the solution; a number never begins with 0 by
    /// it.
    @Override
    public String corruption(Problem problem, RandomGenerator random) {
        String solution = solution(problem);
        int first = solution.startsWith("-") ? 1 : 0;
        String sign = solution.substring(0, first);
        String digits = solution.substring(first);
        while (true) {
            String wrong = GeneratedTask.withOneChanged(digits, DIGITS, random);
            if (!wrong.startsWith("0") || (digits.length() == 1 && first == 0)) {
                return sign + wrong;
            }
        }
    }

    @Override
    public String completionAlphabet() {
        return difference ? DIGITS + "-" : DIGITS;
    }

    @Override
    public int maxCompletionLength() {
        int sum = Integer.toString(2 * max).length();
        return difference ? Math.max(sum, 1 + Integer.toString(max).length()) : sum;
    }
}

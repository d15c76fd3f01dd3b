package dev.kedge.data.task;

import dev.kedge.config.Kind;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// Characters to be put in the order of the alphabet: `cab>` has the solution `abc`.
///
/// The reward is the share of places that agree with the solution, of the longer text's length.
///
/// @param symbols  the characters in their order
/// @param shortest characters of a problem, at least 2, so that there is something to sort
/// @param longest  at least `shortest`
@Kind("sorting")
public record Sorting(String symbols, int shortest, int longest) implements GeneratedTask {
    private static final String ASK = ">";

    public Sorting {
        GeneratedTask.requireAlphabet(symbols, ASK);
        GeneratedTask.requireLengths(shortest, longest);
        if (shortest < 2) {
            throw new IllegalArgumentException("shortest must be at least 2, was " + shortest);
        }
    }

    @Override
    public String alphabet() {
        return symbols + ASK;
    }

    @Override
    public Problem sample(RandomGenerator random) {
        return new Problem(GeneratedTask.word(random.nextInt(shortest, longest + 1), symbols, random) + ASK);
    }

    @Override
    public double reward(Problem problem, String completion) {
        return GeneratedTask.agreement(solution(problem), completion);
    }

    /// How many characters are to be sorted.
    @Override
    public int difficulty(Problem problem) {
        return problem.prompt().length() - ASK.length();
    }

    @Override
    public String solution(Problem problem) {
        String word = problem.prompt().substring(0, problem.prompt().length() - ASK.length());
        StringBuilder sorted = new StringBuilder(word.length());
        word.chars()
                .mapToObj(c -> (char) c)
                .sorted((a, b) -> Integer.compare(symbols.indexOf(a), symbols.indexOf(b)))
                .forEach(sorted::append);
        return sorted.toString();
    }

    /// Two different neighbours of the solution exchanged; where all characters are equal, one is replaced.
    @Override
    public String corruption(Problem problem, RandomGenerator random) {
        String solution = solution(problem);
        int[] steps = IntStream.range(1, solution.length())
                .filter(i -> solution.charAt(i) != solution.charAt(i - 1))
                .toArray();
        if (steps.length == 0) {
            return GeneratedTask.withOneChanged(solution, symbols, random);
        }
        int at = steps[random.nextInt(steps.length)];
        return solution.substring(0, at - 1)
                + solution.charAt(at)
                + solution.charAt(at - 1)
                + solution.substring(at + 1);
    }

    @Override
    public String completionAlphabet() {
        return symbols;
    }

    @Override
    public int maxCompletionLength() {
        return longest;
    }
}

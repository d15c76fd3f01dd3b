package dev.kedge.data.task;

import dev.kedge.config.Kind;
import java.util.random.RandomGenerator;

/// A word to be written again, or from its end to its beginning: `abc>` has the solution `abc`, reversed `cba`.
///
/// The reward is the share of places that agree with the solution, of the longer text's length.
///
/// @param symbols  the characters of words
/// @param shortest characters of a word, at least 1
/// @param longest  at least `shortest`
/// @param reversed whether the solution is the word reversed
@Kind("copying")
public record Copying(String symbols, int shortest, int longest, boolean reversed) implements GeneratedTask {
    private static final String ASK = ">";

    public Copying {
        GeneratedTask.requireAlphabet(symbols, ASK);
        GeneratedTask.requireLengths(shortest, longest);
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

    /// The length of the word.
    @Override
    public int difficulty(Problem problem) {
        return problem.prompt().length() - ASK.length();
    }

    @Override
    public String solution(Problem problem) {
        String word = problem.prompt().substring(0, problem.prompt().length() - ASK.length());
        return reversed ? new StringBuilder(word).reverse().toString() : word;
    }

    /// One character replaced by another.
    @Override
    public String corruption(Problem problem, RandomGenerator random) {
        return GeneratedTask.withOneChanged(solution(problem), symbols, random);
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

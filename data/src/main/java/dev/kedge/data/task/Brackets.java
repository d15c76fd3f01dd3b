package dev.kedge.data.task;

import dev.kedge.config.Kind;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.random.RandomGenerator;

/// Brackets of several kinds to be closed: `([()` has the solution `])`, and every completion that leaves all brackets
/// properly closed is right, such as `{}])`.
///
/// Prompts are beginnings of words of the Dyck language with at least one open bracket. The reward of a completion
/// that is not right is half the share of the prompt's open brackets that it closes before its first mistake: below
/// 1/2, or 1/2 where it closes all and then goes on wrongly.
///
/// @param kinds    1 to 4 of `()`, `[]`, `{}`, `<>`
/// @param maxDepth most open brackets of a prompt, at least 1
/// @param maxPairs most closed pairs in a prompt, at least 0
@Kind("brackets")
public record Brackets(int kinds, int maxDepth, int maxPairs) implements GeneratedTask {
    private static final String OPENING = "([{<";
    private static final String CLOSING = ")]}>";

    public Brackets {
        if (kinds < 1 || kinds > OPENING.length() || maxDepth < 1 || maxPairs < 0) {
            throw new IllegalArgumentException(
                    "expected 1 to 4 kinds, a depth of at least 1 and at least 0 pairs, were " + kinds + ", " + maxDepth
                            + " and " + maxPairs);
        }
    }

    @Override
    public String alphabet() {
        return OPENING.substring(0, kinds) + CLOSING.substring(0, kinds);
    }

    /// The depth and the number of pairs are each drawn evenly, then each pair's place among the open brackets.
    @Override
    public Problem sample(RandomGenerator random) {
        int depth = 1 + random.nextInt(maxDepth);
        int pairs = random.nextInt(maxPairs + 1);
        StringBuilder prompt = new StringBuilder();
        for (int i = 0; i < depth; i++) {
            prompt.append(OPENING.charAt(random.nextInt(kinds)));
        }
        for (int i = 0; i < pairs; i++) {
            int kind = random.nextInt(kinds);
            prompt.insert(random.nextInt(prompt.length() + 1), "" + OPENING.charAt(kind) + CLOSING.charAt(kind));
        }
        return new Problem(prompt.toString());
    }

    @Override
    public double reward(Problem problem, String completion) {
        Deque<Character> open = open(problem);
        int given = open.size();
        int fewest = given;
        for (int i = 0; i < completion.length(); i++) {
            if (!step(open, completion.charAt(i))) {
                return 0.5 * (given - fewest) / given;
            }
            fewest = Math.min(fewest, open.size());
        }
        return open.isEmpty() ? 1 : 0.5 * (given - fewest) / given;
    }

    /// How many brackets are open.
    @Override
    public int difficulty(Problem problem) {
        return open(problem).size();
    }

    @Override
    public String solution(Problem problem) {
        StringBuilder solution = new StringBuilder();
        open(problem).forEach(solution::append);
        return solution.toString();
    }

    /// The closings still expected after the prompt, the next first.
    private Deque<Character> open(Problem problem) {
        Deque<Character> open = new ArrayDeque<>();
        for (char c : problem.prompt().toCharArray()) {
            if (!step(open, c)) {
                throw new IllegalArgumentException("\"" + problem.prompt() + "\" is no problem of this task");
            }
        }
        if (open.isEmpty()) {
            throw new IllegalArgumentException("\"" + problem.prompt() + "\" leaves no bracket open");
        }
        return open;
    }

    /// Takes one character; false if it cannot stand here.
    private boolean step(Deque<Character> open, char c) {
        int kind = OPENING.indexOf(c);
        if (kind >= 0 && kind < kinds) {
            open.push(CLOSING.charAt(kind));
            return true;
        }
        return !open.isEmpty() && open.pop() == c;
    }

    /// One closing bracket left out or, where there are several kinds, of another kind.
    @Override
    public String corruption(Problem problem, RandomGenerator random) {
        String solution = solution(problem);
        if (kinds == 1 || (solution.length() > 1 && random.nextBoolean())) {
            int at = random.nextInt(solution.length());
            String shorter = solution.substring(0, at) + solution.substring(at + 1);
            return shorter.isEmpty() ? solution + CLOSING.charAt(0) : shorter;
        }
        return GeneratedTask.withOneChanged(solution, CLOSING.substring(0, kinds), random);
    }

    @Override
    public String completionAlphabet() {
        return alphabet();
    }

    @Override
    public int maxCompletionLength() {
        return maxDepth;
    }
}

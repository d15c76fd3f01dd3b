package dev.kedge.data.task;

import dev.kedge.data.Content;
import dev.kedge.data.Preference;
import dev.kedge.data.Prompt;
import dev.kedge.data.PromptCompletion;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/// A source of problems with an exact judge. Nothing here has state: the same random numbers give the same problems.
///
/// A completion is what the model writes before it ends the sequence.
public sealed interface GeneratedTask
        permits Arithmetic, Brackets, ChainOfThought, Copying, Countdown, Grading, ScratchSum, Sorting {
    /// Most completions that [#completions] lists.
    int MAX_COMPLETIONS = 1 << 20;

    /// Each character that prompts and solutions use, once: what a character tokenizer needs to know.
    String alphabet();

    /// A problem drawn from all.
    Problem sample(RandomGenerator random);

    /// How good a completion is: 1 if and only if it is right, 0 if nothing of it is.
    ///
    /// @param completion any text
    /// @return from 0 to 1
    double reward(Problem problem, String completion);

    /// How hard a problem is, for curricula and reports: a larger number is harder within one task, and says nothing
    /// about another task. Each task tells what it counts.
    ///
    /// @return at least 0
    int difficulty(Problem problem);

    /// A right completion; where several are right, the shortest, unless the task says which.
    String solution(Problem problem);

    /// A plausible wrong completion: its reward is below 1.
    String corruption(Problem problem, RandomGenerator random);

    /// What a teacher might write who is not always right: a solution or, where it is not known, a corruption.
    ///
    /// @param rightness how often it is known, in [0, 1]
    default String demonstration(Problem problem, double rightness, RandomGenerator random) {
        return random.nextDouble() < rightness ? solution(problem) : corruption(problem, random);
    }

    /// What a completion comes to, by which votes are counted; empty where it comes to nothing. The whole completion,
    /// unless the task knows better.
    default Optional<String> finalAnswer(String completion) {
        return completion.isEmpty() ? Optional.empty() : Optional.of(completion);
    }

    /// The characters of which completions are made.
    String completionAlphabet();

    /// The longest completion that needs to be looked at, characters; every solution fits.
    int maxCompletionLength();

    /// A problem drawn from one part.
    default Problem sample(RandomGenerator random, ProblemSplit part) {
        for (int i = 0; i < 100_000; i++) {
            Problem problem = sample(random);
            if (ProblemSplit.of(problem) == part) {
                return problem;
            }
        }
        throw new IllegalStateException("this task has no problem in part " + part);
    }

    /// All completions of up to `maxLength` characters, the shorter first, then in the alphabet's order.
    ///
    /// @throws IllegalArgumentException if they are more than [#MAX_COMPLETIONS]
    default List<String> completions(int maxLength) {
        String alphabet = completionAlphabet();
        long count = 1;
        long layer = 1;
        for (int i = 0; i < maxLength && count <= MAX_COMPLETIONS; i++) {
            layer *= alphabet.length();
            count += layer;
        }
        if (count > MAX_COMPLETIONS) {
            throw new IllegalArgumentException("more than " + MAX_COMPLETIONS + " completions of up to " + maxLength
                    + " characters out of " + alphabet.length());
        }
        List<String> all = new ArrayList<>((int) count);
        all.add("");
        for (int from = 0, length = 0; length < maxLength; length++) {
            int to = all.size();
            for (; from < to; from++) {
                for (int c = 0; c < alphabet.length(); c++) {
                    all.add(all.get(from) + alphabet.charAt(c));
                }
            }
        }
        return all;
    }

    /// Prompts to sample replies for.
    default List<Prompt> prompts(int count, RandomGenerator random, ProblemSplit part) {
        return drawn(count, random, part).stream()
                .map(p -> Prompt.of(p.prompt()))
                .toList();
    }

    /// Prompts with their solutions.
    default List<PromptCompletion> solved(int count, RandomGenerator random, ProblemSplit part) {
        return drawn(count, random, part).stream()
                .map(p -> PromptCompletion.of(p.prompt(), solution(p)))
                .toList();
    }

    /// Preferences for the solution over a corruption.
    default List<Preference> preferences(int count, RandomGenerator random, ProblemSplit part) {
        return drawn(count, random, part).stream()
                .map(p -> new Preference(
                        Content.text(p.prompt()), Content.text(solution(p)), Content.text(corruption(p, random))))
                .toList();
    }

    private List<Problem> drawn(int count, RandomGenerator random, ProblemSplit part) {
        List<Problem> problems = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            problems.add(sample(random, part));
        }
        return problems;
    }

    /// The share of characters that agree, place by place, of the longer text's length; 1 if and only if both are
    /// equal.
    static double agreement(String solution, String completion) {
        int longer = Math.max(solution.length(), completion.length());
        int same = 0;
        for (int i = 0; i < Math.min(solution.length(), completion.length()); i++) {
            same += solution.charAt(i) == completion.charAt(i) ? 1 : 0;
        }
        return longer == 0 ? 1 : (double) same / longer;
    }

    /// Text with one character replaced by another of the alphabet.
    static String withOneChanged(String text, String alphabet, RandomGenerator random) {
        int at = random.nextInt(text.length());
        int shift = 1 + random.nextInt(alphabet.length() - 1);
        char other = alphabet.charAt((alphabet.indexOf(text.charAt(at)) + shift) % alphabet.length());
        return text.substring(0, at) + other + text.substring(at + 1);
    }

    /// As many characters of the alphabet as asked for.
    static String word(int length, String alphabet, RandomGenerator random) {
        StringBuilder word = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            word.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return word.toString();
    }

    /// An alphabet has at least two characters, none twice, each one UTF-16 unit.
    static void requireAlphabet(String alphabet, String reserved) {
        if (alphabet.length() < 2
                || alphabet.chars().distinct().count() != alphabet.length()
                || alphabet.chars().anyMatch(c -> Character.isSurrogate((char) c) || reserved.indexOf(c) >= 0)) {
            throw new IllegalArgumentException("an alphabet needs at least two different characters, none of \""
                    + reserved + "\" or beyond the basic plane; was \"" + alphabet + "\"");
        }
    }

    /// Lengths from `shortest` to `longest`.
    static void requireLengths(int shortest, int longest) {
        if (shortest < 1 || longest < shortest) {
            throw new IllegalArgumentException(
                    "lengths must be at least 1 and not fall, were " + shortest + " and " + longest);
        }
    }
}

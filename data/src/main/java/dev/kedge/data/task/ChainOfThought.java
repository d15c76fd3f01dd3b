package dev.kedge.data.task;

import dev.kedge.config.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntBinaryOperator;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Sums of several terms, worked from left to right: `3+8+4=` has the solution `3+8=11;11+4=15;#15`.
///
/// The reward looks at the outcome alone: 1 where the completion has one `#` and ends with it and the sum, else 0. So
/// `#15` is right too, and so is the sum after wrong steps. What the steps are worth is told by [#steps].
///
/// @param terms the most terms of a sum, from 2 to 9; how many there are is drawn evenly from 2 on
/// @param max   the largest term, from 1 to 9999; terms are drawn evenly from 0 on
@Kind("chain_of_thought")
public record ChainOfThought(int terms, int max) implements GeneratedTask {
    private static final String DIGITS = "0123456789";
    private static final Pattern PROMPT = Pattern.compile("[0-9]{1,4}(\\+[0-9]{1,4})+=");
    private static final Pattern NUMBER = Pattern.compile("0|[1-9][0-9]{0,8}");
    private static final Pattern STEP = Pattern.compile("[0-9]{1,9}\\+[0-9]{1,9}=([0-9]{1,9});");

    public ChainOfThought {
        if (terms < 2 || terms > 9) {
            throw new IllegalArgumentException("terms must be from 2 to 9, was " + terms);
        }
        if (max < 1 || max > 9999) {
            throw new IllegalArgumentException("max must be from 1 to 9999, was " + max);
        }
    }

    /// One step of a completion. Each is judged by itself: a mistake is counted where it is made, not where it is
    /// carried on.
    ///
    /// @param from  its first character
    /// @param to    the character after it; its `;` belongs to it
    /// @param right whether it adds the next term to the result that the step before states, and rightly; of the
    ///              answer, whether no term is left and it repeats the last result. What follows an answer, or a
    ///              step that cannot be read, is wrong.
    public record Step(int from, int to, boolean right) {}

    @Override
    public String alphabet() {
        return DIGITS + "+=;#";
    }

    @Override
    public Problem sample(RandomGenerator random) {
        int count = random.nextInt(2, terms + 1);
        return new Problem(IntStream.range(0, count)
                .mapToObj(_ -> Integer.toString(random.nextInt(max + 1)))
                .collect(Collectors.joining("+", "", "=")));
    }

    /// The number of terms in tens, the digits of the largest term in ones: 31 for `3+8+4=`, 22 for `12+7=`.
    @Override
    public int difficulty(Problem problem) {
        int[] terms = terms(problem);
        return 10 * terms.length
                + Integer.toString(Arrays.stream(terms).max().orElseThrow()).length();
    }

    /// The number that a completion gives as its answer, whether right or not; empty where it has not exactly one `#`,
    /// or does not end with it and a number.
    public OptionalInt answer(String completion) {
        int mark = completion.indexOf('#');
        String stated = completion.substring(mark + 1);
        return mark >= 0 && NUMBER.matcher(stated).matches()
                ? OptionalInt.of(Integer.parseInt(stated))
                : OptionalInt.empty();
    }

    @Override
    public double reward(Problem problem, String completion) {
        int sum = Arrays.stream(terms(problem)).sum();
        return answer(completion).equals(OptionalInt.of(sum)) ? 1 : 0;
    }

    /// What stands behind the only `#`.
    @Override
    public Optional<String> finalAnswer(String completion) {
        int answer = completion.indexOf('#');
        return answer >= 0 && completion.indexOf('#', answer + 1) < 0 && answer + 1 < completion.length()
                ? Optional.of(completion.substring(answer + 1))
                : Optional.empty();
    }

    /// What a completion is made of: pieces that end with `;`, and what is left.
    public List<Step> steps(Problem problem, String completion) {
        int[] terms = terms(problem);
        List<Step> steps = new ArrayList<>();
        long total = terms[0];
        int used = 1;
        boolean readable = true;
        for (int from = 0, to; from < completion.length(); from = to) {
            int end = completion.indexOf(';', from);
            to = end < 0 ? completion.length() : end + 1;
            String piece = completion.substring(from, to);
            String right =
                    used < terms.length ? total + "+" + terms[used] + "=" + (total + terms[used]) + ";" : "#" + total;
            steps.add(new Step(from, to, readable && piece.equals(right)));
            Matcher step = STEP.matcher(piece);
            readable &= used < terms.length && step.matches();
            if (readable) {
                total = Long.parseLong(step.group(1));
                used++;
            }
        }
        return steps;
    }

    /// The first step that is wrong, from 0; where all are right but the answer is missing, the one that should
    /// follow. Empty where the whole chain is right.
    public OptionalInt firstWrong(Problem problem, String completion) {
        List<Step> steps = steps(problem, completion);
        int right = 0;
        while (right < steps.size() && steps.get(right).right()) {
            right++;
        }
        return right == terms(problem).length ? OptionalInt.empty() : OptionalInt.of(right);
    }

    /// All steps, and the answer.
    @Override
    public String solution(Problem problem) {
        return chain(terms(problem), (_, result) -> result);
    }

    /// One digit of one result, or of the answer, changed. The mistake is carried on, so that all other steps are
    /// right.
    @Override
    public String corruption(Problem problem, RandomGenerator random) {
        int[] terms = terms(problem);
        int slip = random.nextInt(terms.length);
        return chain(
                terms,
                (step, result) -> step == slip
                        ? Integer.parseInt(GeneratedTask.withOneChanged(Integer.toString(result), DIGITS, random))
                        : result);
    }

    /// @param stated what is written for the result of a step; the answer is the last step
    private static String chain(int[] terms, IntBinaryOperator stated) {
        StringBuilder chain = new StringBuilder();
        int total = terms[0];
        for (int i = 1; i < terms.length; i++) {
            chain.append(total).append('+').append(terms[i]);
            total = stated.applyAsInt(i - 1, total + terms[i]);
            chain.append('=').append(total).append(';');
        }
        return chain.append('#')
                .append(stated.applyAsInt(terms.length - 1, total))
                .toString();
    }

    private static int[] terms(Problem problem) {
        String prompt = problem.prompt();
        if (!PROMPT.matcher(prompt).matches()) {
            throw new IllegalArgumentException("\"" + prompt + "\" is no problem of this task, as \"3+8+4=\" is");
        }
        return Arrays.stream(prompt.substring(0, prompt.length() - 1).split("\\+"))
                .mapToInt(Integer::parseInt)
                .toArray();
    }

    @Override
    public String completionAlphabet() {
        return alphabet();
    }

    /// That of the solution where all terms are the largest.
    @Override
    public int maxCompletionLength() {
        int[] largest = new int[terms];
        Arrays.fill(largest, max);
        return chain(largest, (_, result) -> result).length();
    }
}

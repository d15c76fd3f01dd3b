package dev.kedge.data.task;

import dev.kedge.config.Kind;
import java.util.Optional;
import java.util.random.RandomGenerator;

/// Is the proposed answer right? To `17+25=|42?` the solution is `42Y`, to `17+25=|43?` it is `42N`: scratch work,
/// which is the task's own solution, and a verdict.
///
/// The reward looks at the verdict alone: 1 where the completion has one `Y` or `N`, ends with it, and says the truth;
/// else 0. So `Y` without any work is right too. Proposals are right and wrong in equal number.
///
/// @param task whose answers are judged; its alphabet has none of `|`, `?`, `Y` and `N`
@Kind("grading")
public record Grading(GeneratedTask task) implements GeneratedTask {
    private static final String YES = "Y";
    private static final String NO = "N";
    private static final String BEFORE = "|";
    private static final String AFTER = "?";

    public Grading {
        for (String reserved : new String[] {BEFORE, AFTER, YES, NO}) {
            if (task.alphabet().contains(reserved)) {
                throw new IllegalArgumentException(
                        "a task whose answers are judged must not use \"" + reserved + "\", was " + task);
            }
        }
    }

    @Override
    public String alphabet() {
        return task.alphabet() + BEFORE + AFTER + YES + NO;
    }

    @Override
    public Problem sample(RandomGenerator random) {
        Problem asked = task.sample(random);
        return problem(asked, random.nextBoolean() ? task.solution(asked) : task.corruption(asked, random));
    }

    private static Problem problem(Problem asked, String proposal) {
        return new Problem(asked.prompt() + BEFORE + proposal + AFTER);
    }

    /// What was asked.
    private static Problem asked(Problem problem) {
        return new Problem(problem.prompt().substring(0, bar(problem)));
    }

    /// `Y` where the proposal has the task's whole reward, else `N`.
    public String truth(Problem problem) {
        String prompt = problem.prompt();
        String proposal = prompt.substring(bar(problem) + 1, prompt.length() - 1);
        return task.reward(asked(problem), proposal) == 1 ? YES : NO;
    }

    private static int bar(Problem problem) {
        int bar = problem.prompt().indexOf(BEFORE);
        if (bar < 0 || !problem.prompt().endsWith(AFTER)) {
            throw new IllegalArgumentException(
                    "\"" + problem.prompt() + "\" is no problem of this task, as \"17+25=|42?\" is");
        }
        return bar;
    }

    /// The verdict of a completion, whether true or not; empty where it does not end with the only one.
    @Override
    public Optional<String> finalAnswer(String completion) {
        int last = completion.length() - 1;
        boolean isVerdict = last >= 0 && isVerdict(completion.charAt(last));
        return isVerdict && completion.chars().limit(last).noneMatch(Grading::isVerdict)
                ? Optional.of(completion.substring(last))
                : Optional.empty();
    }

    private static boolean isVerdict(int c) {
        return c == YES.charAt(0) || c == NO.charAt(0);
    }

    @Override
    public double reward(Problem problem, String completion) {
        return finalAnswer(completion).equals(Optional.of(truth(problem))) ? 1 : 0;
    }

    /// That of what was asked.
    @Override
    public int difficulty(Problem problem) {
        return task.difficulty(asked(problem));
    }

    /// With the scratch work, though a verdict alone is right too.
    @Override
    public String solution(Problem problem) {
        return task.solution(asked(problem)) + truth(problem);
    }

    /// The other verdict.
    @Override
    public String corruption(Problem problem, RandomGenerator random) {
        return task.solution(asked(problem)) + (truth(problem).equals(YES) ? NO : YES);
    }

    /// Where the truth is not known, work that is wrong and then, a third each, `Y`, `N` or no verdict at all.
    @Override
    public String demonstration(Problem problem, double rightness, RandomGenerator random) {
        if (random.nextDouble() < rightness) {
            return solution(problem);
        }
        String[] verdicts = {YES, NO, ""};
        return task.corruption(asked(problem), random) + verdicts[random.nextInt(verdicts.length)];
    }

    @Override
    public String completionAlphabet() {
        return task.completionAlphabet() + YES + NO;
    }

    @Override
    public int maxCompletionLength() {
        return task.maxCompletionLength() + 1;
    }
}

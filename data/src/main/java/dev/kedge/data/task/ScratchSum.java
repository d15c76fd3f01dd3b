package dev.kedge.data.task;

import dev.kedge.config.Kind;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// The last digit of a sum of two digits, written only after enough scratch work: `58` has the solution `wwww=3`.
///
/// A completion is 0 to 6 times `w`, then `=` and one digit: 9 tokens at most with the end of the sequence. It is right
/// if the digit is `(a + b) mod 10` and there are at least [#need] `w`s; its reward is then 1. Nothing else of
/// a `w` matters, so that whether thinking pays can be told apart from what is thought.
///
/// @param formatReward reward of a wrong answer in the exact format, in \[0, 1); 0 where absent
@Kind("scratch_sum")
public record ScratchSum(Optional<Double> formatReward) implements GeneratedTask {
    private static final int MOST_SCRATCH = 6;
    private static final int MOST_DEMONSTRATED = 5;
    private static final Pattern FORMAT = Pattern.compile("(w{0," + MOST_SCRATCH + "})=([0-9])");

    public ScratchSum {
        double reward = formatReward.orElse(0.0);
        if (!(reward >= 0 && reward < 1)) {
            throw new IllegalArgumentException("format_reward must be in [0, 1), was " + reward);
        }
    }

    /// The format alone earns nothing.
    public ScratchSum() {
        this(Optional.empty());
    }

    @Override
    public String alphabet() {
        return "0123456789=w";
    }

    @Override
    public Problem sample(RandomGenerator random) {
        return problem(random.nextInt(100));
    }

    /// All 100 problems, in the order of their digits.
    public List<Problem> problems() {
        return IntStream.range(0, 100).mapToObj(ScratchSum::problem).toList();
    }

    /// Those of one part, in the same order.
    public List<Problem> problems(ProblemSplit part) {
        return problems().stream().filter(p -> ProblemSplit.of(p) == part).toList();
    }

    private static Problem problem(int digits) {
        return new Problem("" + digits / 10 + digits % 10);
    }

    /// How many `w`s a right completion needs at least: 0 for sums below 7, 2 below 12, else 4.
    public int need(Problem problem) {
        int sum = sum(problem);
        return sum < 7 ? 0 : sum < 12 ? 2 : 4;
    }

    /// How much scratch work is needed: 0, 2 or 4.
    @Override
    public int difficulty(Problem problem) {
        return need(problem);
    }

    /// The digit that a completion gives as its answer, whether right or not; empty where the format is not exact.
    public OptionalInt answer(String completion) {
        Matcher format = FORMAT.matcher(completion);
        return format.matches() ? OptionalInt.of(format.group(2).charAt(0) - '0') : OptionalInt.empty();
    }

    /// [#answer], as text.
    @Override
    public Optional<String> finalAnswer(String completion) {
        OptionalInt answer = answer(completion);
        return answer.isPresent() ? Optional.of(Integer.toString(answer.getAsInt())) : Optional.empty();
    }

    @Override
    public double reward(Problem problem, String completion) {
        OptionalInt answer = answer(completion);
        boolean right = answer.isPresent()
                && answer.getAsInt() == sum(problem) % 10
                && completion.indexOf('=') >= need(problem);
        return right ? 1 : answer.isPresent() ? formatReward.orElse(0.0) : 0;
    }

    @Override
    public String solution(Problem problem) {
        return completion(need(problem), sum(problem) % 10);
    }

    /// What a teacher who does not know how much scratch work is needed might write: 0 to 5 `w`s, drawn evenly.
    ///
    /// @param rightness how often the digit is known, in \[0, 1\]; else it is drawn evenly from all ten, and
    ///                  may so be right after all
    @Override
    public String demonstration(Problem problem, double rightness, RandomGenerator random) {
        if (!(rightness >= 0 && rightness <= 1)) {
            throw new IllegalArgumentException("rightness must be in [0, 1], was " + rightness);
        }
        int scratch = random.nextInt(MOST_DEMONSTRATED + 1);
        boolean known = random.nextDouble() < rightness;
        return completion(scratch, known ? sum(problem) % 10 : random.nextInt(10));
    }

    /// Another digit, or too little scratch work where some is needed.
    @Override
    public String corruption(Problem problem, RandomGenerator random) {
        int need = need(problem);
        int digit = sum(problem) % 10;
        return need > 0 && random.nextBoolean()
                ? completion(random.nextInt(need), digit)
                : completion(need, (digit + random.nextInt(1, 10)) % 10);
    }

    private static String completion(int scratch, int digit) {
        return "w".repeat(scratch) + "=" + digit;
    }

    private static int sum(Problem problem) {
        String prompt = problem.prompt();
        if (!prompt.matches("[0-9]{2}")) {
            throw new IllegalArgumentException("\"" + prompt + "\" is no problem of this task, as \"58\" is");
        }
        return prompt.charAt(0) - '0' + prompt.charAt(1) - '0';
    }

    @Override
    public String completionAlphabet() {
        return alphabet();
    }

    @Override
    public int maxCompletionLength() {
        return MOST_SCRATCH + 2;
    }
}

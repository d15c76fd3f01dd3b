package dev.kedge.data.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.data.ReadOptions.Wrong;
import dev.kedge.data.RealData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The authors' own solutions are right, and other questions' solutions are wrong.
class RealQuestionsTest {
    private static List<String> wrong(
            Verifier verifier, List<VerifierQuestion> questions, List<VerifierQuestion> solutions) {
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < questions.size(); i++) {
            VerifierResult result = VerifierBatch.verify(
                            verifier,
                            List.of(questions.get(i)),
                            List.of(solutions.get(i).answer()),
                            Limits.usual())
                    .each()
                    .getFirst();
            if (result.reward().orElse(0) != 1) {
                wrong.add(questions.get(i).answer() + " " + result.reason());
            }
        }
        return wrong;
    }

    @ParameterizedTest
    @CsvSource({"ten, 10", "train, 7473", "test, 1319"})
    void everyGsm8kSolutionIsRight(String part, int count) {
        List<VerifierQuestion> questions = Questions.gsm8k(RealData.file("gsm8k/" + part + ".jsonl"), Wrong.FAIL)
                .questions();
        assertEquals(count, questions.size());
        List<VerifierQuestion> numbers = questions.stream()
                .map(q -> new VerifierQuestion(
                        q.prompt(), q.answer().substring(q.answer().lastIndexOf("####") + 4)))
                .toList();
        assertEquals(List.of(), wrong(new Gsm8k(), numbers, questions));
        // Without the mark, the last number of the worked solution's text counts.
        List<VerifierQuestion> said = numbers.stream()
                .map(q -> new VerifierQuestion(
                        q.prompt(), "So it is " + q.answer().strip() + "."))
                .toList();
        assertEquals(List.of(), wrong(new Gsm8k(), questions, said));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ten", "test"})
    void otherGsm8kSolutionsAreRightOnlyWhereTheirNumberIsTheSame(String part) {
        List<VerifierQuestion> questions = Questions.gsm8k(RealData.file("gsm8k/" + part + ".jsonl"), Wrong.FAIL)
                .questions();
        for (int i = 1; i < questions.size(); i++) {
            String other = questions.get(i - 1).answer();
            boolean same = number(other).equals(number(questions.get(i).answer()));
            assertEquals(same ? 1 : 0, new Gsm8k().reward(questions.get(i), other), other);
        }
    }

    private static String number(String answer) {
        return answer.substring(answer.lastIndexOf("#### ") + 5).strip().replace(",", "");
    }

    @ParameterizedTest
    @CsvSource({"ten, 10", "math500_test, 500"})
    void everyMath500SolutionIsRight(String part, int count) {
        Path path = RealData.file("math/" + part + ".jsonl");
        List<VerifierQuestion> questions = Questions.math(path, Wrong.FAIL).questions();
        assertEquals(count, questions.size());
        assertEquals(
                List.of(),
                wrong(
                        new Boxed(),
                        questions,
                        Questions.read(path, "problem", "solution", Wrong.FAIL).questions()));
    }

    /// Two records of the file have no answer. Of the others each is right for itself, only times of day, ratios and a
    /// date are read as text, and numbers that are equal here are equal by another rule.
    @Test
    void mathAnswersAreRightForThemselvesOnly() {
        Questions train = Questions.math(RealData.file("math/math_train_7500.jsonl"), Wrong.SKIP);
        assertEquals(2, train.skipped().count());
        assertEquals(7498, train.questions().size());
        Map<String, Double> values = new HashMap<>();
        Set<String> asText = new HashSet<>();
        for (VerifierQuestion question : train.questions()) {
            String answer = question.answer();
            assertEquals(1, new Boxed().reward(question, "So it is \\boxed{" + answer + "}."), answer);
            String canonical = MathAnswer.read(answer).orElseThrow().canonical();
            if (canonical.startsWith("text ")) {
                asText.add(answer);
            }
            simpleNumber(answer).ifPresent(value -> {
                double first = values.computeIfAbsent(canonical, _ -> value);
                assertEquals(first, value, 1e-12 * Math.abs(first), answer);
            });
        }
        assertEquals(new HashSet<>(values.values()).size(), values.size());
        assertEquals(
                Set.of(
                        "9:24",
                        "1 : 2",
                        "05\\!:\\!00",
                        "19:60",
                        "1:4",
                        "3:5",
                        "5:6",
                        "3:1",
                        "\\text{October 30}",
                        "4\\!:\\!51\\!:\\!06 \\text{ p.m.}",
                        "8\\!:\\!34 \\text{ p.m.}"),
                asText);
    }

    /// The value of an integer, a decimal or a fraction of two integers in braces.
    private static Optional<Double> simpleNumber(String answer) {
        if (answer.matches("-?[0-9]*\\.?[0-9]+")) {
            return Optional.of(Double.valueOf(answer));
        }
        Matcher fraction =
                Pattern.compile("(-?)\\\\[dt]?frac\\{([0-9]+)}\\{([0-9]+)}").matcher(answer);
        return fraction.matches()
                ? Optional.of(Double.parseDouble(fraction.group(1) + fraction.group(2))
                        / Double.parseDouble(fraction.group(3)))
                : Optional.empty();
    }
}

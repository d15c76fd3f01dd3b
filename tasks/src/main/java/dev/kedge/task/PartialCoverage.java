package dev.kedge.task;

import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.task.Problem;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Bootstrap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// Preferences on [ArithmeticTask] that cover a part of the answers only: right answers over near misses, which agree
/// with them in all digits but the last. How likely the other answers are, the pairs leave open.
///
/// @param task whose reference gives the answers
public record PartialCoverage(ArithmeticTask task) {
    /// A policy on the held-out sums, by enumeration.
    ///
    /// @param exact     reward and divergence
    /// @param uncovered probability of the answers that no pair could hold, for each sum
    public record Evaluation(ArithmeticTask.Evaluation exact, double[] uncovered) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%.1f %% right, %.1f %% of kinds that no pair holds, %.2f nats away",
                    100 * exact.reward(),
                    100 * Bootstrap.mean(uncovered),
                    exact.kl());
        }
    }

    /// Pairs of the reference's own answers to training problems.
    ///
    /// @param answers to each problem
    /// @throws RunFailedException if there is none
    public List<TokenizedPair> pairs(int problems, int answers, long seed, Run run) {
        List<TokenizedPair> pairs = LabelledAnswers.rightOverWrong(
                task, problems, answers, seed, (problem, answer) -> covered(problem).stream()
                        .anyMatch(a -> Arrays.equals(a, answer.tokens())));
        run.note(pairs.size() + " preferences from " + problems * answers
                + " answers of the reference: right ones over near misses");
        if (pairs.isEmpty()) {
            throw new RunFailedException("the reference never gives both the right answer and a near miss to a problem:"
                    + " no preference to learn from; pre-train it longer, or with other mistakes");
        }
        return pairs;
    }

    /// The answers that pairs are made of: the right one, and the others that differ in the last digit alone.
    public List<int[]> covered(Problem problem) {
        String solution = task.solution(problem);
        String first = solution.substring(0, solution.length() - 1);
        return IntStream.range(0, 10).mapToObj(d -> task.answer(first + d)).toList();
    }

    public Evaluation evaluate(Decoder policy) {
        List<Tokenized> answers = new ArrayList<>();
        for (Problem problem : task.heldOut()) {
            covered(problem).forEach(a -> answers.add(Tokenized.ofReply(task.prompt(problem), a)));
        }
        double[] logProbs = SequenceScores.of(policy, answers, task.padId(), 1.0);
        double[] uncovered = new double[task.heldOut().size()];
        Arrays.fill(uncovered, 1);
        for (int a = 0; a < logProbs.length; a++) {
            uncovered[a / 10] -= Math.exp(logProbs[a]);
        }
        return new Evaluation(task.evaluate(policy), uncovered);
    }
}

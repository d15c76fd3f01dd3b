package dev.kedge.task;

import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.task.Problem;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Bootstrap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// Preferences on [ArithmeticTask] that cover a part of the answers only: right answers over near misses, which agree
// with them
/// in all digits but the last. How likely the other answers are, the pairs leave open.
///
/// @param sums the world, whose reference gives the answers
public record PartialCoverage(ArithmeticTask sums) {
    /// A policy on the held-out sums, by enumeration.
    ///
    /// @param exact     reward and divergence for each sum
    /// @param uncovered probability of the answers that no pair could hold, for each sum
    public record Standing(List<AnswerTree.Exact> exact, double[] uncovered) {
        public double[] kl() {
            return exact.stream().mapToDouble(AnswerTree.Exact::kl).toArray();
        }

        public double[] reward() {
            return exact.stream().mapToDouble(AnswerTree.Exact::reward).toArray();
        }

        public String words() {
            return String.format(
                    "%.1f %% right, %.1f %% of kinds that no pair holds, %.2f nats away",
                    100 * Bootstrap.mean(reward()), 100 * Bootstrap.mean(uncovered), Bootstrap.mean(kl()));
        }
    }

    /// Pairs of the reference's own answers to training problems.
    ///
    /// @throws RunFailedException if there is none
    public List<TokenizedPair> pairs(int problems, int answersToEach, long seed, Run run) {
        List<Problem> asked = sums.training(problems, new SplittableRandom(seed + 1));
        List<int[]> prompts = asked.stream().map(sums::prompt).toList();
        List<Completion> answers =
                Generator.generate(sums.reference(), prompts, sums.sampling(answersToEach, seed, false), null);
        List<TokenizedPair> pairs = new ArrayList<>();
        for (int p = 0; p < problems; p++) {
            List<int[]> right = new ArrayList<>();
            List<int[]> wrong = new ArrayList<>();
            List<int[]> covered = covered(asked.get(p));
            for (Completion c : answers.subList(p * answersToEach, (p + 1) * answersToEach)) {
                if (covered.stream().anyMatch(a -> Arrays.equals(a, c.tokens()))) {
                    (sums.isRight(asked.get(p), c) ? right : wrong).add(c.tokens());
                }
            }
            int[] prompt = prompts.get(p);
            for (int i = 0; i < Math.min(right.size(), wrong.size()); i++) {
                pairs.add(new TokenizedPair(
                        Tokenized.ofReply(prompt, right.get(i)),
                        Tokenized.ofReply(prompt, wrong.get(i)),
                        prompt.length));
            }
        }
        run.note(pairs.size() + " preferences from " + answers.size()
                + " answers of the reference: right ones over near misses");
        if (pairs.isEmpty()) {
            throw new RunFailedException("the reference never gives both the right answer and a near miss to a problem:"
                    + " no preference to learn from; pre-train it longer, or with other mistakes");
        }
        return pairs;
    }

    /// The answers that pairs are made of: the right one, and the others that differ in the last digit alone.
    public List<int[]> covered(Problem problem) {
        String solution = sums.task().solution(problem);
        String first = solution.substring(0, solution.length() - 1);
        return IntStream.range(0, 10).mapToObj(d -> sums.answer(first + d)).toList();
    }

    public Standing standing(Decoder policy) {
        List<Tokenized> answers = new ArrayList<>();
        for (Problem problem : sums.heldOut()) {
            covered(problem).forEach(a -> answers.add(Tokenized.ofReply(sums.prompt(problem), a)));
        }
        double[] logProbs = SequenceScores.of(policy, answers, Models.padId(sums.tokenizer()), 1.0);
        double[] uncovered = new double[sums.heldOut().size()];
        Arrays.fill(uncovered, 1);
        for (int a = 0; a < logProbs.length; a++) {
            uncovered[a / 10] -= Math.exp(logProbs[a]);
        }
        return new Standing(sums.exact(policy), uncovered);
    }
}

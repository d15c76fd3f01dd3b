package dev.kedge.task;

import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.task.Problem;
import dev.kedge.env.PreferenceOracle;
import dev.kedge.env.PreferenceOracle.AnswerPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiPredicate;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// How preferences come about: a model answers a prompt several times, and answers are preferred to others by a judge's
/// drawn label or by the solution.
public final class LabelledAnswers {
    private LabelledAnswers() {}

    /// Two independent answers of a model to each prompt.
    public static List<AnswerPair> of(Decoder model, List<int[]> prompts, ArithmeticTask task, long seed) {
        List<List<Completion>> answers = task.completions(model, prompts, 2, seed);
        return IntStream.range(0, prompts.size())
                .mapToObj(i -> new AnswerPair(
                        prompts.get(i),
                        answers.get(i).getFirst().tokens(),
                        answers.get(i).getLast().tokens()))
                .toList();
    }

    /// The pairs with one label each: the chosen answer is drawn by the judge's preference.
    public static List<TokenizedPair> labelled(List<AnswerPair> pairs, PreferenceOracle judge, RandomGenerator random) {
        double[] wins = judge.firstWins(pairs);
        List<TokenizedPair> labelled = new ArrayList<>();
        for (int i = 0; i < wins.length; i++) {
            AnswerPair pair =
                    random.nextDouble() < wins[i] ? pairs.get(i) : pairs.get(i).swapped();
            labelled.add(preferred(pair.prompt(), pair.first(), pair.second()));
        }
        return labelled;
    }

    /// The reference's answers to training problems: each right one is preferred to a wrong one to the same problem, as
    /// many as there are of both.
    ///
    /// @param answers to each problem
    /// @param counts  whether an answer to a problem may be in a pair
    public static List<TokenizedPair> rightOverWrong(
            ArithmeticTask task, int problems, int answers, long seed, BiPredicate<Problem, Completion> counts) {
        List<Problem> asked = task.training(problems, new SplittableRandom(Streams.of(seed, "problems")));
        List<int[]> prompts = asked.stream().map(task::prompt).toList();
        List<List<Completion>> drawn =
                task.completions(task.reference(), prompts, answers, Streams.of(seed, "answers"));
        List<TokenizedPair> pairs = new ArrayList<>();
        for (int p = 0; p < problems; p++) {
            List<int[]> right = new ArrayList<>();
            List<int[]> wrong = new ArrayList<>();
            for (Completion c : drawn.get(p)) {
                if (counts.test(asked.get(p), c)) {
                    (task.isRight(asked.get(p), c) ? right : wrong).add(c.tokens());
                }
            }
            for (int i = 0; i < Math.min(right.size(), wrong.size()); i++) {
                pairs.add(preferred(prompts.get(p), right.get(i), wrong.get(i)));
            }
        }
        return pairs;
    }

    private static TokenizedPair preferred(int[] prompt, int[] chosen, int[] rejected) {
        return new TokenizedPair(Tokenized.ofReply(prompt, chosen), Tokenized.ofReply(prompt, rejected), prompt.length);
    }
}

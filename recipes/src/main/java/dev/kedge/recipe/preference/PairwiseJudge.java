package dev.kedge.recipe.preference;

import dev.kedge.config.Kind;
import dev.kedge.data.TokenizedPair;
import dev.kedge.env.ClassGameOracle;
import dev.kedge.env.PreferenceGame;
import dev.kedge.env.PreferenceOracle;
import dev.kedge.env.PreferenceOracle.AnswerPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.task.LabelledAnswers;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Streams;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// Who compares two answers to a sum, as a recipe names it. The truth behind each makes classes of answers, so that
/// what a policy is worth is exact ([AnswerGame][dev.kedge.task.AnswerGame]).
public sealed interface PairwiseJudge {
    /// A judge who knows the sums: the right answer beats any other with probability `σ(scale)`, and wrong ones tie.
    ///
    /// @param scale reward of the right answer over a wrong one, finite and > 0
    @Kind("exact")
    record Exact(double scale) implements PairwiseJudge {
        public Exact {
            Require.positive("scale", scale);
        }
    }

    /// A judge without a reward to go by: numbers fall into three classes by their first digit (0, 3, 6, 9; 1, 4, 7;
    /// 2, 5, 8), and each class beats the next with probability `win`, the last one the first. What is no number
    /// loses to all numbers.
    ///
    /// @param win in (1/2, 1]
    @Kind("game")
    record Game(double win) implements PairwiseJudge {
        public Game {
            if (!(win > 0.5 && win <= 1)) {
                throw new IllegalArgumentException("win must be in (0.5, 1], was " + win);
            }
        }
    }

    /// A judge who learnt from labels that [Exact] drew ([LearnedOracle]). What a policy is worth is still found by the
    /// sums themselves.
    ///
    /// @param scale    of the labels, as there
    /// @param pairs    of answers of the reference to training sums, one label each
    /// @param beta     of its implicit reward, > 0
    /// @param training how it learns
    @Kind("learned")
    record Learned(double scale, int pairs, double beta, TrainingConfig training) implements PairwiseJudge {
        public Learned {
            new Exact(scale);
            if (pairs < 1 || !(beta > 0 && beta < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "pairs >= 1 and a finite beta > 0 expected, were " + pairs + " and " + beta);
            }
        }
    }

    /// A judge of a task's answers.
    ///
    /// @param oracle who compares answers while a policy learns
    /// @param truth  by which the policy is evaluated
    record Opened(PreferenceOracle oracle, ClassGameOracle truth) implements AutoCloseable {
        @Override
        public void close() {
            if (oracle instanceof LearnedOracle learned) {
                learned.model().close();
            }
        }
    }

    /// The judge of answers to a task's sums; one who has to learn does so here.
    default Opened open(ArithmeticTask task, Run run, long seed) {
        ClassGameOracle truth = truth(this, task);
        return new Opened(this instanceof Learned learned ? learnt(learned, truth, task, run, seed) : truth, truth);
    }

    private static LearnedOracle learnt(
            Learned config, ClassGameOracle truth, ArithmeticTask task, Run run, long seed) {
        var random = new SplittableRandom(Streams.of(seed, "labels of the judge"));
        long order = Streams.of(seed, "order of the judge");
        List<int[]> prompts = task.trainingPrompts(config.pairs, random);
        List<AnswerPair> answers = LabelledAnswers.of(task.reference(), prompts, task, random.nextLong());
        List<TokenizedPair> pairs = LabelledAnswers.labelled(answers, truth, random);
        Decoder model = LearnedOracle.learn(
                run, task.reference(), pairs, config.beta, task.tokenizer(), config.training, order);
        var oracle = new LearnedOracle(model, task.reference(), config.beta, task.padId());
        List<AnswerPair> heldOut = LabelledAnswers.of(task.reference(), task.heldOutPrompts(), task, random.nextLong());
        double[] learnt = oracle.firstWins(heldOut);
        double[] exact = truth.firstWins(heldOut);
        double[] half = new double[exact.length];
        Arrays.fill(half, 0.5);
        run.note(String.format(
                Locale.ROOT,
                "judge: learnt from %d labels; on answers of the reference to held-out sums its preferences are off by"
                        + " %.3f on average, where one half always would be by %.3f",
                pairs.size(),
                meanDifference(learnt, exact),
                meanDifference(half, exact)));
        return oracle;
    }

    private static double meanDifference(double[] a, double[] b) {
        return IntStream.range(0, a.length)
                .mapToDouble(i -> Math.abs(a[i] - b[i]))
                .average()
                .orElseThrow();
    }

    private static ClassGameOracle truth(PairwiseJudge judge, ArithmeticTask task) {
        return switch (judge) {
            case Exact(double scale) ->
                new ClassGameOracle(
                        PreferenceGame.bradleyTerry(scale, 0),
                        (prompt, answer) -> task.isRight(prompt, answer) ? 0 : 1);
            case Learned learned -> truth(new Exact(learned.scale), task);
            case Game(double win) ->
                new ClassGameOracle(
                        new PreferenceGame(new double[][] {
                                    {0.5, win, 1 - win},
                                    {1 - win, 0.5, win},
                                    {win, 1 - win, 0.5}
                                })
                                .withOutsider(),
                        (_, answer) -> {
                            var number = task.number(answer);
                            return number.isPresent() ? firstDigit(number.getAsInt()) % 3 : 3;
                        });
        };
    }

    private static int firstDigit(int number) {
        return Integer.toString(number).charAt(0) - '0';
    }
}

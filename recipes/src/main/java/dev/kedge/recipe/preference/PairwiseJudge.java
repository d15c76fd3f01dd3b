package dev.kedge.recipe.preference;

import dev.kedge.config.Kind;
import dev.kedge.data.TokenizedPair;
import dev.kedge.env.ClassGameOracle;
import dev.kedge.env.PreferenceGame;
import dev.kedge.env.PreferenceOracle;
import dev.kedge.env.PreferenceOracle.Duel;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.task.LabelledAnswers;
import dev.kedge.tensor.Device;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// Who compares two answers to a sum, as a recipe names it. The truth behind each makes classes of answers, so that
/// what a policy is worth is exact ([AnswerGame]).
public sealed interface PairwiseJudge {
    /// A judge who knows the sums: the right answer beats any other with probability `σ(scale)`, and wrong ones tie.
    ///
    /// @param scale reward of the right answer over a wrong one, finite and > 0
    @Kind("exact")
    record Exact(double scale) implements PairwiseJudge {
        public Exact {
            if (!(scale > 0 && scale < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("scale must be finite and > 0, was " + scale);
            }
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

    /// A judge at work.
    ///
    /// @param oracle who compares answers while a policy learns
    /// @param truth  by which the policy is judged
    record Judging(PreferenceOracle oracle, ClassGameOracle truth) implements AutoCloseable {
        @Override
        public void close() {
            if (oracle instanceof LearnedOracle learned) {
                learned.model().close();
            }
        }
    }

    /// The judge of answers to a world's sums; one who has to learn does so here.
    default Judging judging(ArithmeticTask sums, Run run, Device device, long seed) {
        ClassGameOracle truth = truth(this, sums);
        PreferenceOracle oracle =
                switch (this) {
                    case Exact _, Game _ -> truth;
                    case Learned learned -> learnt(learned, truth, sums, run, device, seed);
                };
        return new Judging(oracle, truth);
    }

    private static LearnedOracle learnt(
            Learned config, ClassGameOracle truth, ArithmeticTask sums, Run run, Device device, long seed) {
        var random = new SplittableRandom(seed + 2);
        List<int[]> prompts =
                sums.training(config.pairs, random).stream().map(sums::prompt).toList();
        List<Duel> answers = LabelledAnswers.of(sums.reference(), prompts, sums, random.nextLong());
        List<TokenizedPair> pairs = LabelledAnswers.labelled(answers, truth, random);
        Decoder model = LearnedOracle.learn(
                run, sums.reference(), pairs, config.beta, sums.tokenizer(), config.training, device, seed);
        var oracle = new LearnedOracle(model, sums.reference(), config.beta, Models.padId(sums.tokenizer()));
        List<Duel> heldOut = LabelledAnswers.of(sums.reference(), sums.heldOutPrompts(), sums, random.nextLong());
        double[] learnt = oracle.firstWins(heldOut);
        double[] exact = truth.firstWins(heldOut);
        double[] half = new double[exact.length];
        Arrays.fill(half, 0.5);
        run.note(String.format(
                "judge: learnt from %d labels; on answers of the reference to held-out sums its preferences are off by"
                        + " %.3f on average, where one half always would be by %.3f",
                pairs.size(), meanDifference(learnt, exact), meanDifference(half, exact)));
        return oracle;
    }

    private static double meanDifference(double[] a, double[] b) {
        return IntStream.range(0, a.length)
                .mapToDouble(i -> Math.abs(a[i] - b[i]))
                .average()
                .orElseThrow();
    }

    private static ClassGameOracle truth(PairwiseJudge judge, ArithmeticTask sums) {
        return switch (judge) {
            case Exact(double scale) ->
                new ClassGameOracle(
                        PreferenceGame.bradleyTerry(scale, 0),
                        (prompt, answer) -> sums.isRight(prompt, answer) ? 0 : 1);
            case Learned learned -> truth(new Exact(learned.scale), sums);
            case Game(double win) ->
                new ClassGameOracle(
                        new PreferenceGame(new double[][] {
                                    {0.5, win, 1 - win},
                                    {1 - win, 0.5, win},
                                    {win, 1 - win, 0.5}
                                })
                                .withOutsider(),
                        (_, answer) -> {
                            var number = sums.number(answer);
                            return number.isPresent() ? firstDigit(number.getAsInt()) % 3 : 3;
                        });
        };
    }

    private static int firstDigit(int number) {
        return Integer.toString(number).charAt(0) - '0';
    }
}

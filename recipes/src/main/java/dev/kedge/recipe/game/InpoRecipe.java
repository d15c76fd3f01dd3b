package dev.kedge.recipe.game;

import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.env.PreferenceOracle;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.Loss;
import dev.kedge.objective.game.Inpo;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.recipe.game.GameSummary.Evaluation;
import dev.kedge.recipe.game.GameSummary.LearningCurve;
import dev.kedge.recipe.preference.PairwiseJudge;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Run;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Training;
import dev.kedge.run.Training.Span;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.LossMetrics;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PolicyLogProbs;
import dev.kedge.sequence.ScoredPairs;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.sequence.Snapshots;
import dev.kedge.sequence.TrainedPolicies;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.AnswerGame;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.task.LabelledAnswers;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Streams;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// INPO (arXiv:2407.00617) with and without its reference: a language model improves on itself, iteration by iteration,
/// by a regression on pairs that its previous policy drew.
///
/// A tiny decoder that learnt sums from a text full of mistakes ([ArithmeticTask]) answers; a judge compares
/// two answers, by classes that beat each other in a circle or by the sums themselves ([PairwiseJudge]). Every
/// answer of up to two digits is enumerated, so that the duality gap of the regularised game is exact for the
/// last policy and for the average of all, prompt by prompt ([AnswerGame]).
///
/// Kept: pairs drawn independently from π_t, each labelled by one draw of the preference; log-probs under π_ref and π_t
/// computed once; the loss on sums over tokens, from π_t on. Left out: the best and the worst of several answers in a
/// tournament, which moves the regression's optimum.
///
/// Command: `./kedge run recipes/inpo.yaml`. Numbers: docs/papers/inpo.md.
public final class InpoRecipe {
    private InpoRecipe() {}

    /// @param task       the generated task, its decoder and its pre-training
    /// @param judge      who compares answers
    /// @param eta        inverse step size, > 0
    /// @param taus       strengths of the reference, each in [0, eta], in turn; 0 is self-play without it. The
    ///                   first one, > 0, is that of the game that all are evaluated in; its policy is shown and
    ///                   kept
    /// @param iterations T
    /// @param pairs      drawn for an iteration
    /// @param training   how a policy is moved in each iteration
    /// @param device     cpu, cuda or cuda:N
    /// @param threads    of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed       of everything drawn
    public record Config(
            ArithmeticTask.Config task,
            PairwiseJudge judge,
            double eta,
            List<Double> taus,
            int iterations,
            int pairs,
            TrainingConfig training,
            String device,
            int threads,
            long seed) {
        public Config {
            Engine.requireThreads(threads);
            Require.positive("eta", eta);
            double limit = eta;
            if (taus.isEmpty()
                    || taus.stream().distinct().count() < taus.size()
                    || taus.stream().anyMatch(tau -> !(tau >= 0 && tau <= limit))
                    || taus.getFirst() == 0) {
                throw new IllegalArgumentException("taus must be different numbers from 0 to eta = " + eta
                        + ", at least one, the first one > 0, were " + taus);
            }
            if (iterations < 1 || pairs < 1) {
                throw new IllegalArgumentException(
                        "iterations and pairs must be at least 1, were " + iterations + " and " + pairs);
            }
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (ArithmeticTask task = new ArithmeticTask(config.task(), run, device, config.seed());
                PairwiseJudge.Opened judge = config.judge().open(task, run, config.seed())) {
            for (double tau : config.taus()) {
                for (int t = 1; t <= config.iterations(); t++) {
                    iterate(config, task, judge.oracle(), tau, t, run);
                }
            }
            double shown = config.taus().getFirst();
            try (Decoder policy = iterations(config, task, shown, run).loadLast(device)) {
                Models.save(policy, task.tokenizer(), run.folder().resolve("model"));
                run.summarise(summary(config, task, judge, policy, run));
            }
        }
    }

    private static String phase(double tau) {
        return TrainedPolicies.phase("tau-" + tau);
    }

    private static Snapshots iterations(Config config, ArithmeticTask task, double tau, Run run) {
        Path folder = run.folder().resolve("policies").resolve(phase(tau));
        return new Snapshots(folder, "iteration", 1, config.iterations(), task.tokenizer());
    }

    /// Makes the policy after t iterations of the one before, unless it is there.
    private static void iterate(
            Config config, ArithmeticTask task, PreferenceOracle oracle, double tau, int t, Run run) {
        Snapshots iterations = iterations(config, task, tau, run);
        if (!Models.isComplete(iterations.at(t))) {
            Device device = task.reference().device();
            try (Decoder previous = t == 1 ? task.reference().copy() : iterations.load(t - 1, device);
                    Decoder policy = previous.copy()) {
                List<TokenizedPair> pairs = rollout(config, task, oracle, previous, t);
                ScoredPairs scored = ScoredPairs.of(task.reference(), pairs, task.padId());
                double[][] before = SequenceScores.ofPairs(previous, pairs, task.padId());
                train(config, scored, before, tau, t, policy, run);
                iterations.keep(t, policy);
            }
        }
    }

    /// Pairs of the previous policy with one drawn label each: a function of the seed and t. All strengths get the same
    /// prompts.
    private static List<TokenizedPair> rollout(
            Config config, ArithmeticTask task, PreferenceOracle oracle, Decoder previous, int t) {
        var random = new SplittableRandom(Streams.of(config.seed(), "rollout", t));
        List<int[]> prompts = task.trainingPrompts(config.pairs(), random);
        return LabelledAnswers.labelled(LabelledAnswers.of(previous, prompts, task, random.nextLong()), oracle, random);
    }

    /// The regression. Steps count through all iterations of a strength.
    ///
    /// @param previous log-probs of the chosen and of the rejected replies under π_t
    private static void train(
            Config config, ScoredPairs scored, double[][] previous, double tau, int t, Decoder policy, Run run) {
        int steps = config.training().steps();
        Span span = new Span((t - 1) * steps, 1, config.iterations() * steps);
        EpochBatches batches = scored.batches(config.training(), Streams.of(config.seed(), "order"));
        try (Training training = new Training(run, phase(tau), config.training(), policy.parameters(), span)) {
            training.run(step -> {
                int[] batch = batches.at(step);
                return Step.on(
                                batch,
                                config.training().microBatch(),
                                part -> gradient(config, scored, previous, part, tau, policy, batch.length))
                        .tokens(scored.tokens(batch));
            });
        }
    }

    /// Adds the gradient of some pairs' share of a step's loss; the metrics are means over the step's pairs.
    private static StepMetrics gradient(
            Config config,
            ScoredPairs scored,
            double[][] previous,
            int[] part,
            double tau,
            Decoder policy,
            int inStep) {
        int b = part.length;
        List<Tokenized> sequences = Stream.concat(
                        Arrays.stream(part).mapToObj(i -> scored.pairs().get(i).chosen()),
                        Arrays.stream(part).mapToObj(i -> scored.pairs().get(i).rejected()))
                .toList();
        PolicyLogProbs now = PolicyLogProbs.of(policy, sequences, scored.padId());
        PreferenceLogProbs lp = new PreferenceLogProbs(
                now.sums().narrow(0, 0, b),
                now.sums().narrow(0, b, b),
                now.constant(chosen(scored.reference()[0], part)),
                now.constant(chosen(scored.reference()[1], part)));
        Loss loss = Inpo.inpo(
                lp,
                now.constant(chosen(previous[0], part)),
                now.constant(chosen(previous[1], part)),
                config.eta(),
                tau,
                inStep);
        now.backward(loss);
        // Equal answers are a pair without a preference: both log-ratios are the same, so that its gradient cancels.
        long equal = Arrays.stream(part)
                .mapToObj(scored.pairs()::get)
                .filter(pair -> pair.chosen().equals(pair.rejected()))
                .count();
        return LossMetrics.of(loss, inStep).mean("pairs/equal", equal, b);
    }

    private static double[] chosen(double[] values, int[] part) {
        return Arrays.stream(part).mapToDouble(i -> values[i]).toArray();
    }

    /// The policies of a strength after each iteration, and the average of those up to each.
    private static List<LearningCurve> curves(
            Config config, ArithmeticTask task, GameSummary game, double tau, Run run) {
        List<Evaluation> last =
                iterations(config, task, tau, run).evaluate(task.reference().device(), game::evaluate);
        List<double[][]> policies = new ArrayList<>();
        policies.add(game.reference().logPolicy());
        List<Evaluation> average = new ArrayList<>();
        for (Evaluation evaluation : last) {
            policies.add(evaluation.logPolicy());
            average.add(game.evaluate(evaluation.step(), AnswerGame.average(policies)));
        }
        String name = tau == 0 ? "self-play without reference" : "INPO, τ " + tau;
        return List.of(
                new LearningCurve(name, last, game.reference()),
                new LearningCurve("average of " + name, average, game.reference()));
    }

    private static Summary summary(
            Config config, ArithmeticTask task, PairwiseJudge.Opened judge, Decoder policy, Run run) {
        double shown = config.taus().getFirst();
        GameSummary game = new GameSummary(task, judge.truth(), shown, config.seed());
        List<List<LearningCurve>> curves = config.taus().stream()
                .map(tau -> curves(config, task, game, tau, run))
                .toList();
        List<LearningCurve> all = Stream.concat(
                        curves.stream().map(List::getFirst), curves.stream().map(List::getLast))
                .toList();
        String ends = curves.stream()
                .map(pair -> String.format(
                        Locale.ROOT,
                        "%s has %.4f (the average of its policies %.4f)",
                        pair.getFirst().name(),
                        pair.getFirst().last().gap(),
                        pair.getLast().last().gap()))
                .collect(Collectors.joining(", "));
        Summary summary = Summary.of("inpo", Summary.Status.FINISHED, run.seconds())
                .title("A language model against its own past")
                .verdict(String.format(
                        Locale.ROOT,
                        "The exact duality gap at tau %s on sums never trained on is %.4f at the reference; after %d"
                                + " iterations %s.",
                        shown,
                        game.reference().gap(),
                        config.iterations(),
                        ends))
                .frontier(game.frontier("iterations", all))
                .fact(
                        "pairs_drawn_for_an_iteration",
                        "pairs drawn for an iteration",
                        Estimate.of(config.pairs()),
                        "",
                        "one label each");
        return game.evaluated(summary, all, policy);
    }
}

package dev.kedge.recipe;

import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.StopReason;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PreferenceTraining;
import dev.kedge.sequence.ScoredPairs;
import dev.kedge.sequence.TrainedPolicies;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.ArithmeticSummary;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.task.LabelledAnswers;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.List;

/// The default run: the whole way of an alignment, on a task whose reward is exact, with no data and no network.
///
/// A tiny decoder is pre-trained on sums of which a share is wrong ([ArithmeticTask]), so it is right only
/// sometimes. Its own answers to training problems, judged by the task, make preferences; DPO against the frozen
/// reference learns from them at several strengths. Reward and divergence on problems never trained on are exact, and
/// stand beside the exact optimum.
///
/// Command: `./kedge run`. Numbers: docs/results.md.
public final class QuickstartRecipe {
    private QuickstartRecipe() {}

    /// @param task       the generated task, its decoder and its pre-training
    /// @param prompts    training problems that are answered for preferences
    /// @param answers    to each
    /// @param training   how each policy is moved
    /// @param betas      strengths, each > 0; the first one's policy is shown and kept
    /// @param device     cpu, cuda or cuda:N
    /// @param threads    of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed       of everything drawn
    public record Config(
            ArithmeticTask.Config task,
            int prompts,
            int answers,
            TrainingConfig training,
            List<Double> betas,
            String device,
            int threads,
            long seed) {
        public Config {
            Engine.requireThreads(threads);
            Require.positive("betas", betas);
            if (prompts < 1 || answers < 2) {
                throw new IllegalArgumentException(
                        "prompts >= 1 and answers >= 2 expected, were " + prompts + " and " + answers);
            }
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (ArithmeticTask task = new ArithmeticTask(config.task(), run, device, config.seed())) {
            List<TokenizedPair> pairs = preferences(config, task, run);
            ScoredPairs scored = ScoredPairs.of(task.reference(), pairs, task.padId());
            TrainedPolicies policies = new TrainedPolicies(run, task.reference(), task.tokenizer());
            List<Frontier.Point> points = new ArrayList<>();
            for (double beta : config.betas()) {
                try (Decoder trained = policies.trained(
                        name(beta),
                        (phase, policy) -> PreferenceTraining.train(
                                run,
                                phase,
                                policy,
                                scored,
                                new PreferenceLoss.Sigmoid(beta),
                                config.training(),
                                Streams.of(config.seed(), "order")))) {
                    ArithmeticTask.Evaluation evaluation = task.evaluate(trained);
                    points.add(evaluation.point("β " + beta));
                    run.note("beta " + beta + ": " + evaluation);
                }
            }
            try (Decoder policy = policies.load(name(config.betas().getFirst()))) {
                Models.save(policy, task.tokenizer(), run.folder().resolve("model"));
                run.summarise(summary(config, task, policy, points, pairs.size(), run));
            }
        }
    }

    private static String name(double beta) {
        return "dpo-beta-" + beta;
    }

    /// The reference answers training problems; each right answer is preferred to a wrong one to the same problem.
    private static List<TokenizedPair> preferences(Config config, ArithmeticTask task, Run run) {
        List<TokenizedPair> pairs = LabelledAnswers.rightOverWrong(
                task,
                config.prompts(),
                config.answers(),
                config.seed(),
                (_, answer) -> answer.reason() == StopReason.END); // a truncated answer is none
        run.note(pairs.size() + " preferences from " + config.prompts() * config.answers()
                + " answers of the reference, judged by the task");
        if (pairs.isEmpty()) {
            throw new RunFailedException("the reference is never both right and wrong on a problem: no preference to "
                    + "learn from; pre-train it longer, or with other mistakes");
        }
        return pairs;
    }

    private static Summary summary(
            Config config, ArithmeticTask task, Decoder policy, List<Frontier.Point> points, int pairs, Run run) {
        var page = new ArithmeticSummary(task, config.task().mistakes(), config.seed());
        Summary summary = Summary.of("quickstart", Summary.Status.FINISHED, run.seconds())
                .title("Preferences fix a model that learnt from mistakes")
                .verdict(page.verdict("DPO at beta " + config.betas().getFirst(), task.evaluate(policy)))
                .frontier(page.frontier(page.sweep("DPO", points)))
                .fact(
                        "preferences",
                        "preferences",
                        Estimate.of(pairs),
                        "",
                        "right over wrong answers of the reference itself");
        return page.evaluated(summary, policy);
    }
}

package dev.kedge.recipe;

import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.task.Problem;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PreferenceTraining;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.AnswerTree;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Require;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// The main job: the whole way of an alignment, on a task whose reward is exact, with no data and no network.
///
/// A tiny decoder is pre-trained on sums of which a share is wrong ([ArithmeticTask]), so it is right only sometimes.
// Its own
/// answers to training problems, judged by the task, make preferences; DPO against the frozen reference learns from
/// them at several strengths. Reward and divergence on problems never trained on are exact, and stand beside the exact
/// optimum.
///
/// Command: `./kedge run`. Numbers: docs/results.md.
public final class QuickstartRecipe {
    private QuickstartRecipe() {}

    /// @param task       the world: task, decoder, pre-training
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
        try (ArithmeticTask sums = new ArithmeticTask(config.task(), run, device, config.seed())) {
            List<TokenizedPair> pairs = preferences(config, sums, run);
            double[][] scores = SequenceScores.ofPairs(sums.reference(), pairs, Models.padId(sums.tokenizer()));
            List<Frontier.Point> points = new ArrayList<>();
            for (double beta : config.betas()) {
                try (Decoder policy = policy(config, sums, pairs, scores, beta, device, run)) {
                    List<AnswerTree.Exact> result = sums.exact(policy);
                    points.add(ArithmeticTask.point(result, "β " + beta));
                    run.note(String.format(
                            "beta %s: right on %.1f %%, KL %.3f nats (exact)",
                            beta, 100 * ArithmeticTask.reward(result), ArithmeticTask.kl(result)));
                }
            }
            double shown = config.betas().getFirst();
            try (Decoder policy = policy(config, sums, pairs, scores, shown, device, run)) {
                Models.save(policy, sums.tokenizer(), run.folder().resolve("model"));
                run.summarise(summary(sums, policy, shown, points, pairs.size(), run));
            }
        }
    }

    /// The reference answers training problems; each right answer is preferred to a wrong one to the same problem.
    private static List<TokenizedPair> preferences(Config config, ArithmeticTask sums, Run run) {
        List<Problem> problems = sums.training(config.prompts(), new SplittableRandom(config.seed() + 1));
        List<int[]> prompts = problems.stream().map(sums::prompt).toList();
        List<Completion> answers = Generator.generate(
                sums.reference(), prompts, sums.sampling(config.answers(), config.seed(), false), null);
        List<TokenizedPair> pairs = new ArrayList<>();
        for (int p = 0; p < problems.size(); p++) {
            int[] prompt = prompts.get(p);
            List<int[]> right = new ArrayList<>();
            List<int[]> wrong = new ArrayList<>();
            for (Completion c : answers.subList(p * config.answers(), (p + 1) * config.answers())) {
                if (c.reason() == Generator.StopReason.END) { // a truncated answer is none
                    (sums.isRight(problems.get(p), c) ? right : wrong).add(c.tokens());
                }
            }
            for (int i = 0; i < Math.min(right.size(), wrong.size()); i++) {
                pairs.add(new TokenizedPair(
                        Tokenized.ofReply(prompt, right.get(i)),
                        Tokenized.ofReply(prompt, wrong.get(i)),
                        prompt.length));
            }
        }
        run.note(
                pairs.size() + " preferences from " + answers.size() + " answers of the reference, judged by the task");
        if (pairs.isEmpty()) {
            throw new RunFailedException("the reference is never both right and wrong on a problem: no preference to "
                    + "learn from; pre-train it longer, or with other mistakes");
        }
        return pairs;
    }

    /// The policy of one strength: trained here, or read where the run has made it already.
    private static Decoder policy(
            Config config,
            ArithmeticTask sums,
            List<TokenizedPair> pairs,
            double[][] scores,
            double beta,
            Device device,
            Run run) {
        Path folder = run.folder().resolve("policies").resolve("beta-" + beta);
        if (!Models.isComplete(folder)) {
            try (Decoder policy = sums.reference().copy()) {
                PreferenceTraining.train(
                        run,
                        ("dpo-beta-" + beta).replace('.', '_'),
                        policy,
                        policy.parameters(),
                        pairs,
                        scores,
                        Models.padId(sums.tokenizer()),
                        new PreferenceLoss.Sigmoid(beta),
                        config.training(),
                        config.seed());
                Models.save(policy, sums.tokenizer(), folder);
            }
        }
        return Models.load(folder, device);
    }

    private static Summary summary(
            ArithmeticTask sums, Decoder policy, double beta, List<Frontier.Point> points, int pairs, Run run) {
        List<AnswerTree.Exact> after = sums.exact(policy);
        Summary summary = Summary.of("quickstart", Summary.Status.FINISHED, run.seconds())
                .title("Preferences fix a model that learnt from mistakes")
                .verdict(String.format(
                        "Drawn answers to sums never trained on were right with probability %.1f %% before and %.1f %%"
                                + " after DPO at beta %s, %.2f nats from the reference.",
                        100 * ArithmeticTask.reward(sums.before()),
                        100 * ArithmeticTask.reward(after),
                        beta,
                        ArithmeticTask.kl(after)))
                .frontier(sums.frontier(sums.sweep("DPO", points)))
                .fact("preferences", Estimate.of(pairs), "", "right over wrong answers of the reference itself");
        return sums.judged(summary, policy);
    }
}

package dev.kedge.recipe.preference;

import dev.kedge.data.Tokenized;
import dev.kedge.data.task.Problem;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.objective.preference.AnchorRule;
import dev.kedge.objective.preference.AnchoredLogits;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Remembered;
import dev.kedge.run.Run;
import dev.kedge.run.SavedCheckpoint;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.LossMetrics;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PolicyLogProbs;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.sequence.TrainedPolicies;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.ArithmeticSummary;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Anchored Direct Preference Optimization (arXiv:2510.18913) on sets of the policy's own answers.
///
/// A tiny decoder learnt sums from a text full of mistakes ([ArithmeticTask]). At every step the policy answers
/// a batch of training sums several times; the task rewards the answers, and the policy, measured against its
/// anchor, is fitted to a target made of a set's rewards. The sweep is over tau: where the loss is least `π ~
/// anchor·q^tau`. Reward and divergence on sums never trained on are exact and stand beside the exact optimum.
///
/// Kept: listwise, pairwise and Plackett-Luce forms; anchors that are fixed, copied, averaged or triggered by
/// divergence; both adaptive temperatures; sequence log-probs that are sums. Left out: several passes over one set of
/// answers, the extra penalty per token, and the later code's clamps, smoothing and division by length.
///
/// Command: `./kedge run recipes/adpo.yaml`. Numbers: docs/papers/adpo.md.
public final class AdpoRecipe {
    private AdpoRecipe() {}

    /// @param task       the generated task, its decoder and its pre-training
    /// @param prompts    training sums that answers are drawn for
    /// @param answers    to each in a step: the candidates of a set, >= 2
    /// @param loss       the loss on sets
    /// @param anchor     how the anchor, at first the reference, follows the policy
    /// @param adaptation of tau to each set
    /// @param taus       strengths, each > 0; the first one's policy is shown and kept
    /// @param training   how each policy is moved; its examples are sets
    /// @param device     cpu, cuda or cuda:N
    /// @param threads    of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed       of everything drawn
    public record Config(
            ArithmeticTask.Config task,
            int prompts,
            int answers,
            ListwiseLoss loss,
            AnchorRule anchor,
            AdaptiveTau adaptation,
            List<Double> taus,
            TrainingConfig training,
            String device,
            int threads,
            long seed) {
        public Config {
            Engine.requireThreads(threads);
            Require.positive("taus", taus);
            if (prompts < 1 || answers < 2) {
                throw new IllegalArgumentException(
                        "prompts >= 1 and answers >= 2 expected, were " + prompts + " and " + answers);
            }
            if (adaptation instanceof AdaptiveTau.TargetEntropy && !loss.hasTargets()) {
                throw new IllegalArgumentException(
                        "adaptation target_entropy needs a listwise loss: others have no target over a set");
            }
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (ArithmeticTask task = new ArithmeticTask(config.task(), run, device, config.seed())) {
            TrainedPolicies policies = new TrainedPolicies(run, task.reference(), task.tokenizer());
            List<Frontier.Point> points = new ArrayList<>();
            for (double tau : config.taus()) {
                try (Decoder trained = policies.trained(
                        "tau-" + tau, (phase, policy) -> train(config, task, tau, phase, policy, run))) {
                    ArithmeticTask.Evaluation evaluation = task.evaluate(trained);
                    points.add(evaluation.point("τ " + tau));
                    run.note("tau " + tau + ": " + evaluation);
                }
            }
            try (Decoder policy = policies.load("tau-" + config.taus().getFirst())) {
                Models.save(policy, task.tokenizer(), run.folder().resolve("model"));
                run.summarise(summary(config, task, policy, points, run));
            }
        }
    }

    private static void train(Config config, ArithmeticTask task, double tau, String phase, Decoder policy, Run run) {
        var drawn = new SplittableRandom(Streams.of(config.seed(), "prompts"));
        List<Problem> problems = task.training(config.prompts(), drawn);
        int[] lengths = problems.stream().mapToInt(p -> task.prompt(p).length).toArray();
        EpochBatches batches = config.training().batchesOf(lengths, Streams.of(config.seed(), "order"));
        try (Anchor anchor = new Anchor(config.anchor(), task.reference().copy());
                Training training = new Training(run, phase, config.training(), policy.parameters(), anchor)) {
            training.run(step -> {
                List<ScoredSet> sets = rollout(config, task, policy, batches.at(step, problems), step);
                double[] means = sets.stream().mapToDouble(ScoredSet::mean).toArray();
                return Step.on(
                                sets,
                                config.training().microBatch(),
                                part -> gradient(config, task, tau, policy, anchor.model, part, means))
                        .completed(m -> m.put("reward", Bootstrap.mean(means)))
                        .then(m -> m.put("anchor/kept", anchor.follow(policy, step + 1L, m.get("kl/anchor"))))
                        .tokens(sets.stream().mapToLong(ScoredSet::tokens).sum());
            });
        }
    }

    /// A problem's completions and what each is worth.
    private record ScoredSet(int[] prompt, List<Completion> completions, double[] rewards) {
        double mean() {
            return Arrays.stream(rewards).average().orElseThrow();
        }

        long tokens() {
            return completions.stream().mapToLong(c -> c.tokens().length).sum();
        }

        Stream<Tokenized> sequences() {
            return completions.stream().map(c -> Tokenized.ofReply(prompt, c.tokens()));
        }
    }

    /// A step's sets: a function of policy, seed and step.
    private static List<ScoredSet> rollout(
            Config config, ArithmeticTask task, Decoder policy, List<Problem> problems, int step) {
        long seed = Streams.of(config.seed(), "rollout", step);
        List<int[]> prompts = problems.stream().map(task::prompt).toList();
        List<List<Completion>> drawn = task.completions(policy, prompts, config.answers(), seed);
        return IntStream.range(0, problems.size())
                .mapToObj(i -> new ScoredSet(
                        prompts.get(i),
                        drawn.get(i),
                        drawn.get(i).stream()
                                .mapToDouble(c -> task.isRight(problems.get(i), c) ? 1 : 0)
                                .toArray()))
                .toList();
    }

    /// Adds the gradient of some sets' share of a step's loss. Metrics are means over the step's sets or answers.
    ///
    /// @param means mean reward of each set in the step
    private static StepMetrics gradient(
            Config config,
            ArithmeticTask task,
            double tau,
            Decoder policy,
            Decoder anchor,
            List<ScoredSet> part,
            double[] means) {
        PolicyLogProbs now = PolicyLogProbs.of(
                policy, part.stream().flatMap(ScoredSet::sequences).toList(), task.padId());
        int sets = part.size();
        Tensor logProbs = now.sums().reshape(sets, config.answers());
        Tensor anchorLogProbs = now.under(anchor).reshape(sets, config.answers());
        Tensor rewards = now.constant(part.stream()
                        .flatMapToDouble(set -> Arrays.stream(set.rewards()))
                        .toArray())
                .reshape(sets, config.answers());
        Tensor entropy = entropy(policy, now).reshape(sets, config.answers()).mean(1);
        Tensor taus = config.adaptation()
                .of(
                        tau,
                        config.loss().targets(rewards),
                        entropy,
                        rewards.mean(1),
                        Arrays.stream(means).min().orElseThrow(),
                        Arrays.stream(means).max().orElseThrow());
        int inStep = means.length;
        Loss loss = config.loss().loss(AnchoredLogits.of(logProbs, anchorLogProbs, taus), rewards, inStep);
        now.backward(loss);
        StepMetrics metrics = new StepMetrics();
        loss.metrics().forEach((name, values) -> metrics.add(name, LossMetrics.share(values, inStep)));
        Tensor kl = SampledKl.k3(logProbs.detach(), anchorLogProbs).mean(1);
        List<Completion> completions =
                part.stream().flatMap(set -> set.completions().stream()).toList();
        metrics.add("tau", LossMetrics.share(taus, inStep))
                .add("entropy", LossMetrics.share(entropy, inStep))
                .add("kl/anchor", LossMetrics.share(kl, inStep));
        return now.agreement(completions, 0).on(metrics);
    }

    /// Mean entropy of the next token over each answer, as a share of the largest, log V.
    private static Tensor entropy(Decoder policy, PolicyLogProbs now) {
        try (var _ = Gradients.off()) {
            Tensor logP = policy.logits(now.hidden().detach()).logSoftmax(1);
            Tensor entropies = logP.exp().times(logP).sum(1).neg();
            return SequenceScores.rowSums(entropies, now.batch())
                    .div(SequenceScores.rowSums(entropies.onesLike(), now.batch()))
                    .div(Math.log(policy.vocabularySize()));
        }
    }

    /// The anchor as it follows the policy, with the divergences that its rule goes by.
    private static final class Anchor implements Remembered, AutoCloseable {
        private final AnchorRule rule;
        private final Decoder model;
        private List<Double> recent = List.of();

        Anchor(AnchorRule rule, Decoder model) {
            this.rule = rule;
            this.model = model;
        }

        /// `anchor ← kept·anchor + (1 - kept)·policy`.
        ///
        /// @return the share that is kept
        double follow(Decoder policy, long step, double divergence) {
            AnchorRule.Decision decision = rule.after(step, recent, divergence);
            recent = decision.recent();
            if (decision.kept() < 1) {
                try (var _ = Gradients.off()) {
                    InPlace.plus_(
                            InPlace.times_(model.parameters().flat(), decision.kept()),
                            policy.parameters().flat(),
                            1 - decision.kept());
                }
            }
            return decision.kept();
        }

        @Override
        public void save(Checkpoint checkpoint) {
            checkpoint
                    .tensors("anchor", model.parameters().named())
                    .text("recent", recent.stream().map(String::valueOf).collect(Collectors.joining(" ")));
        }

        @Override
        public void restore(SavedCheckpoint saved) {
            saved.restore("anchor", model.parameters().named());
            recent = Stream.of(saved.text("recent").split(" "))
                    .filter(text -> !text.isEmpty())
                    .map(Double::valueOf)
                    .toList();
        }

        @Override
        public void close() {
            model.close();
        }
    }

    private static Summary summary(
            Config config, ArithmeticTask task, Decoder policy, List<Frontier.Point> points, Run run) {
        var page = new ArithmeticSummary(task, config.task().mistakes(), config.seed());
        String method = config.loss().title();
        long answers = (long) config.training().steps() * config.training().batchSize() * config.answers();
        Summary summary = Summary.of("adpo", Summary.Status.FINISHED, run.seconds())
                .title("A policy learns from rewards of its own answers, measured against an anchor")
                .verdict(page.verdict(method + " at tau " + config.taus().getFirst(), task.evaluate(policy)))
                .frontier(page.frontier(page.sweep(method, points)))
                .fact(
                        "answers_judged",
                        "answers judged",
                        Estimate.of(answers),
                        "",
                        "for each tau, drawn while it learns");
        return page.evaluated(summary, policy);
    }
}

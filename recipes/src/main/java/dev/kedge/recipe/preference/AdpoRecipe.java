package dev.kedge.recipe.preference;

import dev.kedge.data.Batches;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.data.task.Problem;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.SampledKl;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.preference.AnchorRule;
import dev.kedge.objective.preference.AnchoredLogits;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.run.SamplerAgreement;
import dev.kedge.run.SavedCheckpoint;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.AnswerTree;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Anchored Direct Preference Optimization (arXiv:2510.18913) on sets of the policy's own answers.
///
/// A tiny decoder learnt sums from a text full of mistakes ([ArithmeticTask]). At every step the policy answers a batch
// of
/// training sums several times; the task judges the answers, and the policy, measured against its anchor, is fitted to
/// a target made of a set's rewards. The sweep is over tau: where the loss is least `π ~ anchor·q^tau`. Reward and
/// divergence on sums never trained on are exact and stand beside the exact optimum.
///
/// Kept: listwise, pairwise and Plackett-Luce forms; anchors that are fixed, copied, averaged or triggered by
/// divergence; both adaptive temperatures; sequence log-probs that are sums. Left out: several passes over one set of
/// answers, the extra penalty per token, and the later code's clamps, smoothing and division by length.
///
/// Command: `./kedge run recipes/adpo.yaml`. Numbers: docs/papers/adpo.md.
public final class AdpoRecipe {
    private AdpoRecipe() {}

    /// @param task       the world: task, decoder, pre-training
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
        try (ArithmeticTask sums = new ArithmeticTask(config.task(), run, device, config.seed())) {
            List<Frontier.Point> points = new ArrayList<>();
            for (double tau : config.taus()) {
                try (Decoder policy = policy(config, sums, tau, device, run)) {
                    List<AnswerTree.Exact> result = sums.exact(policy);
                    points.add(ArithmeticTask.point(result, "τ " + tau));
                    run.note(String.format(
                            "tau %s: right on %.1f %%, KL %.3f nats (exact)",
                            tau, 100 * ArithmeticTask.reward(result), ArithmeticTask.kl(result)));
                }
            }
            double shown = config.taus().getFirst();
            try (Decoder policy = policy(config, sums, shown, device, run)) {
                Models.save(policy, sums.tokenizer(), run.folder().resolve("model"));
                run.summarise(summary(config, sums, policy, shown, points, run));
            }
        }
    }

    /// The policy of one strength: trained here, or read where the run has made it already.
    private static Decoder policy(Config config, ArithmeticTask sums, double tau, Device device, Run run) {
        Path folder = run.folder().resolve("policies").resolve("tau-" + tau);
        if (!Models.isComplete(folder)) {
            try (Decoder policy = sums.reference().copy();
                    Decoder anchor = sums.reference().copy()) {
                train(config, sums, tau, policy, anchor, run);
                Models.save(policy, sums.tokenizer(), folder);
            }
        }
        return Models.load(folder, device);
    }

    /// The loop. Goes on from the run's checkpoint where that is of this phase.
    private static void train(Config config, ArithmeticTask sums, double tau, Decoder policy, Decoder anchor, Run run) {
        String phase = ("tau-" + tau).replace('.', '_');
        TrainingConfig o = config.training();
        List<Problem> problems = sums.training(config.prompts(), new SplittableRandom(config.seed() + 1));
        int[] lengths = problems.stream().mapToInt(p -> sums.prompt(p).length).toArray();
        Schedule schedule = o.schedules();
        try (AdamW optimizer = o.optimizer(policy.parameters())) {
            int first = 0;
            List<Double> recent = List.of();
            var saved = run.latest().filter(c -> c.phase().equals(phase));
            if (saved.isPresent()) {
                saved.get().restore("model", policy.parameters().named());
                saved.get().restore("anchor", anchor.parameters().named());
                saved.get().restore("optimizer", optimizer.state());
                recent = recent(saved.get());
                first = (int) saved.get().step();
            }
            EpochBatches batches = new EpochBatches(o.batches(), lengths, o.batchSize(), config.seed());
            try (Progress progress = run.progress(phase, first, o.steps())) {
                for (int step = first; step < o.steps(); step++) {
                    long start = System.nanoTime();
                    Rollout rollout = Rollout.draw(config, sums, policy, problems, batches.at(step), step);
                    Map<String, Double> metrics = gradient(config, sums, tau, policy, anchor, rollout);
                    metrics.put("grad_norm", policy.parameters().clipGradient(o.maxGradNorm()));
                    run.guard(phase, step + 1L, metrics);
                    SamplerAgreement.require(metrics.get("sampler/difference"));
                    optimizer.step(schedule.at(step));
                    AnchorRule.Decision decision = config.anchor().after(step + 1L, recent, metrics.get("kl/anchor"));
                    follow(anchor, policy, decision.kept());
                    recent = decision.recent();
                    metrics.put("anchor/kept", decision.kept());
                    metrics.put("lr", schedule.at(step));
                    metrics.put("tokens_per_s", rollout.tokens() / ((System.nanoTime() - start) / 1e9));
                    run.log(phase, step + 1L, metrics);
                    progress.step(step + 1L, metrics.get("loss"), rollout.tokens());
                    if ((step + 1) % o.checkpointEvery() == 0 || step + 1 == o.steps()) {
                        run.save(checkpoint(phase, step + 1L, policy, anchor, optimizer, recent));
                    }
                }
            }
        }
    }

    private static Checkpoint checkpoint(
            String phase, long step, Decoder policy, Decoder anchor, AdamW optimizer, List<Double> recent) {
        return Checkpoint.at(phase, step)
                .tensors("model", policy.parameters().named())
                .tensors("anchor", anchor.parameters().named())
                .tensors("optimizer", optimizer.state())
                .text("recent", recent.stream().map(String::valueOf).collect(Collectors.joining(" ")));
    }

    /// `anchor ← kept·anchor + (1 - kept)·policy`.
    private static void follow(Decoder anchor, Decoder policy, double kept) {
        if (kept < 1) {
            try (var _ = Gradients.off()) {
                InPlace.plus_(
                        InPlace.times_(anchor.parameters().flat(), kept),
                        policy.parameters().flat(),
                        1 - kept);
            }
        }
    }

    private static List<Double> recent(SavedCheckpoint saved) {
        return Stream.of(saved.text("recent").split(" "))
                .filter(text -> !text.isEmpty())
                .map(Double::valueOf)
                .toList();
    }

    /// A step's answers: sets in the order of their problems, `answers` in each, and what they are worth.
    private record Rollout(List<int[]> prompts, List<Completion> answers, double[] rewards, int each) {
        /// A function of policy, seed and step.
        static Rollout draw(
                Config config, ArithmeticTask sums, Decoder policy, List<Problem> all, int[] batch, int step) {
            long seed = new SplittableRandom(config.seed()).nextLong() + step;
            List<Problem> problems = Arrays.stream(batch).mapToObj(all::get).toList();
            List<int[]> prompts = problems.stream().map(sums::prompt).toList();
            List<Completion> answers =
                    Generator.generate(policy, prompts, sums.sampling(config.answers(), seed, true), null);
            double[] rewards = new double[answers.size()];
            Arrays.setAll(rewards, i -> sums.isRight(problems.get(i / config.answers()), answers.get(i)) ? 1 : 0);
            return new Rollout(prompts, answers, rewards, config.answers());
        }

        int sets() {
            return prompts.size();
        }

        long tokens() {
            return answers.stream().mapToLong(a -> a.tokens().length).sum();
        }

        /// [S, P], on the device and of the type of `like`.
        Tensor rewards(Tensor like) {
            return inSets(Tensor.of(rewards).to(like.dtype()).to(like.device()));
        }

        /// One number an answer, [S, P].
        Tensor inSets(Tensor answers) {
            return answers.reshape(sets(), each);
        }

        Rollout part(int from, int to) {
            return new Rollout(
                    prompts.subList(from, to),
                    answers.subList(from * each, to * each),
                    Arrays.copyOfRange(rewards, from * each, to * each),
                    each);
        }

        /// Mean reward of each set.
        double[] means() {
            return IntStream.range(0, sets())
                    .mapToDouble(s -> Arrays.stream(rewards, s * each, (s + 1) * each)
                            .average()
                            .orElseThrow())
                    .toArray();
        }

        TokenBatch rows(int padId) {
            return TokenBatch.of(
                    IntStream.range(0, answers.size())
                            .mapToObj(i -> Tokenized.ofReply(
                                    prompts.get(i / each), answers.get(i).tokens()))
                            .toList(),
                    padId,
                    1);
        }
    }

    /// Adds the gradient of a step's loss, micro-batch by micro-batch. Metrics are means over its sets or answers.
    private static Map<String, Double> gradient(
            Config config, ArithmeticTask sums, double tau, Decoder policy, Decoder anchor, Rollout step) {
        double[] means = step.means();
        double least = Arrays.stream(means).min().orElseThrow();
        double most = Arrays.stream(means).max().orElseThrow();
        Map<String, Double> metrics = new LinkedHashMap<>();
        for (int[] sets : Batches.inOrder(step.sets(), config.training().microBatch())) {
            Rollout part = step.part(sets[0], sets[0] + sets.length);
            try (Scope _ = new Scope()) {
                TokenBatch rows = part.rows(Models.padId(sums.tokenizer())).to(policy.device());
                Tensor hidden = policy.hidden(rows.tokens()).indexSelect(0, rows.targetIndex());
                HeadLogProbs logProbs = HeadLogProbs.of(hidden, policy.head(), rows.targetTokens(), 1);
                Tensor now = SequenceScores.rowSums(logProbs.values(), rows);
                Tensor anchored = anchored(anchor, rows);
                Tensor rewards = part.rewards(now);
                Tensor entropy =
                        part.inSets(entropy(policy, hidden.detach(), rows)).mean(1);
                Tensor taus = config.adaptation()
                        .of(tau, config.loss().targets(rewards), entropy, rewards.mean(1), least, most);
                AnchoredLogits u = AnchoredLogits.of(part.inSets(now), part.inSets(anchored), taus);
                Loss loss = config.loss().loss(u, rewards, step.sets());
                loss.value().backward();
                logProbs.backward();
                loss.metrics().forEach((name, values) -> add(metrics, name, values, step.sets()));
                add(metrics, "tau", taus, step.sets());
                add(metrics, "entropy", entropy, step.sets());
                add(
                        metrics,
                        "kl/anchor",
                        SampledKl.k3(part.inSets(now.detach()), part.inSets(anchored))
                                .mean(1),
                        step.sets());
                double difference = SamplerAgreement.difference(part.answers(), doubles(now));
                metrics.merge("sampler/difference", difference, Math::max);
            }
        }
        metrics.put("reward", Bootstrap.mean(means));
        return metrics;
    }

    private static void add(Map<String, Double> metrics, String name, Tensor values, int count) {
        metrics.merge(name, values.to(DType.FLOAT64).sum().item() / count, Double::sum);
    }

    private static double[] doubles(Tensor tensor) {
        return tensor.detach().to(DType.FLOAT64).to(Device.CPU).toDoubles();
    }

    /// The anchor's log-probs of the answers, summed over tokens.
    private static Tensor anchored(Decoder anchor, TokenBatch rows) {
        try (var _ = Gradients.off()) {
            return SequenceScores.rowSums(SequenceScores.sums(anchor, rows, 1).values(), rows);
        }
    }

    /// Mean entropy of the next token over each answer, as a share of the largest, log V.
    private static Tensor entropy(Decoder policy, Tensor hidden, TokenBatch rows) {
        try (var _ = Gradients.off()) {
            Tensor logP = policy.logits(hidden).logSoftmax(1);
            Tensor entropies = logP.exp().times(logP).sum(1).neg();
            return SequenceScores.rowSums(entropies, rows)
                    .div(SequenceScores.rowSums(entropies.onesLike(), rows))
                    .div(Math.log(policy.config().vocabularySize()));
        }
    }

    private static Summary summary(
            Config config, ArithmeticTask sums, Decoder policy, double tau, List<Frontier.Point> points, Run run) {
        List<AnswerTree.Exact> after = sums.exact(policy);
        long answers = (long) config.training().steps() * config.training().batchSize() * config.answers();
        Summary summary = Summary.of("adpo", Summary.Status.FINISHED, run.seconds())
                .title("A policy learns from rewards of its own answers, measured against an anchor")
                .verdict(String.format(
                        "Drawn answers to sums never trained on were right with probability %.1f %% before and %.1f %%"
                                + " after %s at tau %s, %.2f nats from the reference.",
                        100 * ArithmeticTask.reward(sums.before()),
                        100 * ArithmeticTask.reward(after),
                        config.loss().title(),
                        tau,
                        ArithmeticTask.kl(after)))
                .frontier(sums.frontier(sums.sweep(config.loss().title(), points)))
                .fact("answers judged", Estimate.of(answers), "", "for each tau, drawn while it learns");
        return sums.judged(summary, policy);
    }
}

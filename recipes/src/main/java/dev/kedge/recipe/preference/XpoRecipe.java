package dev.kedge.recipe.preference;

import dev.kedge.data.Batches;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.env.PreferenceOracle;
import dev.kedge.env.PreferenceOracle.Duel;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.Xpo;
import dev.kedge.recipe.preference.PairwiseJudge.Judging;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.run.SamplerAgreement;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.AnswerTree;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
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

/// Exploratory Preference Optimization (arXiv:2405.21046) online, on answers of the policy and of its reference.
///
/// A tiny decoder learnt sums from a text that is mostly wrong ([ArithmeticTask]), so that it rarely says the right
// answer. At
/// every step policy and reference each answer a batch of training sums; a Bradley-Terry judge, who
/// knows the sums or learnt from one who does ([PairwiseJudge]), prefers one of the two; the policy learns from the
// preference
/// and is paid for leaving the reference's answer. The sweep is over the bonus: alpha 0 is online DPO. Reward and
/// divergence on sums never trained on are exact.
///
/// Kept: fresh answers of both models at every step, one gradient step on them, drawn labels. Left out: solving again
/// over all data of the past (the theory's form), a schedule of alpha, a penalty for answers that do not end.
///
/// Command: `./kedge run recipes/xpo.yaml`. Numbers: docs/papers/xpo.md.
public final class XpoRecipe {
    private XpoRecipe() {}

    /// @param task          the world: task, decoder, pre-training
    /// @param prompts       training sums that answers are drawn for
    /// @param judge         who compares answers: exact or learned
    /// @param beta          strength of the KL regulariser, > 0
    /// @param alphas        weights of the bonus, all different, each >= 0; the first one's policy is shown
    ///                      and kept
    /// @param training      how each policy is moved; its examples are pairs
    /// @param snapshotEvery steps between policies that are judged, >= 1
    /// @param device        cpu, cuda or cuda:N
    /// @param threads       of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed          of everything drawn
    public record Config(
            ArithmeticTask.Config task,
            int prompts,
            PairwiseJudge judge,
            double beta,
            List<Double> alphas,
            TrainingConfig training,
            int snapshotEvery,
            String device,
            int threads,
            long seed) {
        public Config {
            if (alphas.isEmpty()
                    || alphas.stream().distinct().count() < alphas.size()
                    || alphas.stream().anyMatch(a -> !(a >= 0 && a < Double.POSITIVE_INFINITY))) {
                throw new IllegalArgumentException(
                        "alphas must be different finite numbers >= 0, at least one, were " + alphas);
            }
            if (prompts < 1 || snapshotEvery < 1 || !(beta > 0 && beta < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("prompts >= 1, snapshot_every >= 1 and a finite beta > 0 expected,"
                        + " were " + prompts + ", " + snapshotEvery + " and " + beta);
            }
            if (judge instanceof PairwiseJudge.Game) {
                throw new IllegalArgumentException(
                        "judge must be exact or learned: rewards are what the policy is judged by, a game has none");
            }
        }

        String phase(double alpha) {
            return ("alpha-" + alpha).replace('.', '_');
        }

        boolean isKept(int step) {
            return step % snapshotEvery == 0 || step == training.steps();
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (ArithmeticTask sums = new ArithmeticTask(config.task(), run, device, config.seed());
                Judging judge = config.judge().judging(sums, run, device, config.seed())) {
            for (double alpha : config.alphas()) {
                if (!Models.isComplete(
                        snapshot(config, run, alpha, config.training().steps()))) {
                    try (Decoder policy = sums.reference().copy()) {
                        train(config, sums, judge.oracle(), alpha, policy, run);
                    }
                }
            }
            Path last = snapshot(
                    config, run, config.alphas().getFirst(), config.training().steps());
            try (Decoder policy = Models.load(last, device)) {
                Models.save(policy, sums.tokenizer(), run.folder().resolve("model"));
                run.summarise(summary(config, sums, policy, device, run));
            }
        }
    }

    private static Path snapshot(Config config, Run run, double alpha, int step) {
        return run.folder().resolve("policies").resolve(config.phase(alpha)).resolve("step-" + step);
    }

    /// The loop. Goes on from the run's checkpoint where that is of this phase.
    private static void train(
            Config config, ArithmeticTask sums, PreferenceOracle judge, double alpha, Decoder policy, Run run) {
        String phase = config.phase(alpha);
        TrainingConfig o = config.training();
        List<int[]> prompts = sums.training(config.prompts(), new SplittableRandom(config.seed() + 1)).stream()
                .map(sums::prompt)
                .toList();
        int[] lengths = prompts.stream().mapToInt(p -> p.length).toArray();
        Schedule schedule = o.schedules();
        try (AdamW optimizer = o.optimizer(policy.parameters())) {
            int first = 0;
            var saved = run.latest().filter(c -> c.phase().equals(phase));
            if (saved.isPresent()) {
                saved.get().restore("model", policy.parameters().named());
                saved.get().restore("optimizer", optimizer.state());
                first = (int) saved.get().step();
                keep(config, sums, alpha, first, policy, run);
            }
            EpochBatches batches = new EpochBatches(o.batches(), lengths, o.batchSize(), config.seed());
            try (Progress progress = run.progress(phase, first, o.steps())) {
                for (int step = first; step < o.steps(); step++) {
                    long start = System.nanoTime();
                    Rollout rollout = Rollout.draw(config, sums, judge, policy, prompts, batches.at(step), step);
                    Map<String, Double> metrics = gradient(config, sums, alpha, policy, rollout);
                    metrics.put("grad_norm", policy.parameters().clipGradient(o.maxGradNorm()));
                    run.guard(phase, step + 1L, metrics);
                    SamplerAgreement.require(metrics.get("sampler/difference"));
                    optimizer.step(schedule.at(step));
                    metrics.put("lr", schedule.at(step));
                    metrics.put("tokens_per_s", rollout.tokens() / ((System.nanoTime() - start) / 1e9));
                    run.log(phase, step + 1L, metrics);
                    progress.step(step + 1L, metrics.get("loss"), rollout.tokens());
                    if ((step + 1) % o.checkpointEvery() == 0 || step + 1 == o.steps()) {
                        run.save(Checkpoint.at(phase, step + 1L)
                                .tensors("model", policy.parameters().named())
                                .tensors("optimizer", optimizer.state()));
                    }
                    keep(config, sums, alpha, step + 1, policy, run);
                }
            }
        }
    }

    /// After the checkpoint: where that is, the snapshot can be made again.
    private static void keep(Config config, ArithmeticTask sums, double alpha, int done, Decoder policy, Run run) {
        Path folder = snapshot(config, run, alpha, done);
        if (config.isKept(done) && !Models.isComplete(folder)) {
            Models.save(policy, sums.tokenizer(), folder);
        }
    }

    /// A step's answers: one of the policy and one of the reference to each prompt, and which of them the judge chose.
    private record Rollout(
            List<int[]> prompts, List<Completion> policy, List<Completion> reference, boolean[] policyIsChosen) {
        /// A function of policy, seed and step.
        static Rollout draw(
                Config config,
                ArithmeticTask sums,
                PreferenceOracle judge,
                Decoder policy,
                List<int[]> all,
                int[] batch,
                int step) {
            SplittableRandom random = new SplittableRandom(new SplittableRandom(config.seed()).nextLong() + step);
            List<int[]> prompts = Arrays.stream(batch).mapToObj(all::get).toList();
            List<Completion> own = Generator.generate(policy, prompts, sums.sampling(1, random.nextLong(), true), null);
            List<Completion> usual =
                    Generator.generate(sums.reference(), prompts, sums.sampling(1, random.nextLong(), false), null);
            List<Duel> duels = IntStream.range(0, prompts.size())
                    .mapToObj(i -> new Duel(
                            prompts.get(i), own.get(i).tokens(), usual.get(i).tokens()))
                    .toList();
            double[] wins = judge.firstWins(duels);
            boolean[] chosen = new boolean[wins.length];
            for (int i = 0; i < wins.length; i++) {
                chosen[i] = random.nextDouble() < wins[i]; // a drawn label, as from a person
            }
            return new Rollout(prompts, own, usual, chosen);
        }

        int pairs() {
            return prompts.size();
        }

        long tokens() {
            return Stream.of(policy, reference)
                    .flatMap(List::stream)
                    .mapToLong(c -> c.tokens().length)
                    .sum();
        }

        Rollout part(int from, int to) {
            return new Rollout(
                    prompts.subList(from, to),
                    policy.subList(from, to),
                    reference.subList(from, to),
                    Arrays.copyOfRange(policyIsChosen, from, to));
        }

        /// The policy's answers, then the reference's: [2B].
        TokenBatch rows(int padId) {
            return TokenBatch.of(
                    Stream.of(policy, reference)
                            .flatMap(answers -> IntStream.range(0, pairs())
                                    .mapToObj(i -> Tokenized.ofReply(
                                            prompts.get(i), answers.get(i).tokens())))
                            .toList(),
                    padId,
                    1);
        }
    }

    /// Adds the gradient of a step's loss, micro-batch by micro-batch. Metrics are means over its pairs.
    private static Map<String, Double> gradient(
            Config config, ArithmeticTask sums, double alpha, Decoder policy, Rollout step) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("loss", 0.0);
        for (int[] pairs : Batches.inOrder(step.pairs(), config.training().microBatch())) {
            Rollout part = step.part(pairs[0], pairs[0] + pairs.length);
            int b = part.pairs();
            try (Scope _ = new Scope()) {
                TokenBatch rows = part.rows(Models.padId(sums.tokenizer())).to(policy.device());
                HeadLogProbs logProbs = SequenceScores.sums(policy, rows, 1);
                Tensor now = SequenceScores.rowSums(logProbs.values(), rows);
                Tensor ref = reference(sums.reference(), rows);
                Tensor policyIsChosen = Tensor.mask(part.policyIsChosen(), b).to(policy.device());
                PreferenceLogProbs lp = PreferenceLogProbs.judged(
                        now.narrow(0, 0, b),
                        now.narrow(0, b, b),
                        ref.narrow(0, 0, b),
                        ref.narrow(0, b, b),
                        policyIsChosen);
                Loss loss = Xpo.xpo(lp, policyIsChosen, alpha, config.beta(), step.pairs());
                loss.value().backward();
                logProbs.backward();
                metrics.merge("loss", loss.value().item(), Double::sum);
                loss.metrics().forEach((name, values) -> {
                    String as = name.equals("loss") ? "loss/preference" : name;
                    metrics.merge(as, values.to(DType.FLOAT64).sum().item() / step.pairs(), Double::sum);
                });
                double[] computed = now.detach()
                        .narrow(0, 0, b)
                        .to(DType.FLOAT64)
                        .to(Device.CPU)
                        .toDoubles();
                metrics.merge("sampler/difference", SamplerAgreement.difference(part.policy(), computed), Math::max);
            }
        }
        long chosen = IntStream.range(0, step.pairs())
                .filter(i -> step.policyIsChosen()[i])
                .count();
        metrics.put("policy/chosen", chosen / (double) step.pairs());
        return metrics;
    }

    /// The reference's log-probs of the answers, summed over tokens.
    private static Tensor reference(Decoder reference, TokenBatch rows) {
        try (var _ = Gradients.off()) {
            return SequenceScores.rowSums(
                    SequenceScores.sums(reference, rows, 1).values(), rows);
        }
    }

    /// The policies of one bonus as they were kept, on held-out sums; their numbers go into the metrics, too.
    private static Frontier.Arm way(Config config, ArithmeticTask sums, double alpha, Device device, Run run) {
        List<Frontier.Point> points = new ArrayList<>();
        for (int step = 1; step <= config.training().steps(); step++) {
            if (config.isKept(step)) {
                try (Decoder policy = Models.load(snapshot(config, run, alpha, step), device)) {
                    List<AnswerTree.Exact> exact = sums.exact(policy);
                    points.add(ArithmeticTask.point(
                            exact, step == config.training().steps() ? "step " + step : ""));
                    Map<String, Double> metrics = new LinkedHashMap<>();
                    metrics.put("right", ArithmeticTask.reward(exact));
                    metrics.put("kl", ArithmeticTask.kl(exact));
                    run.log("held_out-" + config.phase(alpha), step, metrics);
                }
            }
        }
        return sums.course(name(alpha), points);
    }

    private static String name(double alpha) {
        return alpha == 0 ? "online DPO" : "XPO, α " + alpha;
    }

    private static Summary summary(Config config, ArithmeticTask sums, Decoder policy, Device device, Run run) {
        List<Frontier.Arm> ways = config.alphas().stream()
                .map(alpha -> way(config, sums, alpha, device, run))
                .toList();
        String ends = ways.stream()
                .map(way -> String.format(
                        "%s has %.1f %%, at %.2f nats",
                        way.name(),
                        100 * way.points().getLast().y().value(),
                        way.points().getLast().x()))
                .collect(Collectors.joining("; "));
        long labels = (long) config.training().steps() * config.training().batchSize();
        Summary summary = Summary.of("xpo", Summary.Status.FINISHED, run.seconds())
                .title("A policy looks beyond what its reference says")
                .verdict(String.format(
                        "Right answers drawn to sums never trained on: the reference has %.1f %%; after %d labels %s from"
                                + " the reference.",
                        100 * ArithmeticTask.reward(sums.before()), labels, ends))
                .frontier(sums.frontier(ways.toArray(Frontier.Arm[]::new)))
                .fact("labelled pairs", Estimate.of(labels), "", "for each alpha, drawn while it learns");
        return sums.judged(summary, policy);
    }
}

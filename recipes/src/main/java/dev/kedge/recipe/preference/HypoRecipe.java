package dev.kedge.recipe.preference;

import dev.kedge.data.Batches;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.preference.Hypo;
import dev.kedge.objective.preference.OnlineLogProbs;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PreferenceTraining;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.task.PartialCoverage;
import dev.kedge.task.PartialCoverage.Standing;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
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
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

/// HyPO (arXiv:2406.01462) beside DPO, where the preferences cover a part of the answers only.
///
/// The reference is a tiny decoder that learnt sums from a text full of mistakes ([ArithmeticTask]). Its own answers to
// training
/// problems make the pairs, but somebody compared near misses only: both answers of a pair agree in all digits but the
/// last. About every other answer the pairs say nothing, and in DPO's margin the digits that the two share cancel. HyPO
/// adds a penalty on `KL(π||π_ref)`, measured on answers that the policy draws at every step; nobody labels them.
///
/// Kept: the loss of Algorithm 1 with the leave-one-out baseline; answers drawn at temperature 1 from the whole
/// distribution, for the prompts of the step's pairs, and used for one step; DPO with the same pairs and steps beside
/// it, at HyPO's beta and at others. Left out: a learnt judge, since reward, divergence and the mass on answers that no
/// pair holds are exact here.
///
/// Command: `./kedge run recipes/hypo.yaml`. Numbers: docs/papers/hypo.md.
public final class HypoRecipe {
    private HypoRecipe() {}

    /// @param task    the world: task, decoder, pre-training
    /// @param prompts training problems that are answered for preferences
    /// @param answers to each
    /// @param betas   strengths of DPO's regulariser, each > 0; the first one is HyPO's too
    /// @param lambdas weights of HyPO's online KL, each > 0; the first one's policy is shown and kept
    /// @param samples answers that the policy draws to each prompt of a step, >= 2
    /// @param training how each policy is moved
    /// @param device  cpu, cuda or cuda:N
    /// @param threads of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed    of everything drawn
    public record Config(
            ArithmeticTask.Config task,
            int prompts,
            int answers,
            List<Double> betas,
            List<Double> lambdas,
            int samples,
            TrainingConfig training,
            String device,
            int threads,
            long seed) {
        public Config {
            Require.positive("betas", betas);
            Require.positive("lambdas", lambdas);
            if (prompts < 1 || answers < 2 || samples < 2) {
                throw new IllegalArgumentException("prompts >= 1, answers >= 2 and samples >= 2 expected, were "
                        + prompts + ", " + answers + " and " + samples);
            }
        }
    }

    /// The sampler and the trainer run the same code: a larger difference, in nats a token, means that one is wrong.
    private static final double LOG_PROB_TOLERANCE = 1e-3;

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (ArithmeticTask sums = new ArithmeticTask(config.task(), run, device, config.seed())) {
            PartialCoverage misses = new PartialCoverage(sums);
            List<TokenizedPair> pairs = misses.pairs(config.prompts(), config.answers(), config.seed(), run);
            int padId = Models.padId(sums.tokenizer());
            double[][] scores = SequenceScores.ofPairs(sums.reference(), pairs, padId);
            List<Standing> dpo = new ArrayList<>();
            for (double beta : config.betas()) {
                PreferenceLoss objective = new PreferenceLoss.Sigmoid(beta);
                dpo.add(standing(
                        misses,
                        "dpo-beta-" + beta,
                        device,
                        run,
                        (phase, policy) -> PreferenceTraining.train(
                                run,
                                phase,
                                policy,
                                policy.parameters(),
                                pairs,
                                scores,
                                padId,
                                objective,
                                config.training(),
                                config.seed())));
            }
            List<Standing> hypo = new ArrayList<>();
            for (double lambda : config.lambdas()) {
                hypo.add(standing(
                        misses,
                        "hypo-lambda-" + lambda,
                        device,
                        run,
                        (phase, policy) -> train(config, sums, pairs, lambda, phase, policy, run)));
            }
            try (Decoder shown =
                    Models.load(folder(run, "hypo-lambda-" + config.lambdas().getFirst()), device)) {
                Models.save(shown, sums.tokenizer(), run.folder().resolve("model"));
                run.summarise(sums.judged(summary(config, misses, pairs, dpo, hypo, run), shown));
            }
        }
    }

    private static Path folder(Run run, String policy) {
        return run.folder().resolve("policies").resolve(policy);
    }

    /// The standing of a policy that is trained here, or read where the run has made it already.
    ///
    /// @param training of a copy of the reference, given the name of its phase
    private static Standing standing(
            PartialCoverage misses, String name, Device device, Run run, BiConsumer<String, Decoder> training) {
        if (!Models.isComplete(folder(run, name))) {
            try (Decoder policy = misses.sums().reference().copy()) {
                training.accept(name.replace('.', '_'), policy);
                Models.save(policy, misses.sums().tokenizer(), folder(run, name));
            }
        }
        try (Decoder policy = Models.load(folder(run, name), device)) {
            Standing standing = misses.standing(policy);
            run.note(name + ": " + standing.words());
            return standing;
        }
    }

    /// The loop. Goes on from the run's checkpoint where that is of this phase.
    private static void train(
            Config config,
            ArithmeticTask sums,
            List<TokenizedPair> pairs,
            double lambda,
            String phase,
            Decoder policy,
            Run run) {
        TrainingConfig o = config.training();
        Schedule schedule = o.schedules();
        try (AdamW optimizer = o.optimizer(policy.parameters())) {
            int first = 0;
            var saved = run.latest().filter(c -> c.phase().equals(phase));
            if (saved.isPresent()) {
                saved.get().restore("model", policy.parameters().named());
                saved.get().restore("optimizer", optimizer.state());
                first = (int) saved.get().step();
            }
            EpochBatches batches = batches(config, pairs);
            try (Progress progress = run.progress(phase, first, o.steps())) {
                for (int step = first; step < o.steps(); step++) {
                    long start = System.nanoTime();
                    List<TokenizedPair> batch =
                            Arrays.stream(batches.at(step)).mapToObj(pairs::get).toList();
                    List<Completion> online = answers(config, sums, batch, policy, step);
                    Map<String, Double> metrics = gradient(config, sums, batch, online, lambda, policy);
                    metrics.put("grad_norm", policy.parameters().clipGradient(o.maxGradNorm()));
                    run.guard(phase, step + 1L, metrics);
                    optimizer.step(schedule.at(step));
                    long tokens = tokens(batch, online);
                    metrics.put("lr", schedule.at(step));
                    metrics.put("tokens_per_s", tokens / ((System.nanoTime() - start) / 1e9));
                    run.log(phase, step + 1L, metrics);
                    progress.step(step + 1L, metrics.get("loss"), tokens);
                    if ((step + 1) % o.checkpointEvery() == 0 || step + 1 == o.steps()) {
                        run.save(Checkpoint.at(phase, step + 1L)
                                .tensors("model", policy.parameters().named())
                                .tensors("optimizer", optimizer.state()));
                    }
                }
            }
        }
    }

    private static EpochBatches batches(Config config, List<TokenizedPair> pairs) {
        int[] lengths = pairs.stream().mapToInt(TokenizedPair::length).toArray();
        return new EpochBatches(
                config.training().batches(), lengths, config.training().batchSize(), config.seed());
    }

    private static long tokens(List<TokenizedPair> batch, List<Completion> online) {
        return batch.stream()
                        .mapToLong(
                                pair -> pair.chosen().length() + pair.rejected().length())
                        .sum()
                + online.stream().mapToLong(c -> c.tokens().length).sum();
    }

    private static void requireSameLogProbs(double difference) {
        if (!(difference < LOG_PROB_TOLERANCE)) {
            throw new RunFailedException("log-probs of sampler and trainer differ by " + difference
                    + " nats, more than " + LOG_PROB_TOLERANCE + ": no number of this run can be trusted");
        }
    }

    /// The policy's own answers to the prompts of a step's pairs, a function of seed and step.
    private static List<Completion> answers(
            Config config, ArithmeticTask sums, List<TokenizedPair> batch, Decoder policy, int step) {
        long seed = new SplittableRandom(config.seed()).nextLong() + step;
        List<int[]> prompts = batch.stream().map(HypoRecipe::prompt).toList();
        return Generator.generate(policy, prompts, sums.sampling(config.samples(), seed, true), null);
    }

    private static int[] prompt(TokenizedPair pair) {
        return Arrays.copyOf(pair.chosen().tokens(), pair.promptLength());
    }

    /// Adds the gradient of a step's loss, micro-batch by micro-batch. Metrics are means: of pairs over the step's
    /// pairs, of the policy's own answers over the step's answers. `loss` is what is minimised, with the KL
    /// estimated.
    private static Map<String, Double> gradient(
            Config config,
            ArithmeticTask sums,
            List<TokenizedPair> batch,
            List<Completion> online,
            double lambda,
            Decoder policy) {
        Map<String, Double> sum = new LinkedHashMap<>();
        for (int[] part : Batches.inOrder(batch.size(), config.training().microBatch())) {
            int from = part[0];
            int to = from + part.length;
            List<Completion> own = online.subList(from * config.samples(), to * config.samples());
            try (Scope _ = new Scope()) {
                TokenBatch rows = rows(sums, batch.subList(from, to), own).to(policy.device());
                HeadLogProbs logProbs = SequenceScores.sums(policy, rows, 1.0);
                Tensor now = SequenceScores.rowSums(logProbs.values(), rows);
                Tensor ref = reference(sums.reference(), rows);
                int b = part.length;
                PreferenceLogProbs lp = new PreferenceLogProbs(
                        now.narrow(0, 0, b), now.narrow(0, b, b), ref.narrow(0, 0, b), ref.narrow(0, b, b));
                OnlineLogProbs answers = new OnlineLogProbs(own(now, b, own.size()), own(ref, b, own.size()));
                Loss loss =
                        Hypo.leaveOneOut(lp, answers, config.betas().getFirst(), lambda, batch.size(), online.size());
                loss.value().backward();
                logProbs.backward();
                loss.metrics()
                        .forEach((name, values) ->
                                sum.merge(name, values.to(DType.FLOAT64).sum().item(), Double::sum));
                sum.merge("sampler/difference", difference(own, answers.policy()), Math::max);
            }
        }
        requireSameLogProbs(sum.get("sampler/difference"));
        return means(sum, lambda, batch.size(), online);
    }

    private static Map<String, Double> means(
            Map<String, Double> sum, double lambda, int pairs, List<Completion> online) {
        double dpo = sum.get("loss") / pairs;
        double kl = sum.get("online/kl") / online.size();
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("loss", dpo + lambda * kl);
        metrics.put("loss/dpo", dpo);
        for (String name : List.of("reward/chosen", "reward/rejected", "reward/accuracy")) {
            metrics.put(name, sum.get(name) / pairs);
        }
        metrics.put("online/kl", kl);
        metrics.put(
                "online/tokens",
                online.stream().mapToInt(c -> c.tokens().length).average().orElseThrow());
        metrics.put("sampler/difference", sum.get("sampler/difference"));
        return metrics;
    }

    /// The chosen replies, the rejected ones, then the policy's own answers.
    private static TokenBatch rows(ArithmeticTask sums, List<TokenizedPair> pairs, List<Completion> own) {
        int k = own.size() / pairs.size();
        List<Tokenized> rows = new ArrayList<>();
        pairs.forEach(pair -> rows.add(pair.chosen()));
        pairs.forEach(pair -> rows.add(pair.rejected()));
        for (int i = 0; i < own.size(); i++) {
            rows.add(Tokenized.ofReply(prompt(pairs.get(i / k)), own.get(i).tokens()));
        }
        return TokenBatch.of(rows, Models.padId(sums.tokenizer()), 1);
    }

    private static Tensor reference(Decoder reference, TokenBatch rows) {
        try (var _ = Gradients.off()) {
            return SequenceScores.rowSums(
                    SequenceScores.sums(reference, rows, 1.0).values(), rows);
        }
    }

    /// The rows behind those of `pairs` pairs: [pairs, samples].
    private static Tensor own(Tensor rowSums, int pairs, int count) {
        return rowSums.narrow(0, 2L * pairs, count).reshape(pairs, count / pairs);
    }

    /// By how much what the sampler reported differs from what the trainer computed, at most: nats a token.
    private static double difference(List<Completion> own, Tensor logProbs) {
        double[] computed =
                logProbs.detach().reshape(-1).to(DType.FLOAT64).to(Device.CPU).toDoubles();
        double largest = 0;
        for (int i = 0; i < computed.length; i++) {
            double reported = 0;
            for (float logProb : own.get(i).logProbs()) {
                reported += logProb;
            }
            largest = Math.max(
                    largest, Math.abs(reported - computed[i]) / own.get(i).tokens().length);
        }
        return largest;
    }

    private static Summary summary(
            Config config,
            PartialCoverage misses,
            List<TokenizedPair> pairs,
            List<Standing> dpo,
            List<Standing> hypo,
            Run run) {
        ArithmeticTask sums = misses.sums();
        Standing before = misses.standing(sums.reference());
        Standing plain = dpo.getFirst();
        Standing shown = hypo.getFirst();
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, config.seed());
        return Summary.of("hypo", Summary.Status.FINISHED, run.seconds())
                .title("DPO and HyPO where the pairs hold near misses only")
                .verdict("Drawn answers. Reference: " + before.words() + ". DPO at beta "
                        + config.betas().getFirst() + ": " + plain.words() + ". HyPO at the same, with lambda "
                        + config.lambdas().getFirst() + ": " + shown.words() + ".")
                .comparison(
                        "Answers of kinds that no pair holds, DPO",
                        "%",
                        bootstrap.bca(before.uncovered()),
                        bootstrap.bca(plain.uncovered()))
                .comparison(
                        "Answers of kinds that no pair holds, HyPO",
                        "%",
                        bootstrap.bca(before.uncovered()),
                        bootstrap.bca(shown.uncovered()))
                .frontier(sums.frontier(
                        sums.sweep("DPO", points(dpo, config.betas(), "β ")),
                        sums.sweep("HyPO, β " + config.betas().getFirst(), points(hypo, config.lambdas(), "λ "))))
                .fact(
                        "reward, HyPO less DPO",
                        bootstrap.pairedBca(plain.reward(), shown.reward()),
                        "",
                        "at the same beta, paired by sum; interval over sums, not over trainings")
                .fact("KL, HyPO less DPO", bootstrap.pairedBca(plain.kl(), shown.kl()), "nats", "likewise")
                .fact("preferences", Estimate.of(pairs.size()), "", "right over near misses of the reference itself")
                .fact(
                        "answers drawn by HyPO in training",
                        Estimate.of(drawn(config, pairs)),
                        "",
                        "DPO draws none; nobody labels them");
    }

    /// How many answers a policy draws while it learns.
    private static long drawn(Config config, List<TokenizedPair> pairs) {
        EpochBatches batches = batches(config, pairs);
        return IntStream.range(0, config.training().steps())
                .mapToLong(step -> (long) config.samples() * batches.at(step).length)
                .sum();
    }

    private static List<Frontier.Point> points(List<Standing> standings, List<Double> strengths, String symbol) {
        return IntStream.range(0, standings.size())
                .mapToObj(i -> ArithmeticTask.point(standings.get(i).exact(), symbol + strengths.get(i)))
                .toList();
    }
}

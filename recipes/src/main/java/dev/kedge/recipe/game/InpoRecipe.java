package dev.kedge.recipe.game;

import dev.kedge.data.Batches;
import dev.kedge.data.PreferenceBatch;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.TokenizedPair;
import dev.kedge.env.PreferenceOracle;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.Loss;
import dev.kedge.objective.game.Inpo;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.recipe.game.GameSummary.Stand;
import dev.kedge.recipe.game.GameSummary.Way;
import dev.kedge.recipe.preference.PairwiseJudge;
import dev.kedge.recipe.preference.PairwiseJudge.Judging;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.AnswerGame;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.task.LabelledAnswers;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
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

/// INPO (arXiv:2407.00617) with and without its reference: a language model improves on itself, iteration by iteration,
/// by a regression on pairs that its previous policy drew.
///
/// A tiny decoder that learnt sums from a text full of mistakes ([ArithmeticTask]) answers; a judge compares two
// answers, by
/// classes that beat each other in a circle or by the sums themselves ([PairwiseJudge]). Every answer of up to two
// digits is
/// enumerated, so that the duality gap of the regularised game is exact for the last policy and for the average of all,
/// prompt by prompt ([AnswerGame]).
///
/// Kept: pairs drawn independently from π_t, each labelled by one draw of the preference; log-probs under π_ref and π_t
/// computed once; the loss on sums over tokens, from π_t on. Left out: the best and the worst of several answers in a
/// tournament, which moves the regression's optimum.
///
/// Command: `./kedge run recipes/inpo.yaml`. Numbers: docs/papers/inpo.md.
public final class InpoRecipe {
    private InpoRecipe() {}

    /// @param task       the world: task, decoder, pre-training
    /// @param judge      who compares answers
    /// @param eta        inverse step size, > 0
    /// @param taus       strengths of the reference, each in [0, eta], in turn; 0 is self-play without it. The
    ///                   first one, > 0, is that of the game that all are judged by; its policy is shown and kept
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
            if (!(eta > 0 && eta < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("eta must be finite and > 0, was " + eta);
            }
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

        String phase(double tau) {
            return ("tau-" + tau).replace('.', '_');
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (ArithmeticTask sums = new ArithmeticTask(config.task(), run, device, config.seed());
                Judging judge = config.judge().judging(sums, run, device, config.seed())) {
            for (double tau : config.taus()) {
                for (int t = 1; t <= config.iterations(); t++) {
                    if (!Models.isComplete(folder(config, run, tau, t))) {
                        iterate(config, sums, judge.oracle(), tau, t, device, run);
                    }
                }
            }
            Path last = folder(config, run, config.taus().getFirst(), config.iterations());
            try (Decoder policy = Models.load(last, device)) {
                Models.save(policy, sums.tokenizer(), run.folder().resolve("model"));
                run.summarise(summary(config, sums, judge, policy, device, run));
            }
        }
    }

    /// Where the policy after t iterations is kept; after none it is the reference.
    private static Path folder(Config config, Run run, double tau, int t) {
        return t == 0
                ? run.folder().resolve("reference")
                : run.folder().resolve("policies").resolve(config.phase(tau)).resolve("iteration-" + t);
    }

    /// Makes the policy after t iterations of the one before.
    private static void iterate(
            Config config, ArithmeticTask sums, PreferenceOracle oracle, double tau, int t, Device device, Run run) {
        try (Decoder previous = Models.load(folder(config, run, tau, t - 1), device);
                Decoder policy = previous.copy()) {
            List<TokenizedPair> pairs = draw(config, sums, oracle, previous, t);
            int padId = Models.padId(sums.tokenizer());
            Data data = new Data(
                    pairs,
                    SequenceScores.ofPairs(sums.reference(), pairs, padId),
                    SequenceScores.ofPairs(previous, pairs, padId),
                    padId);
            train(config, data, tau, t, policy, run);
            Models.save(policy, sums.tokenizer(), folder(config, run, tau, t));
        }
    }

    /// Pairs of the previous policy with one drawn label each: a function of the seed and t. All strengths get the same
    /// prompts.
    private static List<TokenizedPair> draw(
            Config config, ArithmeticTask sums, PreferenceOracle oracle, Decoder previous, int t) {
        var random = new SplittableRandom(new SplittableRandom(config.seed()).nextLong() + t);
        List<int[]> prompts =
                sums.training(config.pairs(), random).stream().map(sums::prompt).toList();
        return LabelledAnswers.labelled(LabelledAnswers.of(previous, prompts, sums, random.nextLong()), oracle, random);
    }

    /// What an iteration learns from: pairs, and the log-probs of chosen and rejected under π_ref and π_t.
    private record Data(List<TokenizedPair> pairs, double[][] reference, double[][] previous, int padId) {}

    /// The regression. Steps count through all iterations of a strength; goes on from the run's checkpoint where that
    /// is of this iteration.
    private static void train(Config config, Data data, double tau, int t, Decoder policy, Run run) {
        TrainingConfig o = config.training();
        String phase = config.phase(tau);
        Schedule schedule = o.schedules();
        int before = (t - 1) * o.steps();
        int total = config.iterations() * o.steps();
        try (AdamW optimizer = o.optimizer(policy.parameters())) {
            int first = 0;
            var saved = run.latest().filter(c -> c.phase().equals(phase) && c.step() > before);
            if (saved.isPresent()) {
                saved.get().restore("model", policy.parameters().named());
                saved.get().restore("optimizer", optimizer.state());
                first = (int) saved.get().step() - before;
            }
            int[] lengths = data.pairs.stream().mapToInt(TokenizedPair::length).toArray();
            EpochBatches batches = new EpochBatches(o.batches(), lengths, o.batchSize(), config.seed());
            try (Progress progress = run.progress(phase, before + first, total)) {
                for (int step = first; step < o.steps(); step++) {
                    long done = before + step + 1L;
                    long start = System.nanoTime();
                    int[] batch = batches.at(step);
                    Map<String, Double> metrics = gradient(config, data, batch, tau, policy);
                    metrics.put("grad_norm", policy.parameters().clipGradient(o.maxGradNorm()));
                    run.guard(phase, done, metrics);
                    optimizer.step(schedule.at(step));
                    long tokens = Arrays.stream(batch)
                            .mapToLong(i -> data.pairs.get(i).chosen().length()
                                    + data.pairs.get(i).rejected().length())
                            .sum();
                    metrics.put("lr", schedule.at(step));
                    metrics.put("tokens_per_s", tokens / ((System.nanoTime() - start) / 1e9));
                    run.log(phase, done, metrics);
                    progress.step(done, metrics.get("loss"), tokens);
                    if ((step + 1) % o.checkpointEvery() == 0 || step + 1 == o.steps()) {
                        run.save(Checkpoint.at(phase, done)
                                .tensors("model", policy.parameters().named())
                                .tensors("optimizer", optimizer.state()));
                    }
                }
            }
        }
    }

    /// Adds the gradient of a step's loss, micro-batch by micro-batch; the metrics are means over its pairs.
    private static Map<String, Double> gradient(Config config, Data data, int[] batch, double tau, Decoder policy) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("loss", 0.0);
        for (int[] part : Batches.inOrder(batch.length, config.training().microBatch())) {
            int[] chosen = Arrays.stream(part).map(i -> batch[i]).toArray();
            try (Scope _ = new Scope()) {
                TokenBatch tokens = PreferenceBatch.of(
                                Arrays.stream(chosen).mapToObj(data.pairs::get).toList(), data.padId, 1)
                        .sequences()
                        .to(policy.device());
                HeadLogProbs logProbs = SequenceScores.sums(policy, tokens, 1.0);
                Tensor sums = SequenceScores.rowSums(logProbs.values(), tokens); // chosen, then rejected: [2B]
                int b = chosen.length;
                PreferenceLogProbs lp = new PreferenceLogProbs(
                        sums.narrow(0, 0, b),
                        sums.narrow(0, b, b),
                        constant(data.reference[0], chosen, sums),
                        constant(data.reference[1], chosen, sums));
                Loss loss = Inpo.inpo(
                        lp,
                        constant(data.previous[0], chosen, sums),
                        constant(data.previous[1], chosen, sums),
                        config.eta(),
                        tau,
                        batch.length);
                loss.value().backward();
                logProbs.backward();
                metrics.merge("loss", loss.value().item(), Double::sum);
                loss.metrics().forEach((name, values) -> {
                    if (!name.equals("loss")) {
                        metrics.merge(name, values.to(DType.FLOAT64).sum().item() / batch.length, Double::sum);
                    }
                });
            }
        }
        return metrics;
    }

    private static Tensor constant(double[] values, int[] chosen, Tensor like) {
        return Tensor.of(Arrays.stream(chosen).mapToDouble(i -> values[i]).toArray())
                .to(like.dtype())
                .to(like.device());
    }

    /// The policies of a strength after each iteration, and the average of those up to each.
    private static List<Way> ways(Config config, GameSummary summary, double tau, Device device, Run run) {
        List<Stand> last = new ArrayList<>(List.of(summary.reference()));
        List<Stand> average = new ArrayList<>(List.of(summary.reference()));
        for (int t = 1; t <= config.iterations(); t++) {
            last.add(summary.stand(t, folder(config, run, tau, t), device));
            average.add(summary.stand(
                    t, AnswerGame.average(last.stream().map(Stand::logPolicy).toList())));
        }
        String name = tau == 0 ? "self-play without reference" : "INPO, τ " + tau;
        return List.of(new Way(name, last), new Way("average of " + name, average));
    }

    private static Summary summary(
            Config config, ArithmeticTask sums, Judging judge, Decoder policy, Device device, Run run) {
        GameSummary game = new GameSummary(sums, judge.truth(), config.taus().getFirst(), config.seed());
        List<List<Way>> pairs = config.taus().stream()
                .map(tau -> ways(config, game, tau, device, run))
                .toList();
        List<Way> lasts = pairs.stream().map(List::getFirst).toList();
        List<Way> averages = pairs.stream().map(List::getLast).toList();
        List<Way> all = new ArrayList<>(lasts);
        all.addAll(averages);
        String ends = IntStream.range(0, lasts.size())
                .mapToObj(i -> String.format(
                        "%s has %.4f (the average of its policies %.4f)",
                        lasts.get(i).name(),
                        lasts.get(i).end().gap(),
                        averages.get(i).end().gap()))
                .collect(Collectors.joining(", "));
        Summary summary = Summary.of("inpo", Summary.Status.FINISHED, run.seconds())
                .title("A language model against its own past")
                .verdict(String.format(
                        "The exact duality gap at tau %s on sums never trained on is %.4f at the reference; after %d"
                                + " iterations %s.",
                        config.taus().getFirst(), game.reference().gap(), config.iterations(), ends))
                .frontier(game.frontier("iterations", all))
                .fact("pairs drawn for an iteration", Estimate.of(config.pairs()), "", "one label each");
        return game.judged(summary, all, policy);
    }
}

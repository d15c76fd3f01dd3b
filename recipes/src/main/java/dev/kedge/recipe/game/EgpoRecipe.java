package dev.kedge.recipe.game;

import dev.kedge.data.Batches;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.env.PreferenceOracle;
import dev.kedge.env.PreferenceOracle.Duel;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Extragradient;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.Loss;
import dev.kedge.objective.game.Egpo;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.recipe.game.GameSummary.Stand;
import dev.kedge.recipe.game.GameSummary.Way;
import dev.kedge.recipe.preference.PairwiseJudge;
import dev.kedge.recipe.preference.PairwiseJudge.Judging;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Estimate;
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

/// EGPO (arXiv:2503.08942) beside online IPO: a language model learns a game of preferences against itself.
///
/// A tiny decoder that learnt sums from a text full of mistakes ([ArithmeticTask]) answers; a judge compares two
// answers, by
/// classes that beat each other in a circle or by the sums themselves ([PairwiseJudge]). Every answer of up to two
// digits is
/// enumerated, so that the duality gap of the regularised game is exact, prompt by prompt ([AnswerGame]).
///
/// Kept: the loss on sequences, opponents from the half step's policy, the half step undone with the optimiser's
/// state, fresh draws for each of the two gradients, pairs from a flattened policy in place of uniform ones. A step is
/// one gradient; an update of EGPO takes two. Left out: log-probs divided by lengths, adapters, a judge that is a
/// language model.
///
/// Command: `./kedge run recipes/egpo.yaml`. Numbers: docs/papers/egpo.md.
public final class EgpoRecipe {
    private EgpoRecipe() {}

    /// @param task            the world: task, decoder, pre-training
    /// @param judge           who compares answers
    /// @param beta            strength of the regulariser, > 0
    /// @param methods         in turn, each from the reference on; the first one's policy is shown and kept
    /// @param pairTemperature of the policy when pairs are drawn, > 0
    /// @param pairTopK        of the policy when pairs are drawn; 0: all tokens
    /// @param opponents       answers of the opponent to each prompt, whose preferences are averaged, >= 1
    /// @param training        how each policy is moved; a step is a gradient, a batch that many pairs
    /// @param snapshotEvery   steps between policies that are judged; even, as are checkpoint_every and steps
    /// @param device          cpu, cuda or cuda:N
    /// @param threads         of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed            of everything drawn
    public record Config(
            ArithmeticTask.Config task,
            PairwiseJudge judge,
            double beta,
            List<Method> methods,
            double pairTemperature,
            int pairTopK,
            int opponents,
            TrainingConfig training,
            int snapshotEvery,
            String device,
            int threads,
            long seed) {
        public Config {
            if (!(beta > 0 && beta < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("beta must be finite and > 0, was " + beta);
            }
            if (methods.isEmpty() || methods.stream().distinct().count() < methods.size()) {
                throw new IllegalArgumentException("methods must be different, at least one, were " + methods);
            }
            if (!(pairTemperature > 0) || opponents < 1) {
                throw new IllegalArgumentException("pair_temperature > 0 and opponents >= 1 expected, were "
                        + pairTemperature + " and " + opponents);
            }
            new Sampling(pairTemperature, pairTopK, 1, 0);
            requireEven("snapshot_every", snapshotEvery);
            requireEven("steps", training.steps());
            requireEven("checkpoint_every", training.checkpointEvery());
        }

        private static void requireEven(String name, int value) {
            if (value < 2 || value % 2 != 0) {
                throw new IllegalArgumentException(
                        name + " must be even and > 0, as an update takes two steps, was " + value);
            }
        }

        Sampling pairs() {
            return new Sampling(pairTemperature, pairTopK, 1, 0);
        }
    }

    /// Where the opponent comes from.
    public enum Method {
        /// From half a step ahead.
        EGPO("EGPO"),
        /// From the policy itself.
        ONLINE_IPO("online IPO");

        private final String title;

        Method(String title) {
            this.title = title;
        }

        String phase() {
            return name().toLowerCase();
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (ArithmeticTask sums = new ArithmeticTask(config.task(), run, device, config.seed());
                Judging judge = config.judge().judging(sums, run, device, config.seed())) {
            for (Method method : config.methods()) {
                if (!Models.isComplete(snapshot(run, method, config.training().steps()))) {
                    try (Decoder policy = sums.reference().copy()) {
                        new Training(config, sums, judge.oracle(), method, policy, run).train();
                    }
                }
            }
            Path last =
                    snapshot(run, config.methods().getFirst(), config.training().steps());
            try (Decoder policy = Models.load(last, device)) {
                Models.save(policy, sums.tokenizer(), run.folder().resolve("model"));
                run.summarise(summary(config, sums, judge, policy, device, run));
            }
        }
    }

    private static Path snapshot(Run run, Method method, int step) {
        return run.folder().resolve("policies").resolve(method.phase()).resolve("step-" + step);
    }

    private static boolean isKept(Config config, int step) {
        return step % config.snapshotEvery() == 0 || step == config.training().steps();
    }

    /// The loop of one method.
    private record Training(
            Config config, ArithmeticTask sums, PreferenceOracle oracle, Method method, Decoder policy, Run run) {

        /// Goes on from the run's checkpoint where that is of this method.
        void train() {
            TrainingConfig o = config.training();
            Schedule schedule = o.schedules();
            try (AdamW optimizer = o.optimizer(policy.parameters());
                    Extragradient extragradient = new Extragradient(policy.parameters(), optimizer)) {
                int first = 0;
                var saved = run.latest().filter(c -> c.phase().equals(method.phase()));
                if (saved.isPresent()) {
                    saved.get().restore("model", policy.parameters().named());
                    saved.get().restore("optimizer", optimizer.state());
                    first = (int) saved.get().step();
                    snapshot(first);
                }
                try (Progress progress = run.progress(method.phase(), first, o.steps())) {
                    for (int step = first; step < o.steps(); step++) {
                        boolean half = method == Method.EGPO && step % 2 == 0;
                        long start = System.nanoTime();
                        Draws draws = draw(step);
                        if (method == Method.EGPO && !half) {
                            extragradient.goBack(); // what was seen ahead stays
                        }
                        Map<String, Double> metrics = gradient(draws);
                        metrics.put("grad_norm", policy.parameters().clipGradient(o.maxGradNorm()));
                        run.guard(method.phase(), step + 1L, metrics);
                        if (half) {
                            extragradient.lookAhead(schedule.at(step));
                        } else {
                            optimizer.step(schedule.at(step));
                        }
                        metrics.put("lr", schedule.at(step));
                        metrics.put("tokens_per_s", draws.tokens() / ((System.nanoTime() - start) / 1e9));
                        run.log(method.phase(), step + 1L, metrics);
                        progress.step(step + 1L, metrics.get("loss"), draws.tokens());
                        if (!half) {
                            keep(step + 1, optimizer);
                        }
                    }
                }
            }
        }

        /// The checkpoint first: where it is, the snapshot can be made again.
        private void keep(int done, AdamW optimizer) {
            TrainingConfig o = config.training();
            if (done % o.checkpointEvery() == 0 || done == o.steps()) {
                run.save(Checkpoint.at(method.phase(), done)
                        .tensors("model", policy.parameters().named())
                        .tensors("optimizer", optimizer.state()));
            }
            snapshot(done);
        }

        private void snapshot(int done) {
            Path folder = EgpoRecipe.snapshot(run, method, done);
            if (isKept(config, done) && !Models.isComplete(folder)) {
                Models.save(policy, sums.tokenizer(), folder);
            }
        }

        /// What the policy says now: a function of seed and step. All methods get the same prompts.
        private Draws draw(int step) {
            var random = new SplittableRandom(new SplittableRandom(config.seed()).nextLong() + step);
            List<int[]> prompts = sums.training(config.training().batchSize(), random).stream()
                    .map(sums::prompt)
                    .toList();
            List<Completion> pairs = Generator.generate(policy, prompts, options(config.pairs(), 2, random), null);
            List<Completion> opponents =
                    Generator.generate(policy, prompts, options(Sampling.at(1), config.opponents(), random), null);
            return new Draws(prompts, pairs, opponents);
        }

        private Generator.Options options(Sampling sampling, int samples, SplittableRandom random) {
            return new Generator.Options(
                    sampling,
                    ArithmeticTask.DEPTH,
                    samples,
                    sums.tokenizer().stopIds(),
                    null,
                    random.nextLong(),
                    false);
        }

        /// Adds the gradient of a step's loss, micro-batch by micro-batch; the metrics are means over its pairs.
        private Map<String, Double> gradient(Draws draws) {
            double[] wins = draws.preferences(oracle);
            int pairs = draws.prompts.size();
            Map<String, Double> metrics = new LinkedHashMap<>();
            metrics.put("loss", 0.0);
            metrics.put("wins", Arrays.stream(wins).average().orElseThrow());
            for (int[] part : Batches.inOrder(pairs, config.training().microBatch())) {
                int from = 2 * part[0];
                int rows = 2 * part.length;
                try (Scope _ = new Scope()) {
                    TokenBatch tokens = TokenBatch.of(
                                    draws.sequences().subList(from, from + rows), Models.padId(sums.tokenizer()), 1)
                            .to(policy.device());
                    HeadLogProbs logProbs = SequenceScores.sums(policy, tokens, 1.0);
                    Tensor now = SequenceScores.rowSums(logProbs.values(), tokens);
                    Tensor preferences = Tensor.of(Arrays.copyOfRange(wins, from, from + rows))
                            .to(now.dtype())
                            .to(now.device());
                    Loss loss = Egpo.sequences(
                            now.view(part.length, 2),
                            reference(tokens).view(part.length, 2),
                            preferences.view(part.length, 2),
                            config.beta(),
                            pairs);
                    loss.value().backward();
                    logProbs.backward();
                    metrics.merge("loss", loss.value().item(), Double::sum);
                    Tensor rewards = loss.metric("reward/first").plus(loss.metric("reward/second"));
                    metrics.merge("reward", rewards.to(DType.FLOAT64).sum().item() / (2 * pairs), Double::sum);
                }
            }
            return metrics;
        }

        private Tensor reference(TokenBatch tokens) {
            try (var _ = Gradients.off()) {
                return SequenceScores.rowSums(
                        SequenceScores.sums(sums.reference(), tokens, 1.0).values(), tokens);
            }
        }
    }

    /// What a step learns from: to each prompt a pair of answers, y and y', and some of the opponent, y''.
    private record Draws(List<int[]> prompts, List<Completion> pairs, List<Completion> opponents) {
        /// How often each answer of a pair beats the opponent's, pair by pair.
        double[] preferences(PreferenceOracle oracle) {
            int each = opponents.size() / prompts.size();
            List<Duel> duels = new ArrayList<>();
            for (Completion c : pairs) {
                for (Completion opponent : opponents.subList(c.prompt() * each, (c.prompt() + 1) * each)) {
                    duels.add(new Duel(prompts.get(c.prompt()), c.tokens(), opponent.tokens()));
                }
            }
            double[] wins = oracle.firstWins(duels);
            double[] means = new double[pairs.size()];
            for (int i = 0; i < wins.length; i++) {
                means[i / each] += wins[i] / each;
            }
            return means;
        }

        List<Tokenized> sequences() {
            return pairs.stream()
                    .map(c -> Tokenized.ofReply(prompts.get(c.prompt()), c.tokens()))
                    .toList();
        }

        long tokens() {
            return pairs.stream().mapToLong(c -> c.tokens().length).sum()
                    + opponents.stream().mapToLong(c -> c.tokens().length).sum();
        }
    }

    /// The policies of a method as they were kept.
    private static Way way(Config config, GameSummary summary, Method method, Device device, Run run) {
        List<Stand> stands = new ArrayList<>(List.of(summary.reference()));
        for (int step = 2; step <= config.training().steps(); step += 2) {
            if (isKept(config, step)) {
                stands.add(summary.stand(step, snapshot(run, method, step), device));
            }
        }
        return new Way(method.title, stands);
    }

    private static Summary summary(
            Config config, ArithmeticTask sums, Judging judge, Decoder policy, Device device, Run run) {
        GameSummary game = new GameSummary(sums, judge.truth(), config.beta(), config.seed());
        List<Way> ways = config.methods().stream()
                .map(method -> way(config, game, method, device, run))
                .toList();
        String ends = ways.stream()
                .map(way -> String.format(
                        "%s to %.4f (at its least %.4f)", way.name(), way.end().gap(), way.leastGap()))
                .collect(Collectors.joining(", "));
        Summary summary = Summary.of("egpo", Summary.Status.FINISHED, run.seconds())
                .title("A language model in a game of preferences")
                .verdict(String.format(
                        "The exact duality gap on sums never trained on is %.4f at the reference; %d gradients bring %s.",
                        game.reference().gap(), config.training().steps(), ends))
                .frontier(game.frontier("gradients", ways))
                .fact(
                        "pairs drawn for a gradient",
                        Estimate.of(config.training().batchSize()),
                        "",
                        "");
        return game.judged(summary, ways, policy);
    }
}

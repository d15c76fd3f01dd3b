package dev.kedge.recipe.game;

import dev.kedge.data.Tokenized;
import dev.kedge.env.PreferenceOracle;
import dev.kedge.env.PreferenceOracle.AnswerPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.nn.optim.Extragradient;
import dev.kedge.objective.Loss;
import dev.kedge.objective.game.Egpo;
import dev.kedge.recipe.game.GameSummary.LearningCurve;
import dev.kedge.recipe.preference.PairwiseJudge;
import dev.kedge.run.Run;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.LossMetrics;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PolicyLogProbs;
import dev.kedge.sequence.Snapshots;
import dev.kedge.sequence.TrainedPolicies;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// EGPO (arXiv:2503.08942) beside online IPO: a language model learns a game of preferences against itself.
///
/// A tiny decoder that learnt sums from a text full of mistakes ([ArithmeticTask]) answers; a judge compares two
/// answers, by classes that beat each other in a circle or by the sums themselves ([PairwiseJudge]). Every answer of up
/// to two digits is enumerated, so that the duality gap of the regularised game is exact, prompt by prompt
/// ([dev.kedge.task.AnswerGame]).
///
/// Kept: the loss on sequences, opponents from the half step's policy, the half step undone with the optimiser's
/// state, fresh draws for each of the two gradients, pairs from a flattened policy in place of uniform ones. A step is
/// one gradient; an update of EGPO takes two. Left out: log-probs divided by lengths, adapters, a judge that is a
/// language model.
///
/// Command: `./kedge run recipes/egpo.yaml`. Numbers: docs/papers/egpo.md.
public final class EgpoRecipe {
    private EgpoRecipe() {}

    /// @param task            the generated task, its decoder and its pre-training
    /// @param judge           who compares answers
    /// @param beta            strength of the regulariser, > 0
    /// @param methods         in turn, each from the reference on; the first one's policy is shown and kept
    /// @param pairTemperature of the policy when pairs are drawn, > 0
    /// @param pairTopK        of the policy when pairs are drawn; 0: all tokens
    /// @param opponents       answers of the opponent to each prompt, whose preferences are averaged, >= 1
    /// @param training        how each policy is moved; a step is a gradient, a batch that many pairs
    /// @param snapshotEvery   steps between policies that are evaluated; even, as are checkpoint_every and steps
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
            Engine.requireThreads(threads);
            Require.positive("beta", beta);
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
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (ArithmeticTask task = new ArithmeticTask(config.task(), run, device, config.seed());
                PairwiseJudge.Opened judge = config.judge().open(task, run, config.seed())) {
            for (Method method : config.methods()) {
                Snapshots snapshots = snapshots(config, task, method, run);
                snapshots.train(
                        task.reference(),
                        policy -> train(config, task, judge.oracle(), method, policy, snapshots, run));
            }
            Method shown = config.methods().getFirst();
            try (Decoder policy = snapshots(config, task, shown, run).loadLast(device)) {
                Models.save(policy, task.tokenizer(), run.folder().resolve("model"));
                run.summarise(summary(config, task, judge, policy, run));
            }
        }
    }

    private static Snapshots snapshots(Config config, ArithmeticTask task, Method method, Run run) {
        return new TrainedPolicies(run, task.reference(), task.tokenizer())
                .snapshots(
                        method.phase(),
                        config.snapshotEvery(),
                        config.training().steps());
    }

    private static void train(
            Config config,
            ArithmeticTask task,
            PreferenceOracle oracle,
            Method method,
            Decoder policy,
            Snapshots snapshots,
            Run run) {
        int batchSize = config.training().batchSize();
        try (Training training = new Training(run, method.phase(), config.training(), policy.parameters());
                Extragradient extragradient = new Extragradient(policy.parameters(), training.optimizer())) {
            training.run(
                    step -> {
                        List<Rollout> rollouts = rollout(config, task, oracle, policy, step);
                        boolean isHalf = method == Method.EGPO && step % 2 == 0;
                        if (method == Method.EGPO && !isHalf) {
                            extragradient.goBack(); // what was seen ahead stays
                        }
                        Step planned = Step.on(
                                        rollouts,
                                        config.training().microBatch(),
                                        part -> gradient(config, task, policy, part, batchSize))
                                .completed(m -> m.put("wins", meanWins(rollouts)))
                                .tokens(rollouts.stream()
                                        .mapToLong(Rollout::tokens)
                                        .sum());
                        return isHalf
                                ? planned.update((_, rate) -> extragradient.lookAhead(rate))
                                        .half()
                                : planned;
                    },
                    done -> snapshots.keep(done, policy));
        }
    }

    /// What a step learns from at a prompt.
    ///
    /// @param pair y and y', drawn from the flattened policy
    /// @param wins how often each of them beats the opponent's answers
    private record Rollout(int[] prompt, List<Completion> pair, List<Completion> opponents, double[] wins) {
        /// Two equal answers have the same wins: their gradient cancels.
        boolean isEqual() {
            return Arrays.equals(pair.getFirst().tokens(), pair.getLast().tokens());
        }

        long tokens() {
            return Stream.of(pair, opponents)
                    .flatMap(List::stream)
                    .mapToLong(c -> c.tokens().length)
                    .sum();
        }
    }

    /// A step's rollouts: a function of policy, seed and step. All methods get the same prompts.
    private static List<Rollout> rollout(
            Config config, ArithmeticTask task, PreferenceOracle oracle, Decoder policy, int step) {
        var random = new SplittableRandom(Streams.of(config.seed(), "rollout", step));
        List<int[]> prompts = task.trainingPrompts(config.training().batchSize(), random);
        var pairs = task.completions(policy, prompts, config.pairs(), 2, random.nextLong());
        var opponents = task.completions(policy, prompts, config.opponents(), random.nextLong());
        double[] wins = wins(prompts, pairs, opponents, oracle);
        return IntStream.range(0, prompts.size())
                .mapToObj(i -> new Rollout(
                        prompts.get(i), pairs.get(i), opponents.get(i), Arrays.copyOfRange(wins, 2 * i, 2 * i + 2)))
                .toList();
    }

    /// How often each answer of the pairs beats the opponent's answers to its prompt, on average.
    private static double[] wins(
            List<int[]> prompts,
            List<List<Completion>> pairs,
            List<List<Completion>> opponents,
            PreferenceOracle oracle) {
        List<AnswerPair> compared = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            for (Completion c : pairs.get(i)) {
                for (Completion opponent : opponents.get(i)) {
                    compared.add(new AnswerPair(prompts.get(i), c.tokens(), opponent.tokens()));
                }
            }
        }
        double[] wins = oracle.firstWins(compared);
        int each = opponents.getFirst().size();
        double[] means = new double[wins.length / each];
        for (int i = 0; i < wins.length; i++) {
            means[i / each] += wins[i] / each;
        }
        return means;
    }

    private static double meanWins(List<Rollout> rollouts) {
        return rollouts.stream()
                .flatMapToDouble(r -> Arrays.stream(r.wins()))
                .average()
                .orElseThrow();
    }

    /// Adds the gradient of some rollouts' share of a step's loss; the metrics are means over the step's pairs.
    private static StepMetrics gradient(
            Config config, ArithmeticTask task, Decoder policy, List<Rollout> part, int inStep) {
        List<Tokenized> sequences = part.stream()
                .flatMap(r -> r.pair().stream().map(c -> Tokenized.ofReply(r.prompt(), c.tokens())))
                .toList();
        PolicyLogProbs now = PolicyLogProbs.of(policy, sequences, task.padId());
        Tensor wins = now.constant(
                part.stream().flatMapToDouble(r -> Arrays.stream(r.wins())).toArray());
        int pairs = part.size();
        Loss loss = Egpo.sequences(
                now.sums().view(pairs, 2),
                now.under(task.reference()).view(pairs, 2),
                wins.view(pairs, 2),
                config.beta(),
                inStep);
        now.backward(loss);
        Tensor rewards = loss.metric("reward/first").plus(loss.metric("reward/second"));
        return new StepMetrics()
                .add("loss", loss.value().item())
                .add("reward", LossMetrics.share(rewards, 2L * inStep))
                .mean("pairs/equal", part.stream().filter(Rollout::isEqual).count(), pairs);
    }

    private static Summary summary(
            Config config, ArithmeticTask task, PairwiseJudge.Opened judge, Decoder policy, Run run) {
        GameSummary game = new GameSummary(task, judge.truth(), config.beta(), config.seed());
        List<LearningCurve> curves = config.methods().stream()
                .map(method -> new LearningCurve(
                        method.title,
                        snapshots(config, task, method, run).evaluate(policy.device(), game::evaluate),
                        game.reference()))
                .toList();
        String ends = curves.stream()
                .map(curve -> String.format(
                        Locale.ROOT,
                        "%s to %.4f (at its least %.4f)",
                        curve.name(),
                        curve.last().gap(),
                        curve.leastGap()))
                .collect(Collectors.joining(", "));
        Summary summary = Summary.of("egpo", Summary.Status.FINISHED, run.seconds())
                .title("A language model in a game of preferences")
                .verdict(String.format(
                        Locale.ROOT,
                        "The exact duality gap on sums never trained on is %.4f at the reference; %d gradients"
                                + " bring %s.",
                        game.reference().gap(),
                        config.training().steps(),
                        ends))
                .frontier(game.frontier("gradients", curves))
                .fact(
                        "pairs_drawn_for_a_gradient",
                        "pairs drawn for a gradient",
                        Estimate.of(config.training().batchSize()),
                        "",
                        "");
        return game.evaluated(summary, curves, policy);
    }
}

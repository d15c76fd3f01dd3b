package dev.kedge.recipe.guidance;

import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.WeightedModel;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.ScoredPairs;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.task.DelayedRewardTask;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/// GenARM (arXiv:2410.08193): a frozen base guided, token by token, by a reward model that is itself a decoder.
///
/// The task's reward depends on how an answer goes on ([DelayedRewardTask]). Pairs of the base's own answers
/// are labelled by Bradley-Terry on whole answers; the reward model starts from the base and learns from them
/// by `-log σ(beta (log π_r(y_w) - log π_r(y_l)))`. Answers are then drawn from `π_base · π_r^alpha`,
/// normalised at each token, for every alpha of the sweep. Beside it stand DPO on the same pairs with the same
/// updates, at `beta/alpha`, which aims at the same tilt; a reward model of another width guiding the same
/// base; the best of n answers of the base by the reward model; and search by a reward model of whole answers
/// at every token ([ArgsDecoding]).
///
/// Kept: both losses on the same pairs, the sum of log-probs with the end token, one temperature over the weighted sum.
/// Left out: prompts in several templates, adapters. Divergences are estimated from the answers drawn: the mixture's
/// log-probs less the base's.
///
/// Command: `./kedge run recipes/genarm.yaml`. Numbers: docs/papers/genarm.md.
public final class GenarmRecipe {
    private GenarmRecipe() {}

    /// @param task     grammar, decoders, pre-training
    /// @param pairs    labelled pairs of the base's answers, >= 1
    /// @param beta     scale of the reward model's loss, > 0
    /// @param alphas   weights of the reward model's log-probs in decoding, each > 0; the first one's answers are
    ///                 shown
    /// @param weak     width of the reward model of another size, absent: none
    /// @param search   by a reward model of whole answers, absent: none
    /// @param best     of how many answers the best is taken, each >= 2
    /// @param training how reward models and DPO's policies are moved; its examples are pairs
    /// @param device   cpu, cuda or cuda:N
    /// @param threads  of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed     of everything drawn
    public record Config(
            DelayedRewardTask.Config task,
            int pairs,
            double beta,
            List<Double> alphas,
            Optional<Integer> weak,
            Optional<Search> search,
            List<Integer> best,
            TrainingConfig training,
            String device,
            int threads,
            long seed) {
        public Config {
            Engine.requireThreads(threads);
            if (pairs < 1 || !(beta > 0 && beta < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "pairs >= 1 and a finite beta > 0 expected, were " + pairs + " and " + beta);
            }
            Require.positive("alphas", alphas);
            if (weak.isPresent() && (weak.get() < 1 || weak.get() % task.heads() != 0)) {
                throw new IllegalArgumentException(
                        "weak must be a multiple of the heads, " + task.heads() + ", was " + weak.get());
            }
            int tokens = 2 * task.letters() + 3; // small and capital, and the special ones
            if (search.isPresent() && search.get().candidates() > tokens) {
                throw new IllegalArgumentException("candidates must be at most the vocabulary's " + tokens
                        + " tokens, were " + search.get().candidates());
            }
            if (best.stream().anyMatch(n -> n < 2)) {
                throw new IllegalArgumentException("best must be numbers >= 2, were " + best);
            }
        }
    }

    /// @param candidates that are weighed at every token, >= 1
    /// @param prompts    held-out ones that are answered, as each token costs as many forward passes as candidates
    /// @param weights    of the reward model, each > 0
    public record Search(int candidates, int prompts, List<Double> weights) {
        public Search {
            if (candidates < 1 || prompts < 1) {
                throw new IllegalArgumentException(
                        "candidates >= 1 and prompts >= 1 expected, were " + candidates + " and " + prompts);
            }
            Require.positive("weights", weights);
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        try (DelayedRewardTask task =
                new DelayedRewardTask(config.task(), run, new Device(config.device()), config.seed())) {
            new Experiment(config, task, run).sweep();
        }
    }

    /// A method at several strengths.
    record Sweep(String method, List<DelayedRewardEvaluation> evaluations) {}

    /// The methods, each swept over its strengths.
    private record Experiment(Config config, DelayedRewardTask task, Run run) {
        void sweep() {
            List<TokenizedPair> pairs = task.pairs(config.pairs(), DelayedRewardTask::reward);
            try (Decoder rewards = rewards(pairs, "rewards", task.base())) {
                Models.save(rewards, task.tokenizer(), run.folder().resolve("model"));
                Sweep guided = guided("GenARM", rewards);
                List<Sweep> sweeps = new ArrayList<>(List.of(guided, dpo(pairs)));
                if (config.weak().isPresent()) {
                    int width = config.weak().get();
                    try (Decoder start = task.pretrained("weak", width);
                            Decoder weak = rewards(pairs, "rewards-weak", start)) {
                        sweeps.add(guided("GenARM, rewards of width " + width, weak));
                    }
                }
                if (config.search().isPresent()) {
                    sweeps.add(searched(config.search().get(), pairs));
                }
                if (!config.best().isEmpty()) {
                    sweeps.add(best(rewards));
                }
                run.summarise(summary(pairs, sweeps));
            }
        }

        /// The reward model that starts from `start`: its loss is that of DPO without a reference.
        private Decoder rewards(List<TokenizedPair> pairs, String name, Decoder start) {
            ScoredPairs unscored = ScoredPairs.withoutReference(pairs, Models.padId(task.tokenizer()));
            return task.learnt(
                    name, start, unscored, new PreferenceLoss.ReferenceFree(config.beta()), config.training());
        }

        private Sweep guided(String method, Decoder rewards) {
            List<DelayedRewardEvaluation> evaluations = new ArrayList<>();
            for (double alpha : config.alphas()) {
                List<WeightedModel> models =
                        List.of(new WeightedModel(task.base(), 1), new WeightedModel(rewards, alpha));
                evaluations.add(DelayedRewardEvaluation.drawn(
                        task, models, "α " + alpha, Streams.of(config.seed(), "held-out answers")));
            }
            return noted(new Sweep(method, evaluations));
        }

        /// DPO at the strengths that aim at the tilts of the sweep.
        private Sweep dpo(List<TokenizedPair> pairs) {
            ScoredPairs scored = ScoredPairs.of(task.base(), pairs, Models.padId(task.tokenizer()));
            List<DelayedRewardEvaluation> evaluations = new ArrayList<>();
            for (double alpha : config.alphas()) {
                double beta = config.beta() / alpha;
                PreferenceLoss objective = new PreferenceLoss.Sigmoid(beta);
                try (Decoder policy =
                        task.learnt("dpo-beta-" + beta, task.base(), scored, objective, config.training())) {
                    List<WeightedModel> alone = List.of(new WeightedModel(policy, 1));
                    evaluations.add(DelayedRewardEvaluation.drawn(
                            task, alone, "β " + beta, Streams.of(config.seed(), "held-out answers")));
                }
            }
            return noted(new Sweep("DPO", evaluations));
        }

        private Sweep searched(Search search, List<TokenizedPair> pairs) {
            ScoredPairs marked = ScoredPairs.withoutReference(
                    pairs.stream().map(p -> ArgsDecoding.marked(p, task.mark())).toList(),
                    Models.padId(task.tokenizer()));
            PreferenceLoss objective = new PreferenceLoss.ReferenceFree(1);
            List<int[]> prompts = task.heldOut()
                    .subList(0, Math.min(search.prompts(), task.heldOut().size()));
            List<DelayedRewardEvaluation> evaluations = new ArrayList<>();
            try (Decoder rewards = task.learnt("rewards-whole", task.base(), marked, objective, config.training())) {
                ArgsDecoding decoding = new ArgsDecoding(
                        task.base(), rewards, task.mark(), search.candidates(), task.end(), task.maxTokens());
                for (double weight : search.weights()) {
                    evaluations.add(DelayedRewardEvaluation.of(
                            task,
                            "w " + weight,
                            decoding.draw(prompts, weight, Streams.of(config.seed(), "held-out answers"))));
                }
            }
            return noted(new Sweep("search by rewards of whole answers", evaluations));
        }

        /// The best of n answers of the base by the reward model; the divergence is the bound `log n - (n - 1)/n`.
        private Sweep best(Decoder rewards) {
            int most = config.best().stream().mapToInt(n -> n).max().orElseThrow();
            long stream = Streams.of(config.seed(), "answers to choose from");
            List<Completion> answers =
                    Generator.generate(task.base(), task.heldOut(), task.sampling(most, stream), null);
            double[] scores = DelayedRewardEvaluation.logProbs(task, rewards, answers);
            List<DelayedRewardEvaluation> evaluations = new ArrayList<>();
            for (int n : config.best()) {
                List<Completion> kept = new ArrayList<>();
                for (int prompt = 0; prompt < task.heldOut().size(); prompt++) {
                    int first = prompt * most;
                    int best = IntStream.range(first, first + n)
                            .reduce((a, b) -> scores[a] >= scores[b] ? a : b)
                            .orElseThrow();
                    kept.add(answers.get(best));
                }
                double[] kl = new double[kept.size()];
                Arrays.fill(kl, Math.log(n) - (n - 1.0) / n);
                evaluations.add(DelayedRewardEvaluation.of(task, "n " + n, kept, kl));
            }
            return noted(new Sweep("best of n by the rewards", evaluations));
        }

        private Sweep noted(Sweep sweep) {
            sweep.evaluations()
                    .forEach(s ->
                            run.note(sweep.method() + ", " + s.label() + ": " + s.words(DelayedRewardTask::reward)));
            return sweep;
        }

        private Summary summary(List<TokenizedPair> pairs, List<Sweep> sweeps) {
            DelayedRewardEvaluation before = DelayedRewardEvaluation.drawn(
                    task,
                    List.of(new WeightedModel(task.base(), 1)),
                    "base",
                    Streams.of(config.seed(), "held-out answers"));
            DelayedRewardEvaluation guided = sweeps.getFirst().evaluations().getFirst();
            DelayedRewardEvaluation dpo = sweeps.get(1).evaluations().getFirst();
            double[] unguided = before.rewards(DelayedRewardTask::reward);
            double[] rewards = guided.rewards(DelayedRewardTask::reward);
            Bootstrap bootstrap = new Bootstrap(2000, 0.95, Streams.of(config.seed(), "bootstrap"));
            List<Frontier.Arm> arms = sweeps.stream()
                    .map(sweep -> DelayedRewardEvaluation.curve(
                            sweep.method(), before, sweep.evaluations(), bootstrap, DelayedRewardTask::reward))
                    .toList();
            Summary summary = Summary.of("genarm", Summary.Status.FINISHED, run.seconds())
                    .title("A frozen base guided by autoregressive rewards")
                    .verdict(String.format(
                            Locale.ROOT,
                            "Mean reward of answers drawn to prompts that no pair has: the base has %.2f; guided with"
                                    + " alpha %s it has %s; trained by DPO for the same tilt, %s.",
                            Bootstrap.mean(unguided),
                            config.alphas().getFirst(),
                            guided.words(DelayedRewardTask::reward),
                            dpo.words(DelayedRewardTask::reward)))
                    .comparison("Reward of an answer", "", bootstrap.bca(unguided), bootstrap.bca(rewards))
                    .frontier(new Frontier(
                            "Reward against divergence from the base",
                            "KL(drawn || base), nats",
                            "reward of an answer",
                            arms,
                            List.of()))
                    .fact(
                            "reward_genarm_less_dpo",
                            "reward, GenARM less DPO",
                            bootstrap.pairedBca(dpo.rewards(DelayedRewardTask::reward), rewards),
                            "",
                            "for the same tilt, not at the same divergence; interval over prompts, not over trainings")
                    .fact(
                            "kl_genarm_less_dpo",
                            "KL, GenARM less DPO",
                            bootstrap.pairedBca(dpo.kl(), guided.kl()),
                            "nats",
                            "likewise")
                    .fact("length_of_an_answer_base", "length of an answer, base", before.symbols(), "symbols", "")
                    .fact("length_of_an_answer_guided", "length of an answer, guided", guided.symbols(), "symbols", "")
                    .fact("preferences", "preferences", pairs.size(), "", "over pairs of the base's answers")
                    .note("1 for each promise that is kept, -1 for each that is not, " + DelayedRewardTask.COUNT
                            + " for each `a`.")
                    .note(
                            "The divergence of the best of n is its bound, log n - (n - 1)/n; the others' are estimated from"
                                    + " the answers drawn.");
            return guided.shown(summary, 12, task, before, DelayedRewardTask::reward);
        }
    }
}

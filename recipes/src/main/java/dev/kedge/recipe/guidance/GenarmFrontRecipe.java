package dev.kedge.recipe.guidance;

import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.lm.Decoder;
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
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/// GenARM for two wishes that pull apart (arXiv:2410.08193, several objectives): how much of each is wanted is said
/// when an answer is drawn, not when something is trained.
///
/// In [DelayedRewardTask] one reward counts the promises that are kept less those that are not, the other the promises
/// that are made. The same pairs of the base's answers are labelled by each, and a reward model learns from each
/// labelling. Answers are drawn from `π_base · π_kept^(alpha w) · π_made^(alpha (1 - w))` for every weight w. Beside
/// it stand rewarded soups (arXiv:2306.04488), which have the weights of two policies of DPO averaged by w, and DPO on
/// pairs labelled by both half and half, which is what one training for one weight reaches.
///
/// Command: `./kedge run recipes/genarm-front.yaml`. Numbers: docs/papers/genarm.md.
public final class GenarmFrontRecipe {
    private static final double HALF = 0.5;

    private GenarmFrontRecipe() {}

    /// @param task     grammar, decoders, pre-training
    /// @param pairs    of the base's answers, labelled by each reward, >= 1
    /// @param beta     scale of the reward models' losses, > 0; DPO's is beta/alpha
    /// @param alphas   total weights of the reward models in decoding, each > 0; the first one's front is drawn
    /// @param weights  of kept promises against made ones, each in [0, 1], [#HALF] among them
    /// @param training how reward models and DPO's policies are moved; its examples are pairs
    /// @param device   cpu, cuda or cuda:N
    /// @param threads  of the engine
    /// @param seed     of everything drawn
    public record Config(
            DelayedRewardTask.Config task,
            int pairs,
            double beta,
            List<Double> alphas,
            List<Double> weights,
            TrainingConfig training,
            String device,
            int threads,
            long seed) {
        public Config {
            Engine.requireThreads(threads);
            Require.positive("alphas", alphas);
            if (pairs < 1 || !(beta > 0 && beta < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "pairs >= 1 and a finite beta > 0 expected, were " + pairs + " and " + beta);
            }
            if (!weights.contains(HALF) || weights.stream().anyMatch(w -> !(w >= 0 && w <= 1))) {
                throw new IllegalArgumentException("weights must be from 0 to 1, 0.5 among them, were " + weights);
            }
            alphas = List.copyOf(alphas);
            weights = weights.stream().sorted().toList();
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        try (DelayedRewardTask task =
                new DelayedRewardTask(config.task(), run, new Device(config.device()), config.seed())) {
            new Experiment(config, task, run).sweep();
        }
    }

    private static double halfAndHalf(String text) {
        return HALF * DelayedRewardTask.kept(text) + HALF * DelayedRewardTask.made(text);
    }

    /// Pairs as a reward labels them; their reference is the base.
    private record Labels(String reward, ScoredPairs scored) {
        ScoredPairs withoutReference() {
            return ScoredPairs.withoutReference(scored.pairs(), scored.padId());
        }
    }

    /// Answers for every weight, in the order of the weights.
    ///
    /// @param alpha total weight of the reward models, or what stands for it
    record Front(double alpha, List<DelayedRewardEvaluation> evaluations) {}

    /// A decoder whose weights are the mean of two others', that of `one` counting for w.
    static Decoder soup(Decoder one, double w, Decoder other) {
        Decoder soup = other.copy();
        try (Scope _ = new Scope()) {
            InPlace.plus_(
                    InPlace.times_(soup.parameters().flat(), 1 - w),
                    one.parameters().flat(),
                    w);
        }
        return soup;
    }

    /// The methods, each at every weight.
    private record Experiment(Config config, DelayedRewardTask task, Run run) {
        void sweep() {
            List<List<TokenizedPair>> pairs = task.pairs(
                    config.pairs(),
                    List.of(DelayedRewardTask::kept, DelayedRewardTask::made, GenarmFrontRecipe::halfAndHalf));
            Labels kept = labels("kept", pairs.get(0));
            Labels made = labels("made", pairs.get(1));
            Labels both = labels("both", pairs.get(2));
            List<Front> guided = guided(kept, made);
            List<Front> soups = new ArrayList<>();
            List<DelayedRewardEvaluation> trained = new ArrayList<>();
            for (double alpha : config.alphas()) {
                soups.add(soups(kept, made, alpha));
                try (Decoder policy = dpo(both, alpha)) {
                    trained.add(answers(List.of(new WeightedModel(policy, 1)), "β " + config.beta() / alpha));
                }
            }
            run.summarise(summary(guided, soups, trained));
        }

        private Labels labels(String reward, List<TokenizedPair> pairs) {
            return new Labels(reward, ScoredPairs.of(task.base(), pairs, Models.padId(task.tokenizer())));
        }

        /// Two reward models, weighed when answers are drawn.
        private List<Front> guided(Labels kept, Labels made) {
            PreferenceLoss objective = new PreferenceLoss.ReferenceFree(config.beta());
            List<Front> fronts = new ArrayList<>();
            try (Decoder keep = task.learnt(
                            "rewards-kept", task.base(), kept.withoutReference(), objective, config.training());
                    Decoder make = task.learnt(
                            "rewards-made", task.base(), made.withoutReference(), objective, config.training())) {
                for (double alpha : config.alphas()) {
                    List<DelayedRewardEvaluation> evaluations = new ArrayList<>();
                    for (double w : config.weights()) {
                        List<WeightedModel> models = List.of(
                                new WeightedModel(task.base(), 1),
                                new WeightedModel(keep, alpha * w),
                                new WeightedModel(make, alpha * (1 - w)));
                        evaluations.add(answers(models, "w " + w));
                    }
                    fronts.add(new Front(alpha, evaluations));
                }
            }
            return fronts;
        }

        /// Two policies of DPO, their weights averaged when answers are drawn.
        private Front soups(Labels kept, Labels made, double alpha) {
            List<DelayedRewardEvaluation> evaluations = new ArrayList<>();
            try (Decoder keep = dpo(kept, alpha);
                    Decoder make = dpo(made, alpha)) {
                for (double w : config.weights()) {
                    try (Decoder soup = soup(keep, w, make)) {
                        evaluations.add(answers(List.of(new WeightedModel(soup, 1)), "w " + w));
                    }
                }
            }
            return new Front(alpha, evaluations);
        }

        /// The policy of DPO that aims at the tilt of `alpha`.
        private Decoder dpo(Labels labels, double alpha) {
            double beta = config.beta() / alpha;
            return task.learnt(
                    "dpo-" + labels.reward + "-beta-" + beta,
                    task.base(),
                    labels.scored,
                    new PreferenceLoss.Sigmoid(beta),
                    config.training());
        }

        private DelayedRewardEvaluation answers(List<WeightedModel> models, String label) {
            return DelayedRewardEvaluation.drawn(task, models, label, Streams.of(config.seed(), "held-out answers"));
        }

        private Summary summary(List<Front> guided, List<Front> soups, List<DelayedRewardEvaluation> trained) {
            DelayedRewardEvaluation base = answers(List.of(new WeightedModel(task.base(), 1)), "base");
            Bootstrap bootstrap = new Bootstrap(2000, 0.95, Streams.of(config.seed(), "bootstrap"));
            int half = config.weights().indexOf(HALF);
            DelayedRewardEvaluation shown = guided.getFirst().evaluations().get(half);
            List<DelayedRewardEvaluation> guidedHalf = at(guided, half);
            List<DelayedRewardEvaluation> soupHalf = at(soups, half);
            Summary summary = Summary.of("genarm-front", Summary.Status.FINISHED, run.seconds())
                    .title("Two wishes, weighed when answers are drawn")
                    .verdict(String.format(
                            Locale.ROOT,
                            "Half of the weight on each wish, alpha %s: %s guided by two reward models; the base has"
                                    + " %.2f, averaged weights of DPO %s, DPO on labels of both judges %s.",
                            config.alphas().getFirst(),
                            shown.words(GenarmFrontRecipe::halfAndHalf),
                            Bootstrap.mean(base.rewards(GenarmFrontRecipe::halfAndHalf)),
                            soupHalf.getFirst().words(GenarmFrontRecipe::halfAndHalf),
                            trained.getFirst().words(GenarmFrontRecipe::halfAndHalf)))
                    .comparison(
                            "Promises kept less broken ones",
                            "",
                            base.reward(bootstrap, DelayedRewardTask::kept),
                            shown.reward(bootstrap, DelayedRewardTask::kept))
                    .comparison(
                            "Promises made",
                            "",
                            base.reward(bootstrap, DelayedRewardTask::made),
                            shown.reward(bootstrap, DelayedRewardTask::made))
                    .frontier(new Frontier(
                            "What each weight gives: all for making promises on the left, all for keeping them on"
                                    + " the right",
                            "promises kept less broken ones",
                            "promises made",
                            List.of(
                                    front("GenARM", guided.getFirst().evaluations(), bootstrap),
                                    front("soups of DPO", soups.getFirst().evaluations(), bootstrap),
                                    front("DPO on both, half and half", List.of(trained.getFirst()), bootstrap),
                                    front("base", List.of(base), bootstrap)),
                            List.of()))
                    .frontier(new Frontier(
                            "Half and half, against divergence from the base",
                            "KL(drawn || base), nats",
                            "kept and made, half and half",
                            List.of(
                                    curve("GenARM", base, guidedHalf, bootstrap),
                                    curve("soups of DPO", base, soupHalf, bootstrap),
                                    curve("DPO on both", base, trained, bootstrap)),
                            List.of()))
                    .fact("symbols_of_an_answer_base", "symbols of an answer, base", base.symbols(), "", "")
                    .fact(
                            "symbols_of_an_answer_genarm_half_and_half",
                            "symbols of an answer, GenARM, half and half",
                            shown.symbols(),
                            "",
                            "");
            return shown.shown(summary, 8, task, base, GenarmFrontRecipe::halfAndHalf);
        }

        /// The answers of one weight, labelled by the fronts' strengths.
        private static List<DelayedRewardEvaluation> at(List<Front> fronts, int weight) {
            return fronts.stream()
                    .map(front -> front.evaluations().get(weight).labelled("α " + front.alpha()))
                    .toList();
        }

        private static Frontier.Arm front(String name, List<DelayedRewardEvaluation> evaluations, Bootstrap bootstrap) {
            ToDoubleFunction<String> kept = DelayedRewardTask::kept;
            return new Frontier.Arm(
                    name,
                    evaluations.stream()
                            .map(s -> new Frontier.Point(
                                    Bootstrap.mean(s.rewards(kept)),
                                    s.reward(bootstrap, DelayedRewardTask::made),
                                    s.label()))
                            .toList());
        }

        private static Frontier.Arm curve(
                String name,
                DelayedRewardEvaluation base,
                List<DelayedRewardEvaluation> evaluations,
                Bootstrap bootstrap) {
            return DelayedRewardEvaluation.curve(name, base, evaluations, bootstrap, GenarmFrontRecipe::halfAndHalf);
        }
    }
}

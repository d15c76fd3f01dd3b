package dev.kedge.recipe.preference;

import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.Hypo;
import dev.kedge.objective.preference.OnlineLogProbs;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Run;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PolicyLogProbs;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PreferenceTraining;
import dev.kedge.sequence.ScoredPairs;
import dev.kedge.sequence.TrainedPolicies;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.ArithmeticSummary;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.task.PartialCoverage;
import dev.kedge.task.PartialCoverage.Evaluation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// HyPO (arXiv:2406.01462) beside DPO, where the preferences cover a part of the answers only.
///
/// The reference is a tiny decoder that learnt sums from a text full of mistakes ([ArithmeticTask]). Its own
/// answers to training problems make the pairs, but somebody compared near misses only: both answers of a pair
/// agree in all digits but the last. About every other answer the pairs say nothing, and in DPO's margin the
/// digits that the two share cancel. HyPO adds a penalty on `KL(π||π_ref)`, measured on answers that the policy
/// draws at every step; nobody labels them.
///
/// Kept: the loss of Algorithm 1 with the leave-one-out baseline; answers drawn at temperature 1 from the whole
/// distribution, for the prompts of the step's pairs, and used for one step; DPO with the same pairs and steps beside
/// it, at HyPO's beta and at others. Left out: a learnt judge, since reward, divergence and the mass on answers that no
/// pair holds are exact here.
///
/// Command: `./kedge run recipes/hypo.yaml`. Numbers: docs/papers/hypo.md.
public final class HypoRecipe {
    private HypoRecipe() {}

    /// @param task    the generated task, its decoder and its pre-training
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
            Engine.requireThreads(threads);
            Require.positive("betas", betas);
            Require.positive("lambdas", lambdas);
            if (prompts < 1 || answers < 2 || samples < 2) {
                throw new IllegalArgumentException("prompts >= 1, answers >= 2 and samples >= 2 expected, were "
                        + prompts + ", " + answers + " and " + samples);
            }
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (ArithmeticTask task = new ArithmeticTask(config.task(), run, device, config.seed())) {
            PartialCoverage coverage = new PartialCoverage(task);
            List<TokenizedPair> pairs = coverage.pairs(config.prompts(), config.answers(), config.seed(), run);
            ScoredPairs scored = ScoredPairs.of(task.reference(), pairs, task.padId());
            TrainedPolicies policies = new TrainedPolicies(run, task.reference(), task.tokenizer());
            List<Evaluation> dpo = new ArrayList<>();
            for (double beta : config.betas()) {
                dpo.add(evaluation(
                        coverage,
                        policies,
                        "dpo-beta-" + beta,
                        (phase, policy) -> PreferenceTraining.train(
                                run,
                                phase,
                                policy,
                                scored,
                                new PreferenceLoss.Sigmoid(beta),
                                config.training(),
                                Streams.of(config.seed(), "order"))));
            }
            List<Evaluation> hypo = new ArrayList<>();
            for (double lambda : config.lambdas()) {
                hypo.add(evaluation(
                        coverage,
                        policies,
                        "hypo-lambda-" + lambda,
                        (phase, policy) -> train(config, task, scored, lambda, phase, policy, run)));
            }
            try (Decoder policy =
                    policies.load("hypo-lambda-" + config.lambdas().getFirst())) {
                Models.save(policy, task.tokenizer(), run.folder().resolve("model"));
                var page = new ArithmeticSummary(task, config.task().mistakes(), config.seed());
                run.summarise(page.evaluated(summary(config, coverage, page, scored, dpo, hypo, run), policy));
            }
        }
    }

    private static Evaluation evaluation(
            PartialCoverage coverage, TrainedPolicies policies, String name, BiConsumer<String, Decoder> training) {
        try (Decoder policy = policies.trained(name, training)) {
            Evaluation evaluation = coverage.evaluate(policy);
            policies.run().note(name + ": " + evaluation);
            return evaluation;
        }
    }

    private static void train(
            Config config,
            ArithmeticTask task,
            ScoredPairs scored,
            double lambda,
            String phase,
            Decoder policy,
            Run run) {
        EpochBatches batches = scored.batches(config.training(), Streams.of(config.seed(), "order"));
        try (Training training = new Training(run, phase, config.training(), policy.parameters())) {
            training.run(step -> {
                List<Example> batch = rollout(config, task, policy, batches.at(step, scored.pairs()), step);
                return Step.on(
                                batch,
                                config.training().microBatch(),
                                part -> gradient(config, task, lambda, policy, part, batch.size()))
                        .completed(m -> m.put("loss", m.get("loss/dpo") + lambda * m.get("online/kl")))
                        .tokens(batch.stream().mapToLong(Example::tokens).sum());
            });
        }
    }

    /// A pair, and the policy's own completions of its prompt.
    private record Example(TokenizedPair pair, List<Completion> online) {
        static int[] prompt(TokenizedPair pair) {
            return Arrays.copyOf(pair.chosen().tokens(), pair.promptLength());
        }

        Stream<Tokenized> own() {
            return online.stream().map(c -> Tokenized.ofReply(prompt(pair), c.tokens()));
        }

        long tokens() {
            return pair.chosen().length()
                    + pair.rejected().length()
                    + online.stream().mapToLong(c -> c.tokens().length).sum();
        }
    }

    /// A step's examples: a function of policy, seed and step.
    private static List<Example> rollout(
            Config config, ArithmeticTask task, Decoder policy, List<TokenizedPair> pairs, int step) {
        long seed = Streams.of(config.seed(), "rollout", step);
        List<int[]> prompts = pairs.stream().map(Example::prompt).toList();
        List<List<Completion>> online = task.completions(policy, prompts, config.samples(), seed);
        return IntStream.range(0, pairs.size())
                .mapToObj(i -> new Example(pairs.get(i), online.get(i)))
                .toList();
    }

    /// Adds the gradient of some examples' share of a step's loss. Metrics are means: of pairs over the step's pairs,
    /// of completions over the step's completions. The step's `loss` is what is minimised, with the KL estimated.
    private static StepMetrics gradient(
            Config config, ArithmeticTask task, double lambda, Decoder policy, List<Example> part, int inStep) {
        List<Completion> online =
                part.stream().flatMap(e -> e.online().stream()).toList();
        int pairs = part.size();
        int own = online.size();
        PolicyLogProbs now = PolicyLogProbs.of(policy, rows(part), task.padId());
        Tensor sums = now.sums();
        Tensor ref = now.under(task.reference());
        PreferenceLogProbs lp = new PreferenceLogProbs(
                sums.narrow(0, 0, pairs),
                sums.narrow(0, pairs, pairs),
                ref.narrow(0, 0, pairs),
                ref.narrow(0, pairs, pairs));
        OnlineLogProbs answers = new OnlineLogProbs(
                sums.narrow(0, 2L * pairs, own).reshape(pairs, config.samples()),
                ref.narrow(0, 2L * pairs, own).reshape(pairs, config.samples()));
        Loss loss = Hypo.leaveOneOut(
                lp, answers, config.betas().getFirst(), lambda, inStep, (long) inStep * config.samples());
        now.backward(loss);
        StepMetrics metrics = new StepMetrics()
                .mean("loss/dpo", sum(loss.metric("loss")), pairs)
                .mean("online/kl", sum(loss.metric("online/kl")), own)
                .mean(
                        "online/tokens",
                        online.stream().mapToInt(c -> c.tokens().length).sum(),
                        own);
        for (String name : List.of("reward/chosen", "reward/rejected", "reward/accuracy")) {
            metrics.mean(name, sum(loss.metric(name)), pairs);
        }
        return now.agreement(online, 2 * pairs).on(metrics);
    }

    private static double sum(Tensor metric) {
        return metric.to(DType.FLOAT64).sum().item();
    }

    /// The chosen replies, the rejected ones, then the policy's own.
    private static List<Tokenized> rows(List<Example> part) {
        return Stream.of(
                        part.stream().map(e -> e.pair().chosen()),
                        part.stream().map(e -> e.pair().rejected()),
                        part.stream().flatMap(Example::own))
                .flatMap(rows -> rows)
                .toList();
    }

    private static Summary summary(
            Config config,
            PartialCoverage coverage,
            ArithmeticSummary page,
            ScoredPairs scored,
            List<Evaluation> dpo,
            List<Evaluation> hypo,
            Run run) {
        Evaluation before = coverage.evaluate(coverage.task().reference());
        Evaluation plain = dpo.getFirst();
        Evaluation shown = hypo.getFirst();
        double beta = config.betas().getFirst();
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, Streams.of(config.seed(), "bootstrap"));
        return Summary.of("hypo", Summary.Status.FINISHED, run.seconds())
                .title("DPO and HyPO where the pairs hold near misses only")
                .verdict("Drawn answers. Reference: " + before + ". DPO at beta " + beta + ": " + plain
                        + ". HyPO at the same, with lambda " + config.lambdas().getFirst() + ": " + shown + ".")
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
                .frontier(page.frontier(
                        page.sweep("DPO", points(dpo, config.betas(), "β ")),
                        page.sweep("HyPO, β " + beta, points(hypo, config.lambdas(), "λ "))))
                .fact(
                        "reward_hypo_less_dpo",
                        "reward, HyPO less DPO",
                        bootstrap.pairedBca(
                                plain.exact().rewards(), shown.exact().rewards()),
                        "",
                        "at the same beta, paired by sum; interval over sums, not over trainings")
                .fact(
                        "kl_hypo_less_dpo",
                        "KL, HyPO less DPO",
                        bootstrap.pairedBca(
                                plain.exact().divergences(), shown.exact().divergences()),
                        "nats",
                        "likewise")
                .fact(
                        "preferences",
                        "preferences",
                        Estimate.of(scored.pairs().size()),
                        "",
                        "right over near misses of the reference itself")
                .fact(
                        "answers_drawn_by_hypo_in_training",
                        "answers drawn by HyPO in training",
                        Estimate.of(drawn(config, scored)),
                        "",
                        "DPO draws none; nobody labels them");
    }

    /// How many answers a policy draws while it learns.
    private static long drawn(Config config, ScoredPairs scored) {
        EpochBatches batches = scored.batches(config.training(), Streams.of(config.seed(), "order"));
        return IntStream.range(0, config.training().steps())
                .mapToLong(step -> (long) config.samples() * batches.at(step).length)
                .sum();
    }

    private static List<Frontier.Point> points(List<Evaluation> evaluations, List<Double> strengths, String symbol) {
        return IntStream.range(0, evaluations.size())
                .mapToObj(i -> evaluations.get(i).exact().point(symbol + strengths.get(i)))
                .toList();
    }
}

package dev.kedge.recipe.preference;

import dev.kedge.data.Tokenized;
import dev.kedge.env.PreferenceOracle;
import dev.kedge.env.PreferenceOracle.AnswerPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.Xpo;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Run;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.LossMetrics;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PolicyLogProbs;
import dev.kedge.sequence.Snapshots;
import dev.kedge.sequence.TrainedPolicies;
import dev.kedge.statistics.Estimate;
import dev.kedge.task.ArithmeticSummary;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Exploratory Preference Optimization (arXiv:2405.21046) online, on answers of the policy and of its reference.
///
/// A tiny decoder learnt sums from a text that is mostly wrong ([ArithmeticTask]), so that it rarely says the
/// right answer. At every step policy and reference each answer a batch of training sums; a Bradley-Terry
/// judge, who knows the sums or learnt from one who does ([PairwiseJudge]), prefers one of the two; the policy
/// learns from the preference and is paid for leaving the reference's answer. The sweep is over the bonus:
/// alpha 0 is online DPO. Reward and divergence on sums never trained on are exact.
///
/// Kept: fresh answers of both models at every step, one gradient step on them, drawn labels. Left out: solving again
/// over all data of the past (the theory's form), a schedule of alpha, a penalty for answers that do not end.
///
/// Command: `./kedge run recipes/xpo.yaml`. Numbers: docs/papers/xpo.md.
public final class XpoRecipe {
    private XpoRecipe() {}

    /// @param task          the generated task, its decoder and its pre-training
    /// @param prompts       training sums that answers are drawn for
    /// @param judge         who compares answers: exact or learned
    /// @param beta          strength of the KL regulariser, > 0
    /// @param alphas        weights of the bonus, all different, each >= 0; the first one's policy is shown
    ///                      and kept
    /// @param training      how each policy is moved; its examples are pairs
    /// @param snapshotEvery steps between policies that are evaluated, >= 1
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
            Engine.requireThreads(threads);
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
                        "judge must be exact or learned: rewards are what the policy is evaluated by, a game has none");
            }
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (ArithmeticTask task = new ArithmeticTask(config.task(), run, device, config.seed());
                PairwiseJudge.Opened judge = config.judge().open(task, run, config.seed())) {
            for (double alpha : config.alphas()) {
                Snapshots snapshots = snapshots(config, task, alpha, run);
                snapshots.train(
                        task.reference(), policy -> train(config, task, judge.oracle(), alpha, policy, snapshots, run));
            }
            double shown = config.alphas().getFirst();
            try (Decoder policy = snapshots(config, task, shown, run).loadLast(device)) {
                Models.save(policy, task.tokenizer(), run.folder().resolve("model"));
                run.summarise(summary(config, task, policy, run));
            }
        }
    }

    private static String phase(double alpha) {
        return TrainedPolicies.phase("alpha-" + alpha);
    }

    private static Snapshots snapshots(Config config, ArithmeticTask task, double alpha, Run run) {
        return new TrainedPolicies(run, task.reference(), task.tokenizer())
                .snapshots(
                        phase(alpha), config.snapshotEvery(), config.training().steps());
    }

    private static void train(
            Config config,
            ArithmeticTask task,
            PreferenceOracle judge,
            double alpha,
            Decoder policy,
            Snapshots snapshots,
            Run run) {
        var drawn = new SplittableRandom(Streams.of(config.seed(), "prompts"));
        List<int[]> prompts = task.trainingPrompts(config.prompts(), drawn);
        int[] lengths = prompts.stream().mapToInt(p -> p.length).toArray();
        EpochBatches batches = config.training().batchesOf(lengths, Streams.of(config.seed(), "order"));
        try (Training training = new Training(run, phase(alpha), config.training(), policy.parameters())) {
            training.run(
                    step -> {
                        List<LabelledPair> batch =
                                rollout(config, task, judge, policy, batches.at(step, prompts), step);
                        return Step.on(
                                        batch,
                                        config.training().microBatch(),
                                        part -> gradient(config, task, alpha, policy, part, batch.size()))
                                .tokens(batch.stream()
                                        .mapToLong(LabelledPair::tokens)
                                        .sum());
                    },
                    done -> snapshots.keep(done, policy));
        }
    }

    /// A completion of the policy and one of the reference to a prompt, and which of them the judge chose.
    private record LabelledPair(int[] prompt, Completion policy, Completion reference, boolean policyIsChosen) {
        long tokens() {
            return policy.tokens().length + reference.tokens().length;
        }

        /// Such a pair has no preference to learn, its margin is 0 and its gradient cancels; the bonus stays.
        boolean isEqual() {
            return Arrays.equals(policy.tokens(), reference.tokens());
        }
    }

    /// A step's pairs: a function of policy, seed and step.
    private static List<LabelledPair> rollout(
            Config config, ArithmeticTask task, PreferenceOracle judge, Decoder policy, List<int[]> prompts, int step) {
        var random = new SplittableRandom(Streams.of(config.seed(), "rollout", step));
        var own = task.completions(policy, prompts, 1, random.nextLong());
        var usual = task.completions(task.reference(), prompts, 1, random.nextLong());
        double[] wins = judge.firstWins(IntStream.range(0, prompts.size())
                .mapToObj(i -> new AnswerPair(
                        prompts.get(i),
                        own.get(i).getFirst().tokens(),
                        usual.get(i).getFirst().tokens()))
                .toList());
        List<LabelledPair> pairs = new ArrayList<>();
        for (int i = 0; i < wins.length; i++) {
            boolean policyIsChosen = random.nextDouble() < wins[i]; // a drawn label, as from a person
            pairs.add(new LabelledPair(
                    prompts.get(i), own.get(i).getFirst(), usual.get(i).getFirst(), policyIsChosen));
        }
        return pairs;
    }

    /// Adds the gradient of some pairs' share of a step's loss. Metrics are means over the step's.
    private static StepMetrics gradient(
            Config config, ArithmeticTask task, double alpha, Decoder policy, List<LabelledPair> part, int inStep) {
        int b = part.size();
        PolicyLogProbs now = PolicyLogProbs.of(policy, rows(part), task.padId());
        Tensor ref = now.under(task.reference());
        boolean[] labels = new boolean[b];
        int chosen = 0;
        for (int i = 0; i < b; i++) {
            labels[i] = part.get(i).policyIsChosen();
            chosen += labels[i] ? 1 : 0;
        }
        Tensor policyIsChosen = Tensor.mask(labels, b).to(policy.device());
        PreferenceLogProbs lp = PreferenceLogProbs.judged(
                now.sums().narrow(0, 0, b),
                now.sums().narrow(0, b, b),
                ref.narrow(0, 0, b),
                ref.narrow(0, b, b),
                policyIsChosen);
        Loss loss = Xpo.xpo(lp, policyIsChosen, alpha, config.beta(), inStep);
        now.backward(loss);
        StepMetrics metrics = LossMetrics.of(loss, inStep)
                .add("loss/preference", LossMetrics.share(loss.metric("loss"), inStep))
                .mean("policy/chosen", chosen, b)
                .mean("pairs/equal", part.stream().filter(LabelledPair::isEqual).count(), b);
        return now.agreement(part.stream().map(LabelledPair::policy).toList(), 0)
                .on(metrics);
    }

    /// The policy's completions, then the reference's.
    private static List<Tokenized> rows(List<LabelledPair> part) {
        return Stream.concat(
                        part.stream()
                                .map(c ->
                                        Tokenized.ofReply(c.prompt(), c.policy().tokens())),
                        part.stream()
                                .map(c -> Tokenized.ofReply(
                                        c.prompt(), c.reference().tokens())))
                .toList();
    }

    /// The policy of one bonus as it learns, on held-out sums; its numbers go into the metrics, too.
    private static Frontier.Arm learningCurve(
            Config config, ArithmeticTask task, ArithmeticSummary page, double alpha, Run run) {
        Snapshots snapshots = snapshots(config, task, alpha, run);
        return page.learningCurve(
                alpha == 0 ? "online DPO" : "XPO, α " + alpha,
                snapshots.evaluate(task.reference().device(), (step, policy) -> {
                    ArithmeticTask.Evaluation evaluation = task.evaluate(policy);
                    Map<String, Double> metrics = new LinkedHashMap<>();
                    metrics.put("right", evaluation.reward());
                    metrics.put("kl", evaluation.kl());
                    run.log("held_out-" + phase(alpha), step, metrics);
                    return evaluation.point(step == snapshots.last() ? "step " + step : "");
                }));
    }

    private static Summary summary(Config config, ArithmeticTask task, Decoder policy, Run run) {
        var page = new ArithmeticSummary(task, config.task().mistakes(), config.seed());
        List<Frontier.Arm> curves = config.alphas().stream()
                .map(alpha -> learningCurve(config, task, page, alpha, run))
                .toList();
        String ends = curves.stream()
                .map(curve -> String.format(
                        Locale.ROOT,
                        "%s has %.1f %%, at %.2f nats",
                        curve.name(),
                        100 * curve.points().getLast().y().value(),
                        curve.points().getLast().x()))
                .collect(Collectors.joining("; "));
        long labels = (long) config.training().steps() * config.training().batchSize();
        Summary summary = Summary.of("xpo", Summary.Status.FINISHED, run.seconds())
                .title("A policy looks beyond what its reference says")
                .verdict(String.format(
                        Locale.ROOT,
                        "Right answers drawn to sums never trained on: the reference has %.1f %%; after %d labels %s"
                                + " from the reference.",
                        100 * task.before().reward(),
                        labels,
                        ends))
                .frontier(page.frontier(curves.toArray(Frontier.Arm[]::new)))
                .fact(
                        "labelled_pairs",
                        "labelled pairs",
                        Estimate.of(labels),
                        "",
                        "for each alpha, drawn while it learns");
        return page.evaluated(summary, policy);
    }
}

package dev.kedge.recipe.supervised;

import dev.kedge.data.ReadOptions;
import dev.kedge.data.Split;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.data.Truncation;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadDivergence;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.run.Run;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.ForgettingEvaluation;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PretrainedModel;
import dev.kedge.sequence.Samples;
import dev.kedge.sequence.SequenceReader;
import dev.kedge.sequence.SupervisedTraining;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Anchored supervised fine-tuning (arXiv:2509.23753) beside plain fine-tuning, DFT, and plain fine-tuning with the
/// same anchor: what each learns of new data, and what it unlearns of the old.
///
/// Kept: one loss for each token of a step, all weighing the same; the forward KL from the model before training, over
/// the whole vocabulary, as the authors' code has it; the same batches, steps and learning rate for every method. Left
/// out: the reverse KL of the paper's text; LoRA, whose adapter switched off would be the reference; the code's mean
/// over each micro-batch, which makes the result depend on how a step is split.
///
/// Command: `./kedge run recipes/asft.yaml`. Numbers: docs/papers/asft.md.
public final class AsftRecipe {
    private AsftRecipe() {}

    /// @param model             the folder to start from, and to stay near
    /// @param data              what is to be learnt: records with completions, or text
    /// @param promptKey         the key that stands for `prompt` in the data, where it is another
    /// @param completionKey     the key that stands for `completion`
    /// @param separator         between the documents of a text file
    /// @param original          what the model could do before, in the same forms: nothing learns from it
    /// @param originalSeparator between its documents
    /// @param maxLength         tokens of a sequence
    /// @param truncation        what happens to longer ones
    /// @param heldOut           examples (documents) of each kept for judging
    /// @param methods           none twice; the first one's policy is shown and kept
    /// @param klWeights         of the anchor, each > 0, for every anchored method; the first one is shown
    /// @param training          how each policy is moved
    /// @param samples           continuations shown, before and after
    /// @param sampleTokens      their length
    /// @param device            cpu, cuda or cuda:N
    /// @param threads           of the engine: a model of a few megabytes is fastest on one
    /// @param seed              of everything drawn
    public record Config(
            Path model,
            Path data,
            Optional<String> promptKey,
            Optional<String> completionKey,
            Optional<String> separator,
            Path original,
            Optional<String> originalSeparator,
            int maxLength,
            Truncation truncation,
            int heldOut,
            List<TokenLoss> methods,
            List<Double> klWeights,
            TrainingConfig training,
            int samples,
            int sampleTokens,
            String device,
            int threads,
            long seed) {
        public Config {
            Engine.requireThreads(threads);
            if (heldOut < 1 || samples < 0 || sampleTokens < 1) {
                throw new IllegalArgumentException("held_out >= 1, samples >= 0, sample_tokens >= 1 expected, were "
                        + heldOut + ", " + samples + ", " + sampleTokens);
            }
            if (methods.isEmpty() || methods.stream().distinct().count() != methods.size()) {
                throw new IllegalArgumentException("methods must be one or more, none twice, were " + methods);
            }
            Require.positive("kl_weights", klWeights);
        }

        /// What is trained, each method's first strength first.
        private List<Arm> arms() {
            return methods.stream()
                    .flatMap(m -> m.isAnchored()
                            ? klWeights.stream().map(w -> new Arm(m, w))
                            : List.of(new Arm(m, 0)).stream())
                    .toList();
        }
    }

    /// A method at one strength.
    private record Arm(TokenLoss method, double klWeight) {
        String title() {
            return method.title() + (method.isAnchored() ? ", λ " + klWeight : "");
        }

        String name() {
            String method = this.method.name().toLowerCase(Locale.ROOT).replace('_', '-');
            return method + (this.method.isAnchored() ? "-" + klWeight : "");
        }
    }

    /// An arm, and what was measured of its policy.
    private record ArmResult(Arm arm, ForgettingEvaluation evaluation) {}

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (PretrainedModel model = PretrainedModel.open(config.model(), device)) {
            SequenceReader reader =
                    SequenceReader.of(model, config.maxLength(), config.truncation(), config.heldOut(), run);
            ReadOptions taskOptions =
                    SequenceReader.options(config.promptKey(), config.completionKey(), config.separator());
            ReadOptions originalOptions =
                    SequenceReader.options(Optional.empty(), Optional.empty(), config.originalSeparator());
            Split<Tokenized> task = reader.sequences(config.data(), taskOptions, config.seed());
            long stream = Streams.of(config.seed(), "original");
            List<Tokenized> original = reader.judged(config.original(), originalOptions, stream);
            int shared = reader.shared(
                    config.original(), originalOptions, stream, config.data(), taskOptions, config.seed());
            if (shared > 0) {
                run.remark(shared + " of the " + config.heldOut() + " records drawn from "
                        + config.original().getFileName() + " have a prompt that is learnt from in "
                        + config.data().getFileName());
            }
            run.note(task.train().size() + " sequences to learn from; held out: "
                    + task.heldOut().size() + " of these, " + original.size() + " of the original");
            ForgettingEvaluation before = evaluation(model.decoder(), model, task, original);
            run.note("before: " + before.words());
            Samples samples = Samples.of(model.tokenizer(), task.heldOut(), config.samples(), config.sampleTokens());
            List<String> after = List.of();
            List<ArmResult> results = new ArrayList<>();
            for (Arm arm : config.arms()) {
                try (Decoder policy = trained(config, arm, model, task.train(), run)) {
                    results.add(new ArmResult(arm, evaluation(policy, model, task, original)));
                    run.note(arm.title() + ": " + results.getLast().evaluation().words());
                    if (results.size() == 1) { // the one that is shown and kept
                        model.save(policy, run.folder().resolve("model"));
                        after = samples.continuations(policy);
                    }
                }
            }
            run.summarise(samples.shown(
                    summary(config, task, before, results, run), samples.continuations(model.decoder()), after));
        }
    }

    private static ForgettingEvaluation evaluation(
            Decoder policy, PretrainedModel base, Split<Tokenized> task, List<Tokenized> original) {
        return ForgettingEvaluation.of(policy, base.decoder(), task.heldOut(), original, base.padId());
    }

    /// The policy of an arm, from its folder if it is there already.
    private static Decoder trained(Config config, Arm arm, PretrainedModel model, List<Tokenized> data, Run run) {
        Path folder = run.folder().resolve("policies").resolve(arm.name());
        if (Models.isComplete(folder)) {
            return Models.load(folder, model.decoder().device());
        }
        Decoder policy = model.decoder().copy();
        try {
            SupervisedTraining.train(
                    run,
                    arm.name().replace('.', '_'),
                    policy.parameters(),
                    data,
                    config.training(),
                    Streams.of(config.seed(), "order"), // the same for all arms
                    (part, targets) -> gradient(arm, policy, model, part, targets));
            model.save(policy, folder);
            return policy;
        } catch (RuntimeException e) {
            policy.close();
            throw e;
        }
    }

    /// Adds the gradient of some sequences' share of a step's loss. Metrics: the loss; `nll` and, where there is an
    /// anchor, `kl`, nats a token.
    private static StepMetrics gradient(
            Arm arm, Decoder policy, PretrainedModel base, List<Tokenized> part, long targets) {
        TokenBatch tokens = TokenBatch.of(part, base.padId(), 1).to(policy.device());
        Tensor hidden = ForgettingEvaluation.states(policy, tokens);
        Tensor leaf = hidden.detach().requiresGrad(); // log-probs and KL share the states' graph
        HeadLogProbs logProbs = HeadLogProbs.of(leaf, policy.head(), policy.absent(), tokens.targetTokens(), 1);
        Optional<HeadDivergence> kl = arm.method().isAnchored()
                ? Optional.of(HeadDivergence.forwardKl(
                        leaf,
                        policy.head(),
                        policy.absent(),
                        constantStates(base.decoder(), tokens),
                        base.decoder().head(),
                        base.decoder().absent()))
                : Optional.empty();
        Loss loss = arm.method().loss(logProbs.values(), kl.map(HeadDivergence::values), arm.klWeight(), targets);
        loss.value().backward();
        logProbs.backward();
        kl.ifPresent(HeadDivergence::backward);
        hidden.backward(leaf.grad());
        StepMetrics metrics =
                new StepMetrics().add("loss", loss.value().item()).add("nll", sum(loss.metric("nll")) / targets);
        return kl.isPresent() ? metrics.add("kl", sum(loss.metric("kl")) / targets) : metrics;
    }

    private static Tensor constantStates(Decoder model, TokenBatch tokens) {
        try (var _ = Gradients.off()) {
            return ForgettingEvaluation.states(model, tokens);
        }
    }

    private static double sum(Tensor values) {
        return values.to(DType.FLOAT64).sum().item();
    }

    private static Summary summary(
            Config config, Split<Tokenized> task, ForgettingEvaluation before, List<ArmResult> results, Run run) {
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, Streams.of(config.seed(), "bootstrap"));
        ArmResult shown = results.getFirst();
        Summary summary = Summary.of("asft", Summary.Status.FINISHED, run.seconds())
                .title("Fine-tuning held to the base model, on " + config.data().getFileName())
                .verdict("Held out. Before: " + before.words() + ". " + shown.arm.title() + ": "
                        + shown.evaluation.words() + ".")
                .frontier(frontier(config, bootstrap, before, results));
        for (ArmResult s : results) {
            if (s.arm.klWeight == 0 || s.arm.klWeight == config.klWeights().getFirst()) {
                summary = summary.comparison(
                                "Loss on the task, " + s.arm.title(),
                                "nats a token",
                                bootstrap.bca(before.task().loss()),
                                bootstrap.bca(s.evaluation.task().loss()))
                        .comparison(
                                "Loss on the original, " + s.arm.title(),
                                "nats a token on the original",
                                bootstrap.bca(before.original().loss()),
                                bootstrap.bca(s.evaluation.original().loss()));
            }
        }
        for (ArmResult s : results.subList(1, results.size())) {
            String less = shown.arm.title() + " less " + s.arm.title();
            summary = summary.fact(
                            Summary.key("task_probability_less", s.arm.name()),
                            "probability of the next token of the task: " + less,
                            bootstrap.pairedBca(
                                    s.evaluation.task().right(),
                                    shown.evaluation.task().right()),
                            "%",
                            "paired by sequence; interval over sequences, not over trainings")
                    .fact(
                            Summary.key("original_loss_less", s.arm.name()),
                            "loss on the original: " + less,
                            bootstrap.pairedBca(
                                    s.evaluation.original().loss(),
                                    shown.evaluation.original().loss()),
                            "nats a token",
                            "likewise");
        }
        return summary.fact(
                        "sequences_to_learn_from",
                        "sequences to learn from",
                        Estimate.of(task.train().size()),
                        "",
                        "")
                .fact(
                        "sequences_of_the_task_held_out",
                        "sequences of the task held out",
                        Estimate.of(task.heldOut().size()),
                        "",
                        "")
                .fact(
                        "sequences_of_the_original",
                        "sequences of the original",
                        Estimate.of(before.original().loss().length),
                        "",
                        "");
    }

    /// Every method from the base on, by the weight of its anchor.
    private static Frontier frontier(
            Config config, Bootstrap bootstrap, ForgettingEvaluation before, List<ArmResult> results) {
        List<Frontier.Arm> arms = new ArrayList<>();
        for (TokenLoss method : config.methods()) {
            List<Frontier.Point> points = new ArrayList<>(List.of(point(bootstrap, before, "base")));
            results.stream()
                    .filter(s -> s.arm.method == method)
                    .map(s -> point(bootstrap, s.evaluation, method.isAnchored() ? "λ " + s.arm.klWeight : ""))
                    .forEach(points::add);
            arms.add(new Frontier.Arm(method.title(), points));
        }
        return new Frontier(
                "What is learnt against what is unlearnt",
                "KL(base || policy) on the original, nats a token",
                "probability of the next token of the task",
                arms,
                List.of());
    }

    private static Frontier.Point point(Bootstrap bootstrap, ForgettingEvaluation evaluation, String label) {
        return new Frontier.Point(
                Bootstrap.mean(evaluation.original().kl()),
                bootstrap.bca(evaluation.task().right()),
                label);
    }
}

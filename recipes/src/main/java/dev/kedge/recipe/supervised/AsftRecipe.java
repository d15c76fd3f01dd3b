package dev.kedge.recipe.supervised;

import dev.kedge.data.Batches;
import dev.kedge.data.Split;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.data.Truncation;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadDivergence;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Frontier;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Corpus;
import dev.kedge.sequence.ForgettingEvaluation;
import dev.kedge.sequence.Models;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

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

    /// An arm's policy, and how it was found.
    private record Standing(Arm arm, ForgettingEvaluation found) {}

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (Tokenizer tokenizer = Models.tokenizer(config.model());
                Decoder base = Models.load(config.model(), device)) {
            int padId = Models.padId(tokenizer);
            Split<Tokenized> task = split(
                    new Corpus(config.data(), config.promptKey(), config.completionKey(), config.separator()),
                    config,
                    tokenizer,
                    base,
                    run);
            List<Tokenized> original = split(
                            new Corpus(
                                    config.original(), Optional.empty(), Optional.empty(), config.originalSeparator()),
                            config,
                            tokenizer,
                            base,
                            run)
                    .heldOut();
            run.note(task.train().size() + " sequences to learn from; held out: "
                    + task.heldOut().size() + " of these, " + original.size() + " of the original");
            ForgettingEvaluation before = ForgettingEvaluation.of(base, base, task.heldOut(), original, padId);
            run.note("before: " + before.words());
            List<Standing> standings = new ArrayList<>();
            for (Arm arm : config.arms()) {
                Path folder = run.folder().resolve("policies").resolve(arm.name());
                if (!Models.isComplete(folder)) {
                    try (Decoder policy = base.copy()) {
                        train(run, arm, policy, base, task.train(), padId, config.training(), config.seed());
                        Models.saveLike(config.model(), policy, folder);
                    }
                }
                try (Decoder policy = Models.load(folder, device)) {
                    standings.add(
                            new Standing(arm, ForgettingEvaluation.of(policy, base, task.heldOut(), original, padId)));
                    run.note(arm.title() + ": " + standings.getLast().found().words());
                }
            }
            Path shown = run.folder()
                    .resolve("policies")
                    .resolve(config.arms().getFirst().name());
            try (Decoder policy = Models.load(shown, device)) {
                Models.saveLike(config.model(), policy, run.folder().resolve("model"));
                Summary summary = summary(config, task, before, standings, run);
                run.summarise(withSamples(summary, config, tokenizer, base, policy, task.heldOut()));
            }
        }
    }

    private static Split<Tokenized> split(Corpus corpus, Config config, Tokenizer tokenizer, Decoder base, Run run) {
        int length = Math.min(config.maxLength(), base.config().maxPositions());
        return corpus.split(
                config.model(), tokenizer, length, config.truncation(), config.heldOut(), config.seed(), run);
    }

    /// The loop. Goes on from the run's checkpoint where that is of this phase.
    private static void train(
            Run run,
            Arm arm,
            Decoder policy,
            Decoder base,
            List<Tokenized> data,
            int padId,
            TrainingConfig o,
            long seed) {
        String phase = arm.name().replace('.', '_');
        int[] lengths = data.stream().mapToInt(Tokenized::length).toArray();
        Schedule schedule = o.schedules();
        try (AdamW optimizer = o.optimizer(policy.parameters())) {
            int first = 0;
            var saved = run.latest().filter(c -> c.phase().equals(phase));
            if (saved.isPresent()) {
                saved.get().restore("model", policy.parameters().named());
                saved.get().restore("optimizer", optimizer.state());
                first = (int) saved.get().step();
            }
            EpochBatches batches = new EpochBatches(o.batches(), lengths, o.batchSize(), seed);
            try (Progress progress = run.progress(phase, first, o.steps())) {
                for (int step = first; step < o.steps(); step++) {
                    List<Tokenized> batch =
                            Arrays.stream(batches.at(step)).mapToObj(data::get).toList();
                    long start = System.nanoTime();
                    Map<String, Double> metrics = gradient(arm, policy, base, batch, padId, o.microBatch());
                    metrics.put("grad_norm", policy.parameters().clipGradient(o.maxGradNorm()));
                    run.guard(phase, step + 1L, metrics);
                    optimizer.step(schedule.at(step));
                    long tokens = batch.stream().mapToInt(Tokenized::length).sum();
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

    /// Adds the gradient of a step's loss, micro-batch by micro-batch. Metrics: the loss; `nll` and, where there is an
    /// anchor, `kl`, nats a token.
    private static Map<String, Double> gradient(
            Arm arm, Decoder policy, Decoder base, List<Tokenized> batch, int padId, int microBatch) {
        long targets = batch.stream().mapToLong(Tokenized::targets).sum();
        Map<String, Double> metrics = new LinkedHashMap<>();
        for (int[] part : Batches.inOrder(batch.size(), microBatch)) {
            try (Scope _ = new Scope()) {
                TokenBatch tokens = TokenBatch.of(
                                Arrays.stream(part).mapToObj(batch::get).toList(), padId, 1)
                        .to(policy.device());
                Tensor hidden = ForgettingEvaluation.states(policy, tokens);
                Tensor leaf = hidden.detach().requiresGrad(); // log-probs and KL share the states' graph
                HeadLogProbs logProbs = HeadLogProbs.of(leaf, policy.head(), tokens.targetTokens(), 1);
                Optional<HeadDivergence> kl = arm.method().isAnchored()
                        ? Optional.of(HeadDivergence.forwardKl(
                                leaf, policy.head(), constantStates(base, tokens), base.head()))
                        : Optional.empty();
                Loss loss =
                        arm.method().loss(logProbs.values(), kl.map(HeadDivergence::values), arm.klWeight(), targets);
                loss.value().backward();
                logProbs.backward();
                kl.ifPresent(HeadDivergence::backward);
                hidden.backward(leaf.grad());
                metrics.merge("loss", loss.value().item(), Double::sum);
                metrics.merge("nll", sum(loss.metric("nll")) / targets, Double::sum);
                if (kl.isPresent()) {
                    metrics.merge("kl", sum(loss.metric("kl")) / targets, Double::sum);
                }
            }
        }
        return metrics;
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
            Config config, Split<Tokenized> task, ForgettingEvaluation before, List<Standing> standings, Run run) {
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, config.seed());
        Standing shown = standings.getFirst();
        Summary summary = Summary.of("asft", Summary.Status.FINISHED, run.seconds())
                .title("Fine-tuning held to the base model, on " + config.data().getFileName())
                .verdict("Held out. Before: " + before.words() + ". " + shown.arm.title() + ": " + shown.found.words()
                        + ".")
                .frontier(frontier(config, bootstrap, before, standings));
        for (Standing s : standings) {
            if (s.arm.klWeight == 0 || s.arm.klWeight == config.klWeights().getFirst()) {
                summary = summary.comparison(
                                "Loss on the task, " + s.arm.title(),
                                "nats a token",
                                bootstrap.bca(before.task().loss()),
                                bootstrap.bca(s.found.task().loss()))
                        .comparison(
                                "Loss on the original, " + s.arm.title(),
                                "nats a token on the original",
                                bootstrap.bca(before.original().loss()),
                                bootstrap.bca(s.found.original().loss()));
            }
        }
        for (Standing s : standings.subList(1, standings.size())) {
            String less = shown.arm.title() + " less " + s.arm.title();
            summary = summary.fact(
                            "probability of the next token of the task: " + less,
                            bootstrap.pairedBca(
                                    s.found.task().right(), shown.found.task().right()),
                            "%",
                            "paired by sequence; interval over sequences, not over trainings")
                    .fact(
                            "loss on the original: " + less,
                            bootstrap.pairedBca(
                                    s.found.original().loss(),
                                    shown.found.original().loss()),
                            "nats a token",
                            "likewise");
        }
        return summary.fact("sequences to learn from", Estimate.of(task.train().size()), "", "")
                .fact(
                        "sequences of the task held out",
                        Estimate.of(task.heldOut().size()),
                        "",
                        "")
                .fact("sequences of the original", Estimate.of(before.original().loss().length), "", "");
    }

    /// Every method from the base on, by the weight of its anchor.
    private static Frontier frontier(
            Config config, Bootstrap bootstrap, ForgettingEvaluation before, List<Standing> standings) {
        List<Frontier.Arm> arms = new ArrayList<>();
        for (TokenLoss method : config.methods()) {
            List<Frontier.Point> points = new ArrayList<>(List.of(point(bootstrap, before, "base")));
            standings.stream()
                    .filter(s -> s.arm.method == method)
                    .map(s -> point(bootstrap, s.found, method.isAnchored() ? "λ " + s.arm.klWeight : ""))
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

    private static Frontier.Point point(Bootstrap bootstrap, ForgettingEvaluation found, String label) {
        return new Frontier.Point(
                Bootstrap.mean(found.original().kl()),
                bootstrap.bca(found.task().right()),
                label);
    }

    private static Summary withSamples(
            Summary summary,
            Config config,
            Tokenizer tokenizer,
            Decoder base,
            Decoder policy,
            List<Tokenized> heldOut) {
        List<String> before =
                SftRecipe.continuations(base, tokenizer, heldOut, config.samples(), config.sampleTokens());
        List<String> after =
                SftRecipe.continuations(policy, tokenizer, heldOut, config.samples(), config.sampleTokens());
        List<Summary.Sample> samples = IntStream.range(0, before.size())
                .mapToObj(i -> new Summary.Sample(
                        tokenizer.decode(SftRecipe.beginning(heldOut.get(i))),
                        before.get(i),
                        after.get(i),
                        Optional.empty(),
                        Optional.empty(),
                        ""))
                .toList();
        for (Summary.Sample sample : samples) {
            summary = summary.sample(sample);
        }
        return summary;
    }
}

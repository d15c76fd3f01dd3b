package dev.kedge.recipe.distillation;

import dev.kedge.config.ConfigException;
import dev.kedge.config.Kind;
import dev.kedge.data.Split;
import dev.kedge.data.Tokenized;
import dev.kedge.data.Truncation;
import dev.kedge.nn.file.ModelFamily;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.file.Origin;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.run.Run;
import dev.kedge.run.Step;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.ForgettingEvaluation;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PretrainedModel;
import dev.kedge.sequence.Samples;
import dev.kedge.sequence.SequenceReader;
import dev.kedge.sequence.SupervisedTraining;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;

/// Generalized Knowledge Distillation (arXiv:2306.13649): a student is held to its teacher's next-token distributions,
/// on completions that it draws itself at every step, on given ones, or on both.
///
/// Kept: no gradient through the drawing; the generalised Jensen-Shannon divergence with both KLs at its ends, over
/// the whole vocabulary; fine-tuning of the student first. Otherwise: whether a completion is the student's own is
/// drawn for each example, not for a whole batch. Left out: completions of the teacher; a reward beside the divergence.
///
/// Command: `./kedge run recipes/gkd.yaml`. Numbers: docs/papers/gkd.md.
public final class GkdRecipe {
    private GkdRecipe() {}

    /// Who learns.
    public sealed interface Student {
        /// A model on disk, of the teacher's vocabulary.
        @Kind("folder")
        record Folder(Path model) implements Student {}

        /// A Llama-like decoder of random weights, with the teacher's tokenizer and positions.
        @Kind("random")
        record Random(int hiddenSize, int layers, int heads) implements Student {}
    }

    /// @param teacher      a model folder
    /// @param data         records with completions, or a text file
    /// @param separator    between the documents of a text file
    /// @param maxLength    tokens of a sequence
    /// @param truncation   what happens to longer ones
    /// @param heldOut      examples (documents) kept for judging
    /// @param sft          fine-tuning of the student on the data first; absent: none
    /// @param onPolicy     the paper's lambda, the share of completions that the student draws, in [0, 1]
    /// @param beta         of the divergence, in [0, 1]: 0 is `KL(teacher ‖ student)`, 1 is `KL(student ‖ teacher)`
    /// @param temperature  divides the logits of both in the divergence, finite and > 0; completions are drawn at 1
    /// @param promptTokens how much of a sequence without a prompt a completion continues, >= 1
    /// @param replyTokens  the longest completion drawn
    /// @param training     how the student is moved
    /// @param samples      continuations shown, before and after
    /// @param device       cpu, cuda or cuda:N
    /// @param threads      of the engine: a model of a few megabytes is fastest on one
    /// @param seed         of everything drawn
    public record Config(
            Student student,
            Path teacher,
            Path data,
            Optional<String> separator,
            int maxLength,
            Truncation truncation,
            int heldOut,
            Optional<TrainingConfig> sft,
            double onPolicy,
            double beta,
            double temperature,
            int promptTokens,
            int replyTokens,
            TrainingConfig training,
            int samples,
            String device,
            int threads,
            long seed) {
        public Config {
            Engine.requireThreads(threads);
            Require.from("on_policy", onPolicy, 0, Math.nextUp(1.0));
            Require.from("beta", beta, 0, Math.nextUp(1.0));
            Require.positive("temperature", temperature);
            if (heldOut < 1 || promptTokens < 1 || replyTokens < 1 || samples < 0) {
                throw new IllegalArgumentException(
                        "held_out, prompt_tokens, reply_tokens >= 1, samples >= 0 expected, were " + heldOut + ", "
                                + promptTokens + ", " + replyTokens + ", " + samples);
            }
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        try (PretrainedModel teacher = PretrainedModel.open(config.teacher(), new Device(config.device()))) {
            Split<Tokenized> split = SequenceReader.of(
                            teacher, config.maxLength(), config.truncation(), config.heldOut(), run)
                    .sequences(
                            config.data(),
                            SequenceReader.options(Optional.empty(), Optional.empty(), config.separator()),
                            config.seed());
            run.note(split.train().size() + " sequences to learn from, "
                    + split.heldOut().size() + " held out");
            try (PretrainedModel learner = student(config, teacher, split.train(), run)) {
                Decoder student = learner.decoder();
                ForgettingEvaluation.Scores before = scores(student, teacher, split);
                Samples samples =
                        Samples.of(teacher.tokenizer(), split.heldOut(), config.samples(), config.replyTokens());
                List<String> continued = samples.continuations(student);
                distil(config, student, teacher, split.train(), run);
                learner.save(student, run.folder().resolve("model"));
                Summary summary = summary(config, split, before, scores(student, teacher, split), run)
                        .fact(
                                "loss_of_the_teacher",
                                "loss of the teacher",
                                bootstrap(config)
                                        .bca(scores(teacher.decoder(), teacher, split)
                                                .loss()),
                                "nats a token",
                                "held out");
                run.summarise(samples.shown(summary, continued, samples.continuations(student)));
            }
        }
    }

    /// The student before it is distilled, made once a run. Whatever it was before, it speaks the teacher's tokens, and
    /// is written with the teacher's tokenizer, template and settings.
    private static PretrainedModel student(Config config, PretrainedModel teacher, List<Tokenized> data, Run run) {
        Path folder = run.folder().resolve("student");
        Device device = teacher.decoder().device();
        if (!Models.isComplete(folder)) {
            switch (config.student()) {
                case Student.Folder(Path model) -> {
                    try (Scope _ = new Scope()) {
                        ModelFolder found = Models.folder(model, device);
                        begin(config, Models.decoder(found, device), found.origin(), teacher, data, run, folder);
                    }
                }
                case Student.Random(int hiddenSize, int layers, int heads) -> {
                    DecoderConfig shape = shape(teacher.decoder(), hiddenSize, layers, heads);
                    try (Rng rng = Rng.seeded(Streams.of(config.seed(), "student"))) {
                        Origin origin = Origin.of(ModelFamily.of(shape), shape);
                        begin(config, Decoder.random(shape, rng, device), origin, teacher, data, run, folder);
                    }
                }
            }
        }
        return PretrainedModel.open(folder, device);
    }

    private static void begin(
            Config config,
            Decoder fresh,
            Origin origin,
            PretrainedModel teacher,
            List<Tokenized> data,
            Run run,
            Path folder) {
        try (fresh) {
            requireFit(fresh, teacher.decoder(), config.maxLength());
            long order = Streams.of(config.seed(), "sft");
            config.sft()
                    .ifPresent(sft -> SupervisedTraining.train(run, "sft", fresh, data, teacher.padId(), sft, order));
            teacher.save(fresh, origin, folder);
        }
    }

    private static DecoderConfig shape(Decoder teacher, int hiddenSize, int layers, int heads) {
        return DecoderConfig.small(
                teacher.vocabularySize(),
                hiddenSize,
                layers,
                heads,
                teacher.config().maxPositions());
    }

    private static void requireFit(Decoder student, Decoder teacher, int maxLength) {
        int own = student.vocabularySize();
        int others = teacher.vocabularySize();
        if (own != others) {
            throw new ConfigException("student and teacher must have one vocabulary: that of the student has " + own
                    + " tokens, that of the teacher " + others);
        }
        int positions = student.config().maxPositions();
        if (positions < Math.min(maxLength, teacher.config().maxPositions())) {
            throw new ConfigException(
                    "max_length is " + maxLength + ", but the student has only " + positions + " positions");
        }
    }

    private static void distil(Config config, Decoder student, PretrainedModel teacher, List<Tokenized> data, Run run) {
        var distillation =
                new Distillation(student, teacher.decoder(), teacher.padId(), config.beta(), config.temperature());
        int[] lengths = data.stream().mapToInt(Tokenized::length).toArray();
        var batches = config.training().batchesOf(lengths, Streams.of(config.seed(), "order"));
        try (Training training = new Training(run, "gkd", config.training(), student.parameters())) {
            training.run(step -> {
                List<Distillation.Target> batch = targets(config, student, teacher, batches.at(step, data), step);
                long tokens =
                        batch.stream().mapToLong(t -> t.sequence().targets()).sum();
                long own = batch.stream().filter(t -> t.drawn().isPresent()).count();
                return Step.on(batch, config.training().microBatch(), part -> distillation.gradient(part, tokens))
                        .completed(m -> m.put("on_policy", (double) own / batch.size()))
                        .tokens(tokens);
            });
        }
    }

    /// What a step learns from: a function of student, seed and step. A completion is given where the drawn one might
    /// not fit behind its prompt.
    private static List<Distillation.Target> targets(
            Config config, Decoder student, PretrainedModel teacher, List<Tokenized> batch, int step) {
        var random = new SplittableRandom(Streams.of(config.seed(), "targets", step));
        int positions = Math.min(
                student.config().maxPositions(), teacher.decoder().config().maxPositions());
        List<Distillation.Target> targets = new ArrayList<>();
        List<int[]> prompts = new ArrayList<>();
        for (Tokenized given : batch) {
            int[] prompt = prompt(given, config.promptTokens());
            if (random.nextDouble() < config.onPolicy() && prompt.length + config.replyTokens() <= positions) {
                prompts.add(prompt);
            } else {
                targets.add(new Distillation.Target(given, Optional.empty()));
            }
        }
        var options = new Generator.Options(
                Sampling.at(1), config.replyTokens(), 1, teacher.tokenizer().stopIds(), null, random.nextLong(), true);
        Generator.generate(student, prompts, options, null).stream()
                .map(c ->
                        new Distillation.Target(Tokenized.ofReply(prompts.get(c.prompt()), c.tokens()), Optional.of(c)))
                .forEach(targets::add);
        return targets;
    }

    /// The prompt of a sequence, or the beginning of one that has none.
    private static int[] prompt(Tokenized sequence, int tokens) {
        return sequence.promptLength() > 0
                ? sequence.prompt()
                : Arrays.copyOf(sequence.tokens(), Math.min(tokens, sequence.length()));
    }

    private static ForgettingEvaluation.Scores scores(
            Decoder student, PretrainedModel teacher, Split<Tokenized> split) {
        return ForgettingEvaluation.scores(student, teacher.decoder(), split.heldOut(), teacher.padId());
    }

    private static Bootstrap bootstrap(Config config) {
        return new Bootstrap(2000, 0.95, Streams.of(config.seed(), "bootstrap"));
    }

    private static Summary summary(
            Config config,
            Split<Tokenized> split,
            ForgettingEvaluation.Scores before,
            ForgettingEvaluation.Scores after,
            Run run) {
        Bootstrap bootstrap = bootstrap(config);
        Estimate loss = bootstrap.pairedBca(before.loss(), after.loss());
        Estimate kl = bootstrap.pairedBca(before.kl(), after.kl());
        return Summary.of("gkd", Summary.Status.FINISHED, run.seconds())
                .title("Distillation from " + config.teacher().getFileName() + " on "
                        + config.data().getFileName())
                .verdict(String.format(
                        Locale.ROOT,
                        "Held out, the KL from teacher to student changed by %+.3f [%.3f, %.3f] to %.3f nats a token,"
                                + " the loss by %+.3f [%.3f, %.3f] to %.3f.",
                        kl.value(),
                        kl.low(),
                        kl.high(),
                        Bootstrap.mean(after.kl()),
                        loss.value(),
                        loss.low(),
                        loss.high(),
                        Bootstrap.mean(after.loss())))
                .comparison(
                        "KL(teacher || student)", "nats a token", bootstrap.bca(before.kl()), bootstrap.bca(after.kl()))
                .comparison("Held-out loss", "nats a token", bootstrap.bca(before.loss()), bootstrap.bca(after.loss()))
                .fact(
                        "sequences_to_learn_from",
                        "sequences to learn from",
                        Estimate.of(split.train().size()),
                        "",
                        "")
                .fact(
                        "sequences_held_out",
                        "sequences held out",
                        Estimate.of(split.heldOut().size()),
                        "",
                        "");
    }
}

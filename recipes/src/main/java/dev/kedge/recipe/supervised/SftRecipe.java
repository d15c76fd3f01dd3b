package dev.kedge.recipe.supervised;

import dev.kedge.data.Split;
import dev.kedge.data.Tokenized;
import dev.kedge.data.Truncation;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Policy;
import dev.kedge.sequence.PretrainedModel;
import dev.kedge.sequence.Samples;
import dev.kedge.sequence.SequenceReader;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.sequence.SupervisedTraining;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Streams;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Supervised fine-tuning: cross-entropy on completions only, or on whole documents of plain text.
///
/// Kept: length-grouped batches, gradient accumulation whose result equals the whole batch's, held-out loss before and
/// after. Left out: packing of conversations, several epochs with different data.
///
/// Command: `./kedge run recipes/sft.yaml`.
public final class SftRecipe {
    private SftRecipe() {}

    /// @param model        the folder to start from
    /// @param data         records with completions, or a text file
    /// @param promptKey    the key that stands for `prompt` in the file, where it is another
    /// @param completionKey the key that stands for `completion`
    /// @param separator    between the documents of a text file
    /// @param maxLength    tokens of a sequence
    /// @param truncation   what happens to longer ones
    /// @param heldOut      examples (documents) kept for judging
    /// @param adapter      train low-rank adapters only; absent: all weights
    /// @param training     how parameters are moved
    /// @param samples      continuations shown, before and after
    /// @param sampleTokens their length
    /// @param device       cpu, cuda or cuda:N
    /// @param threads      of the engine: a model of a few megabytes is fastest on one
    /// @param seed         of everything drawn
    public record Config(
            Path model,
            Path data,
            Optional<String> promptKey,
            Optional<String> completionKey,
            Optional<String> separator,
            int maxLength,
            Truncation truncation,
            int heldOut,
            Optional<Policy.Adapter> adapter,
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
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        try (PretrainedModel model = PretrainedModel.open(config.model(), new Device(config.device()))) {
            Split<Tokenized> split = SequenceReader.of(
                            model, config.maxLength(), config.truncation(), config.heldOut(), run)
                    .sequences(
                            config.data(),
                            SequenceReader.options(config.promptKey(), config.completionKey(), config.separator()),
                            config.seed());
            run.note(split.train().size() + " sequences to learn from, "
                    + split.heldOut().size() + " held out");
            Samples samples = Samples.of(model.tokenizer(), split.heldOut(), config.samples(), config.sampleTokens());
            try (Policy policy =
                    Policy.start(model, run, Optional.empty(), List.of(), config.adapter(), false, config.seed())) {
                double[] before = losses(model, policy.decoder(), split.heldOut());
                List<String> continuedBefore = samples.continuations(policy.decoder());

                long order = Streams.of(config.seed(), "order");
                SupervisedTraining.train(run, "sft", policy, split.train(), config.training(), order);

                double[] after = losses(model, policy.decoder(), split.heldOut());
                policy.save(run);
                run.summarise(samples.shown(
                        summary(config, split, before, after, run),
                        continuedBefore,
                        samples.continuations(policy.decoder())));
            }
        }
    }

    /// The loss of each sequence, nats a token.
    private static double[] losses(PretrainedModel model, Decoder decoder, List<Tokenized> sequences) {
        double[] losses = SequenceScores.of(decoder, sequences, model.padId(), 1.0);
        for (int i = 0; i < losses.length; i++) {
            losses[i] /= -sequences.get(i).targets();
        }
        return losses;
    }

    private static Summary summary(Config config, Split<Tokenized> split, double[] before, double[] after, Run run) {
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, Streams.of(config.seed(), "bootstrap"));
        Estimate change = bootstrap.pairedBca(before, after);
        return Summary.of("sft", Summary.Status.FINISHED, run.seconds())
                .title("Supervised fine-tuning on " + config.data().getFileName())
                .verdict(String.format(
                        Locale.ROOT,
                        "Held-out loss went from %.3f to %.3f nats a token: a change of %+.3f [%.3f, %.3f].",
                        Bootstrap.mean(before),
                        Bootstrap.mean(after),
                        change.value(),
                        change.low(),
                        change.high()))
                .comparison("Held-out loss", "nats a token", bootstrap.bca(before), bootstrap.bca(after))
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

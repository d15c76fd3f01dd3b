package dev.kedge.recipe.supervised;

import dev.kedge.data.Split;
import dev.kedge.data.Tokenized;
import dev.kedge.data.Truncation;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.sequence.Corpus;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.sequence.SupervisedTraining;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (Tokenizer tokenizer = Models.tokenizer(config.model());
                Decoder model = Models.load(config.model(), device)) {
            Split<Tokenized> split = new Corpus(
                            config.data(), config.promptKey(), config.completionKey(), config.separator())
                    .split(
                            config.model(),
                            tokenizer,
                            Math.min(config.maxLength(), model.config().maxPositions()),
                            config.truncation(),
                            config.heldOut(),
                            config.seed(),
                            run);
            run.note(split.train().size() + " sequences to learn from, "
                    + split.heldOut().size() + " held out");
            double[] before = losses(model, split.heldOut(), tokenizer);
            List<String> said =
                    continuations(model, tokenizer, split.heldOut(), config.samples(), config.sampleTokens());

            SupervisedTraining.train(
                    run, "sft", model, split.train(), Models.padId(tokenizer), config.training(), config.seed());

            double[] after = losses(model, split.heldOut(), tokenizer);
            Models.saveLike(config.model(), model, run.folder().resolve("model"));
            run.summarise(summary(
                    config,
                    tokenizer,
                    split,
                    before,
                    after,
                    said,
                    continuations(model, tokenizer, split.heldOut(), config.samples(), config.sampleTokens()),
                    run));
        }
    }

    /// The loss of each sequence, nats a token.
    private static double[] losses(Decoder model, List<Tokenized> sequences, Tokenizer tokenizer) {
        double[] losses = SequenceScores.of(model, sequences, Models.padId(tokenizer), 1.0);
        for (int i = 0; i < losses.length; i++) {
            losses[i] /= -sequences.get(i).targets();
        }
        return losses;
    }

    /// Greedy continuations of the first tokens of held-out sequences.
    static List<String> continuations(
            Decoder model, Tokenizer tokenizer, List<Tokenized> heldOut, int samples, int tokens) {
        List<int[]> prompts = new ArrayList<>();
        for (Tokenized sequence : heldOut.subList(0, Math.min(samples, heldOut.size()))) {
            prompts.add(beginning(sequence));
        }
        int room = model.config().maxPositions();
        prompts.replaceAll(p -> p.length < room ? p : Arrays.copyOf(p, room - 1));
        return Generator.generate(model, prompts, Generator.Options.greedy(tokens, tokenizer.stopIds()), null).stream()
                .map(c -> tokenizer.decode(c.tokens()))
                .toList();
    }

    /// The prompt; of a document, which is all target, a quarter.
    static int[] beginning(Tokenized sequence) {
        int given = 0;
        while (given < sequence.length() && !sequence.target()[given]) {
            given++;
        }
        return Arrays.copyOf(sequence.tokens(), given > 1 ? given : Math.max(1, sequence.length() / 4));
    }

    private static Summary summary(
            Config config,
            Tokenizer tokenizer,
            Split<Tokenized> split,
            double[] before,
            double[] after,
            List<String> saidBefore,
            List<String> saidAfter,
            Run run) {
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, config.seed());
        Estimate change = bootstrap.pairedBca(before, after);
        Summary summary = Summary.of("sft", Summary.Status.FINISHED, run.seconds())
                .title("Supervised fine-tuning on " + config.data().getFileName())
                .verdict(String.format(
                        "Held-out loss went from %.3f to %.3f nats a token: a change of %+.3f [%.3f, %.3f].",
                        Bootstrap.mean(before), Bootstrap.mean(after), change.value(), change.low(), change.high()))
                .comparison("Held-out loss", "nats a token", bootstrap.bca(before), bootstrap.bca(after))
                .fact("sequences to learn from", Estimate.of(split.train().size()), "", "")
                .fact("sequences held out", Estimate.of(split.heldOut().size()), "", "");
        for (int i = 0; i < saidBefore.size(); i++) {
            summary = summary.sample(new Summary.Sample(
                    tokenizer.decode(beginning(split.heldOut().get(i))),
                    saidBefore.get(i),
                    saidAfter.get(i),
                    Optional.empty(),
                    Optional.empty(),
                    ""));
        }
        return summary;
    }
}

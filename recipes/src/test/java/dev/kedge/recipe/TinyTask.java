package dev.kedge.recipe;

import dev.kedge.config.ConfigFile;
import dev.kedge.data.Truncation;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.recipe.preference.DpoRecipe;
import dev.kedge.recipe.preference.RrpoRecipe;
import dev.kedge.recipe.supervised.SftRecipe;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.Policy;
import dev.kedge.sequence.PolicyEvaluation;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.text.CharTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/// Models of a few hundred numbers and files of a few dozen lines. The rule: good replies are letters from a to d, bad
/// ones from e to h.
public final class TinyTask {
    public static final CharTokenizer TOKENIZER = CharTokenizer.of("abcdefgh ");

    private TinyTask() {}

    /// Random weights with logits far enough apart to tell sequences from each other; in float64, so that the order of
    /// a sum does not show.
    public static Decoder decoder(int vocabulary, long seed) {
        DecoderConfig config = DecoderConfig.small(vocabulary, 8, 2, 2, 16);
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(seed);
                Decoder shape = Decoder.random(config, rng, Device.CPU)) {
            Decoder decoder =
                    new Decoder(config, Parameters.copyOf(shape.parameters().named(), DType.FLOAT64, Device.CPU));
            var flat = decoder.parameters().flat();
            InPlace.copy_(flat, rng.normal(flat.numel()).times(0.7).to(DType.FLOAT64));
            return decoder;
        }
    }

    /// A folder with a random model and its tokenizer.
    public static Path model(Path folder, long seed) {
        DecoderConfig config = DecoderConfig.small(TOKENIZER.vocabularySize(), 16, 1, 2, 24);
        try (Rng rng = Rng.seeded(seed);
                Decoder decoder = Decoder.random(config, rng, Device.CPU)) {
            Models.save(decoder, TOKENIZER, folder);
        }
        return folder;
    }

    public static Path preferences(Path file, int count, long seed) throws IOException {
        Random random = new Random(seed);
        Set<String> prompts = new HashSet<>();
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add("{\"prompt\": \"%s \", \"chosen\": \"%s\", \"rejected\": \"%s\"}"
                    .formatted(
                            another(prompts, word("abcdefgh", 3, random)),
                            word("abcd", 1 + random.nextInt(6), random),
                            word("efgh", 1 + random.nextInt(6), random)));
        }
        return Files.write(file, lines);
    }

    /// Good replies and bad ones in turn, each under a prompt of its own.
    public static Path labelled(Path file, int count, long seed) throws IOException {
        Random random = new Random(seed);
        Set<String> prompts = new HashSet<>();
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add("{\"prompt\": \"%s \", \"completion\": \"%s\", \"label\": %s}"
                    .formatted(
                            another(prompts, word("abcdefgh", 1 + random.nextInt(3), random)),
                            word(i % 2 == 0 ? "abcd" : "efgh", 1 + random.nextInt(6), random),
                            i % 2 == 0));
        }
        return Files.write(file, lines);
    }

    /// Replies that share their beginning and their end; between them stand letters by the rule.
    public static Path phrases(Path file, int count, long seed) throws IOException {
        Random random = new Random(seed);
        Set<String> prompts = new HashSet<>();
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String before = word("abcdefgh", 2, random);
            String after = word("abcdefgh", 1 + random.nextInt(3), random);
            lines.add("{\"prompt\": \"%s \", \"chosen\": \"%s\", \"rejected\": \"%s\"}"
                    .formatted(
                            another(prompts, word("abcdefgh", 3, random)),
                            before + " " + word("abcd", 1 + random.nextInt(3), random) + " " + after,
                            before + " " + word("efgh", 1 + random.nextInt(3), random) + " " + after));
        }
        return Files.write(file, lines);
    }

    public static Path completions(Path file, int count, long seed) throws IOException {
        Random random = new Random(seed);
        Set<String> prompts = new HashSet<>();
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add("{\"prompt\": \"%s \", \"completion\": \"%s\"}"
                    .formatted(
                            another(prompts, word("abcdefgh", 3, random)),
                            word("abcd", 1 + random.nextInt(5), random)));
        }
        return Files.write(file, lines);
    }

    /// The prompt, or, where it has been there before, the next word of three letters that has not.
    private static String another(Set<String> before, String prompt) {
        String word = prompt;
        for (int i = 0; !before.add(word); i++) {
            word = "" + (char) ('a' + i / 64 % 8) + (char) ('a' + i / 8 % 8) + (char) ('a' + i % 8);
        }
        return word;
    }

    private static String word(String letters, int length, Random random) {
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < length; i++) {
            word.append(letters.charAt(random.nextInt(letters.length())));
        }
        return word.toString();
    }

    public static TrainingConfig optimisation(int steps, int microBatch, double learningRate, int checkpointEvery) {
        return optimisation(steps, 8, microBatch, learningRate, checkpointEvery);
    }

    public static TrainingConfig optimisation(
            int steps, int batch, int microBatch, double learningRate, int checkpointEvery) {
        return new TrainingConfig(
                steps,
                batch,
                microBatch,
                EpochBatches.Order.SHUFFLED,
                learningRate,
                Schedule.Shape.LINEAR,
                2,
                0.1,
                0.9,
                0.98,
                0.0,
                1.0,
                checkpointEvery,
                Optional.empty());
    }

    /// Sums of one digit, of which many are wrong, and a decoder that learnt a little of them.
    public static ArithmeticTask.Config sums(int heldOut, int steps) {
        return new ArithmeticTask.Config(9, 0.4, 16, 1, 2, 300, optimisation(steps, 8, 1e-2, 7), heldOut);
    }

    public static SftRecipe.Config sft(Path model, Path data, TrainingConfig optimisation) {
        return sft(model, data, Optional.empty(), optimisation);
    }

    public static SftRecipe.Config sft(
            Path model, Path data, Optional<Policy.Adapter> adapter, TrainingConfig optimisation) {
        return new SftRecipe.Config(
                model,
                data,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                24,
                Truncation.DROP,
                32,
                adapter,
                optimisation,
                2,
                6,
                "cpu",
                1,
                5);
    }

    public static DpoRecipe.Config dpo(Path model, Path data, PreferenceLoss objective, TrainingConfig optimisation) {
        return new DpoRecipe.Config(
                model,
                data,
                objective,
                Optional.empty(),
                24,
                Truncation.DROP,
                40,
                Optional.empty(),
                optimisation,
                new PolicyEvaluation.Config(8, 6, 1.0, 2),
                "cpu",
                1,
                5);
    }

    public static RrpoRecipe.Config rrpo(Path model, Path data, double alpha, TrainingConfig optimisation) {
        return new RrpoRecipe.Config(
                model,
                data,
                0.5,
                alpha,
                Optional.empty(),
                24,
                Truncation.DROP,
                40,
                Optional.empty(),
                optimisation,
                new PolicyEvaluation.Config(8, 6, 1.0, 2),
                "cpu",
                1,
                5);
    }

    /// Runs a recipe as its command does: by name, from the configuration's text.
    public static Path run(String recipe, Record config, Path folder) throws IOException {
        Path yaml = Files.writeString(
                Files.createTempFile(folder.toAbsolutePath().getParent(), recipe, ".yaml"),
                ConfigFile.text(recipe, config));
        ConfigFile file = ConfigFile.open(yaml, List.of());
        try (Run run = Run.start(folder, file, Recipes.config(file), Terminal.quiet())) {
            Recipes.run(file, run);
        }
        return folder;
    }
}

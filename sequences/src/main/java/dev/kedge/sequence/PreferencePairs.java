package dev.kedge.sequence;

import dev.kedge.config.ConfigException;
import dev.kedge.data.DataException;
import dev.kedge.data.DataException.Place;
import dev.kedge.data.Dataset;
import dev.kedge.data.ReadOptions;
import dev.kedge.data.Split;
import dev.kedge.data.Tokenisation;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.Truncation;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.Run;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.Device;
import dev.kedge.text.ChatTemplate;
import dev.kedge.text.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What every recipe on preference pairs begins with: the pairs of a file, and the reference.
public final class PreferencePairs {
    private PreferencePairs() {}

    /// The pairs of a file as a model reads them; what is left out is noted.
    ///
    /// @param maxLength tokens of prompt and reply together; less where the model has fewer positions
    /// @param heldOut   pairs kept for judging, the last ones of the file
    /// @throws ConfigException if there are no more pairs than are to be held out
    /// @throws DataException   if the file cannot be read, or none of its pairs fits the model
    public static Split<TokenizedPair> read(
            Path file, Path model, Tokenizer tokenizer, int maxLength, Truncation truncation, int heldOut, Run run) {
        Dataset data = Dataset.read(file, ReadOptions.skipping());
        data.skipped().lines().forEach(line -> run.note("left out: " + line));
        if (data.examples().size() <= heldOut) {
            throw new ConfigException("held_out is " + heldOut + ", but " + file + " has only "
                    + data.examples().size() + " pairs");
        }
        int positions = 0;
        try (Decoder decoder = Models.load(model, Device.CPU)) {
            positions = decoder.config().maxPositions();
        }
        Optional<ChatTemplate> template = Files.isDirectory(model) ? ChatTemplate.load(model) : Optional.empty();
        Tokenisation tokenisation = new Tokenisation(
                tokenizer,
                template.or(() -> Optional.of(ChatTemplate.HUMAN_ASSISTANT)),
                Math.min(maxLength, positions),
                truncation);
        var split = Split.firstAndLast(data.examples(), data.examples().size() - heldOut, heldOut);
        var train = tokenisation.pairs(split.train(), ReadOptions.Wrong.SKIP);
        var judged = tokenisation.pairs(split.heldOut(), ReadOptions.Wrong.SKIP);
        Stream.of(train, judged).forEach(t -> t.skipped().lines().forEach(line -> run.note("left out: " + line)));
        if (train.items().isEmpty() || judged.items().isEmpty()) {
            var none = train.items().isEmpty() ? train : judged;
            throw new DataException(
                    Place.file(file),
                    "",
                    "no pair is left to " + (none == train ? "learn from" : "judge by") + "; left out: "
                            + none.skipped().lines().getFirst());
        }
        return new Split<>(train.items(), judged.items());
    }

    /// Tokens of some pairs, by their numbers.
    public static long tokens(List<TokenizedPair> pairs, int[] some) {
        return Arrays.stream(some)
                .mapToLong(i ->
                        pairs.get(i).chosen().length() + pairs.get(i).rejected().length())
                .sum();
    }

    /// Writes the model that the policy starts from and is held to: the one given, fine-tuned on the chosen replies if
    /// asked.
    public static void makeReference(
            Path start,
            Optional<TrainingConfig> sft,
            Tokenizer tokenizer,
            List<TokenizedPair> pairs,
            Path folder,
            Device device,
            Run run,
            long seed) {
        try (Decoder model = Models.load(start, device)) {
            sft.ifPresent(o -> {
                List<Tokenized> chosen =
                        pairs.stream().map(TokenizedPair::chosen).toList();
                SupervisedTraining.train(run, "sft", model, chosen, Models.padId(tokenizer), o, seed);
            });
            Models.saveLike(start, model, folder);
        }
    }
}

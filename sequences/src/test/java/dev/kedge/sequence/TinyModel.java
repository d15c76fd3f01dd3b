package dev.kedge.sequence;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.CharTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// Models of a few hundred numbers, sequences for them, and their log-probs the long way round.
final class TinyModel {
    static final CharTokenizer TOKENIZER = CharTokenizer.of("abcdefgh ");

    private TinyModel() {}

    /// Random weights with logits far enough apart to tell sequences from each other; in float64, so that the order of
    /// a sum does not show.
    static Decoder decoder(int vocabulary, long seed) {
        DecoderConfig config = DecoderConfig.small(vocabulary, 8, 2, 2, 16);
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(seed);
                Decoder shape = Decoder.random(config, rng, Device.CPU)) {
            Decoder decoder =
                    new Decoder(config, Parameters.copyOf(shape.parameters().named(), DType.FLOAT64, Device.CPU));
            Tensor flat = decoder.parameters().flat();
            InPlace.copy_(flat, rng.normal(flat.numel()).times(0.7).to(DType.FLOAT64));
            return decoder;
        }
    }

    /// A folder with a random model of 24 positions and its tokenizer.
    static Path in(Path folder, long seed) {
        DecoderConfig config = DecoderConfig.small(TOKENIZER.vocabularySize(), 16, 1, 2, 24);
        try (Rng rng = Rng.seeded(seed);
                Decoder decoder = Decoder.random(config, rng, Device.CPU)) {
            Models.save(decoder, TOKENIZER, folder);
        }
        return folder;
    }

    /// Moves all weights, so that a policy differs from its reference.
    static void move(Decoder decoder, long seed, double by) {
        try (var _ = Gradients.off();
                Scope _ = new Scope();
                Rng rng = Rng.seeded(seed)) {
            Tensor flat = decoder.parameters().flat();
            InPlace.copy_(flat, flat.plus(rng.normal(flat.numel()).times(by).to(flat.dtype())));
        }
    }

    static Tokenized sequence(String prompt, String reply) {
        return Tokenized.ofReply(TOKENIZER.encode(prompt), TOKENIZER.encodeOrdinary(reply));
    }

    static TokenizedPair pair(String prompt, String chosen, String rejected) {
        return new TokenizedPair(sequence(prompt, chosen), sequence(prompt, rejected));
    }

    /// Log-prob of a sequence's targets, from all logits of this sequence alone.
    static double logProb(Decoder model, Tokenized sequence, double temperature) {
        try (var _ = Gradients.off();
                Scope _ = new Scope()) {
            int length = sequence.length();
            long[] ids = Arrays.stream(sequence.tokens()).asLongStream().toArray();
            int vocabulary = (int) model.config().vocabularySize();
            double[] logits =
                    model.logits(model.hidden(Tensor.of(ids, 1, length))).toDoubles();
            double sum = 0;
            for (int t = 1; t < length; t++) {
                if (sequence.target()[t]) {
                    double[] row = Arrays.copyOfRange(logits, (t - 1) * vocabulary, t * vocabulary);
                    double z = Arrays.stream(row)
                            .map(logit -> Math.exp(logit / temperature))
                            .sum();
                    sum += row[sequence.tokens()[t]] / temperature - Math.log(z);
                }
            }
            return sum;
        }
    }

    /// Good replies, letters from a to d, and bad ones, from e to h, in turn, each under a prompt of its own.
    static Path labelled(Path file, int count, long seed) throws IOException {
        Random random = new Random(seed);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add("{\"prompt\": \"%s \", \"completion\": \"%s\", \"label\": %s}"
                    .formatted(
                            word("abcdefgh", 1 + random.nextInt(3), random),
                            word(i % 2 == 0 ? "abcd" : "efgh", 1 + random.nextInt(6), random),
                            i % 2 == 0));
        }
        return Files.write(file, lines);
    }

    private static String word(String letters, int length, Random random) {
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < length; i++) {
            word.append(letters.charAt(random.nextInt(letters.length())));
        }
        return word.toString();
    }

    static TrainingConfig training(int steps, int microBatch, double learningRate, int checkpointEvery) {
        return new TrainingConfig(
                steps,
                8,
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

    /// The lines of a run's metrics.jsonl of a phase.
    static List<ObjectNode> metrics(Path run, String phase) throws IOException {
        List<ObjectNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
            ObjectNode metrics = (ObjectNode) new ObjectMapper().readTree(line);
            if (metrics.get("phase").asText().equals(phase)) {
                lines.add(metrics);
            }
        }
        return lines;
    }
}

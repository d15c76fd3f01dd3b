package dev.kedge.recipe.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.data.Dataset;
import dev.kedge.data.ReadOptions;
import dev.kedge.data.Tokenisation;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.Truncation;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whole runs of DPO against a computation of the test's own: the loss from all logits of one sequence after the other,
/// AdamW in double, the learning rates written down.
class DpoStepsTest {
    private static final double BETA = 0.5;
    private static final double PEAK = 4e-3;
    private static final double DECAY = 0.1;
    private static final double MAX_NORM = 0.05; // every gradient is longer
    /// Two steps of warm-up, then a line to a tenth that ends with the last step.
    private static final double[] RATES = {PEAK / 3, 2 * PEAK / 3, PEAK, 0.775 * PEAK, 0.55 * PEAK, 0.325 * PEAK};

    @TempDir
    Path folder;

    /// Replies of different lengths, so that exchanging the lengths of chosen and rejected ones shows; a schedule under
    /// which no two steps have the same rate, so that a rate that stays where it was shows.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void parametersMoveByTheLossAndTheSchedule(boolean perToken) throws Exception {
        Path model = TinyTask.model(folder.resolve("start"), 1);
        Path data = TinyTask.preferences(folder.resolve("data.jsonl"), 120, 2);
        var config = TinyTask.dpo(
                model,
                data,
                perToken ? new PreferenceLoss.LengthNormalized(BETA) : new PreferenceLoss.Sigmoid(BETA),
                training());
        RecordedRun run = new RecordedRun(TinyTask.run("dpo", config, folder.resolve("run")));
        List<TokenizedPair> pairs = pairs(data);
        EpochBatches batches = new EpochBatches(
                EpochBatches.Order.SHUFFLED,
                pairs.stream().mapToInt(TokenizedPair::length).toArray(),
                8,
                Streams.of(config.seed(), "order"));
        try (Decoder reference = Models.load(model, Device.CPU);
                Decoder policy = Models.load(model, Device.CPU);
                Decoder trained = Models.load(run.folder().resolve("model"), Device.CPU)) {
            double[] start = policy.parameters().flat().toDoubles();
            OwnAdamW expected = new OwnAdamW(start);
            policy.parameters().trainable();
            for (int step = 0; step < RATES.length; step++) {
                List<TokenizedPair> batch =
                        Arrays.stream(batches.at(step)).mapToObj(pairs::get).toList();
                ObjectNode logged = run.metrics("dpo").get(step);
                assertEquals(
                        gradient(policy, reference, batch, perToken),
                        logged.get("loss").asDouble(),
                        1e-5);
                assertEquals(RATES[step], logged.get("lr").asDouble(), 1e-12);
                expected.step(policy.parameters().gradient().toDoubles(), RATES[step]);
                policy.parameters().zeroGradient();
                set(policy, expected.parameters);
            }
            double[] actual = trained.parameters().flat().toDoubles();
            double error = distance(actual, expected.parameters) / distance(start, expected.parameters);
            // Where a gradient is no more than rounding, Adam may take its step to either side: few numbers do that.
            assertTrue(error < 5e-3, "off by " + error + " of the way");
            assertMargin(run, policy, reference, all(data).subList(80, 120), perToken);
        }
    }

    private static TrainingConfig training() {
        return new TrainingConfig(
                RATES.length,
                8,
                3,
                EpochBatches.Order.SHUFFLED,
                PEAK,
                Schedule.Shape.LINEAR,
                2,
                0.1,
                0.9,
                0.98,
                DECAY,
                MAX_NORM,
                6,
                Optional.empty());
    }

    private static List<TokenizedPair> pairs(Path data) {
        return all(data).subList(0, 80);
    }

    private static List<TokenizedPair> all(Path data) {
        List<TokenizedPair> pairs = new Tokenisation(TinyTask.TOKENIZER, Optional.empty(), 24, Truncation.DROP)
                .pairs(Dataset.read(data).examples(), ReadOptions.Wrong.FAIL)
                .items();
        assertTrue(pairs.stream()
                        .filter(p -> p.chosen().targets() != p.rejected().targets())
                        .count()
                > 60);
        return pairs;
    }

    /// Adds the gradient of the mean loss of these pairs.
    ///
    /// @return the loss
    private static double gradient(Decoder policy, Decoder reference, List<TokenizedPair> batch, boolean perToken) {
        double loss = 0;
        for (TokenizedPair pair : batch) {
            try (Scope _ = new Scope()) {
                Tensor part = Functional.logSigmoid(margin(policy, reference, pair, perToken))
                        .times(-1.0 / batch.size());
                part.backward();
                loss += part.item();
            }
        }
        return loss;
    }

    private static Tensor margin(Decoder policy, Decoder reference, TokenizedPair pair, boolean perToken) {
        return logRatio(policy, reference, pair.chosen(), perToken)
                .minus(logRatio(policy, reference, pair.rejected(), perToken))
                .times(BETA);
    }

    private static Tensor logRatio(Decoder policy, Decoder reference, Tokenized sequence, boolean perToken) {
        double constant;
        try (var _ = Gradients.off()) {
            constant = logProb(reference, sequence).item();
        }
        return logProb(policy, sequence)
                .minus(constant)
                .div(perToken ? sequence.length() - sequence.promptLength() : 1);
    }

    private static Tensor logProb(Decoder model, Tokenized sequence) {
        int from = sequence.promptLength();
        int length = sequence.length();
        Tensor tokens =
                Tensor.of(Arrays.stream(sequence.tokens()).asLongStream().toArray(), 1, length);
        Tensor logProbs = model.logits(model.hidden(tokens)).logSoftmax(1).narrow(0, from - 1L, length - from);
        return logProbs.gather(1, tokens.view(length, 1).narrow(0, from, length - from))
                .sum();
    }

    /// The implicit reward margin of what was held out, under the policy of the test's own.
    private static void assertMargin(
            RecordedRun run, Decoder policy, Decoder reference, List<TokenizedPair> heldOut, boolean perToken)
            throws Exception {
        double sum = 0;
        double exchanged = 0;
        try (var _ = Gradients.off();
                Scope _ = new Scope()) {
            for (TokenizedPair pair : heldOut) {
                double chosen =
                        logRatio(policy, reference, pair.chosen(), false).item();
                double rejected =
                        logRatio(policy, reference, pair.rejected(), false).item();
                int ofChosen = pair.chosen().targets();
                int ofRejected = pair.rejected().targets();
                sum += margin(policy, reference, pair, perToken).item();
                exchanged += BETA * (chosen / ofRejected - rejected / ofChosen);
            }
        }
        double logged = run.fact("reward_margin").get("value").asDouble();
        assertEquals(sum / heldOut.size(), logged, 2e-3);
        if (perToken) {
            assertNotEquals(exchanged / heldOut.size(), logged, 1e-2, "these replies would not tell");
        }
    }

    private static void set(Decoder policy, double[] values) {
        try (var _ = Gradients.off();
                Scope _ = new Scope()) {
            InPlace.copy_(policy.parameters().flat(), Tensor.of(values));
        }
    }

    private static double distance(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (a[i] - b[i]);
        }
        return Math.sqrt(sum);
    }

    /// AdamW (arXiv:1711.05101, algorithm 2) on gradients that are clipped to a length.
    private static final class OwnAdamW {
        final double[] parameters;
        private final double[] first;
        private final double[] second;
        private int steps;

        OwnAdamW(double[] start) {
            parameters = start.clone();
            first = new double[start.length];
            second = new double[start.length];
        }

        void step(double[] gradient, double rate) {
            double scale = MAX_NORM / distance(gradient, new double[gradient.length]);
            assertTrue(scale < 1, "a gradient that is not clipped: " + MAX_NORM / scale);
            steps++;
            for (int i = 0; i < parameters.length; i++) {
                double g = scale * gradient[i];
                first[i] = 0.9 * first[i] + 0.1 * g;
                second[i] = 0.98 * second[i] + 0.02 * g * g;
                double m = first[i] / (1 - Math.pow(0.9, steps));
                double v = second[i] / (1 - Math.pow(0.98, steps));
                parameters[i] -= rate * (DECAY * parameters[i] + m / (Math.sqrt(v) + 1e-8));
            }
        }
    }
}

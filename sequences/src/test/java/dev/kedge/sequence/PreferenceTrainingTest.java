package dev.kedge.sequence;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Against losses from all logits, one reply after the other, in float64. The two replies of a pair differ in length,
/// so that one length taken for the other shows; no two steps have the same learning rate.
class PreferenceTrainingTest {
    private static final double BETA = 0.4;
    private static final int V = 7;
    private static final long SEED = 11;
    private static final double PEAK = 0.02;
    /// Two steps of warm-up, then a line to a tenth that ends with the last step.
    private static final double[] RATES = {PEAK / 3, 2 * PEAK / 3, PEAK, 0.7 * PEAK, 0.4 * PEAK};
    private static final TrainingConfig CONFIG = new TrainingConfig(
            5, 4, 3, EpochBatches.Order.SHUFFLED, PEAK, Schedule.Shape.LINEAR, 2, 0.1, 0.9, 0.98, 0.1, 0.5, 5);

    @TempDir
    Path folder;

    public record Noted(String text) {}

    private Run start(String name) {
        return Run.start(folder.resolve(name), "tiny", new Noted("nothing"), Terminal.quiet());
    }

    private static List<TokenizedPair> pairs() {
        Random random = new Random(3);
        List<TokenizedPair> pairs = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            int[] prompt = random.ints(1 + random.nextInt(4), 0, V).toArray();
            int[] chosen = random.ints(1 + i % 3, 0, V).toArray();
            int[] rejected = random.ints(2 + (i + 1) % 4, 0, V).toArray();
            pairs.add(new TokenizedPair(Tokenized.ofReply(prompt, chosen), Tokenized.ofReply(prompt, rejected)));
        }
        assertTrue(pairs.stream()
                        .filter(p -> p.chosen().targets() != p.rejected().targets())
                        .count()
                > 5);
        return pairs;
    }

    private static PreferenceLoss loss(boolean perToken) {
        return perToken ? new PreferenceLoss.LengthNormalized(BETA) : new PreferenceLoss.Sigmoid(BETA);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void parametersMoveByTheLossAndTheSchedule(boolean perToken) throws Exception {
        List<TokenizedPair> pairs = pairs();
        List<double[]> logged = new ArrayList<>();
        try (Decoder reference = TinyModel.decoder(V, 1);
                Decoder policy = TinyModel.decoder(V, 2);
                Decoder expected = TinyModel.decoder(V, 2);
                Run run = start("run")) {
            ScoredPairs scored = ScoredPairs.of(reference, pairs, 0);
            PreferenceTraining.train(run, "dpo", policy, scored, loss(perToken), CONFIG, SEED);
            expected.parameters().trainable();
            EpochBatches batches = scored.batches(CONFIG, SEED);
            try (AdamW optimizer = new AdamW(expected.parameters(), new AdamW.Config(0.9, 0.98, 1e-8, 0.1))) {
                for (int step = 0; step < RATES.length; step++) {
                    logged.add(gradient(expected, reference, batches.at(step, pairs), perToken));
                    expected.parameters().clipGradient(0.5);
                    optimizer.step(RATES[step]);
                }
            }
            assertArrayEquals(
                    expected.parameters().flat().toDoubles(),
                    policy.parameters().flat().toDoubles(),
                    1e-8);
        }
        List<ObjectNode> lines = TinyModel.metrics(folder.resolve("run"), "dpo");
        assertEquals(RATES.length, lines.size());
        for (int step = 0; step < RATES.length; step++) {
            ObjectNode line = lines.get(step);
            assertEquals(RATES[step], line.get("lr").asDouble(), 1e-15);
            assertEquals(logged.get(step)[0], line.get("loss").asDouble(), 1e-9);
            assertEquals(logged.get(step)[1], line.get("reward/margin").asDouble(), 1e-9);
            assertTrue(line.get("tokens_per_s").asDouble() > 0);
        }
    }

    /// Adds the gradient of the mean loss of a batch.
    ///
    /// @return the loss and the mean margin
    private static double[] gradient(Decoder policy, Decoder reference, List<TokenizedPair> batch, boolean perToken) {
        double[] sums = new double[2];
        for (TokenizedPair pair : batch) {
            try (Scope _ = new Scope()) {
                Tensor margin = reward(policy, reference, pair.chosen(), perToken)
                        .minus(reward(policy, reference, pair.rejected(), perToken));
                Tensor loss = Functional.logSigmoid(margin).times(-1.0 / batch.size());
                loss.backward();
                sums[0] += loss.item();
                sums[1] += margin.item() / batch.size();
            }
        }
        return sums;
    }

    private static Tensor reward(Decoder policy, Decoder reference, Tokenized sequence, boolean perToken) {
        int from = sequence.promptLength();
        int length = sequence.length();
        Tensor tokens =
                Tensor.of(Arrays.stream(sequence.tokens()).asLongStream().toArray(), 1, length);
        return policy.logits(policy.hidden(tokens))
                .logSoftmax(1)
                .narrow(0, from - 1L, length - from)
                .gather(1, tokens.view(length, 1).narrow(0, from, length - from))
                .sum()
                .minus(TinyModel.logProb(reference, sequence, 1))
                .times(BETA / (perToken ? length - from : 1));
    }

    private static final List<TokenizedPair> WORDS = List.of(
            TinyModel.pair("ab ", "cd", "efghe"),
            TinyModel.pair("h ", "abcd", "e"),
            TinyModel.pair("gga ", "a", "hh"),
            TinyModel.pair("c ", "dab", "fe"));

    private interface Body {
        void with(Run run, Policy policy) throws Exception;
    }

    /// A policy that has moved from its reference already.
    private void moved(boolean needsReference, Body body) throws Exception {
        try (Run run = start("run");
                PretrainedModel start = PretrainedModel.open(TinyModel.in(folder.resolve("start"), 1), Device.CPU);
                Policy policy =
                        Policy.start(start, run, Optional.empty(), List.of(), Optional.empty(), needsReference, 5)) {
            TinyModel.move(policy.decoder(), 3, 0.2);
            body.with(run, policy);
        }
    }

    private static double logRatio(Policy policy, Tokenized sequence) {
        return TinyModel.logProb(policy.decoder(), sequence, 1) - TinyModel.logProb(policy.reference(), sequence, 1);
    }

    @Test
    void marginsAreDifferencesOfImplicitRewards() throws Exception {
        moved(true, (_, policy) -> {
            double[] whole = PreferenceTraining.margins(policy, WORDS, loss(false));
            double[] perToken = PreferenceTraining.margins(policy, WORDS, loss(true));
            for (int i = 0; i < WORDS.size(); i++) {
                Tokenized chosen = WORDS.get(i).chosen();
                Tokenized rejected = WORDS.get(i).rejected();
                double c = BETA * logRatio(policy, chosen);
                double r = BETA * logRatio(policy, rejected);
                assertEquals(c - r, whole[i], 1e-5);
                assertEquals(c / chosen.targets() - r / rejected.targets(), perToken[i], 1e-5);
                assertTrue(Math.abs(c) > 1e-3 && Math.abs(r) > 1e-3, "too close to the reference to tell");
            }
        });
    }

    @Test
    void aPolicyIsComparedWithItsReferenceOnlyWhereTheLossAsksForIt() throws Exception {
        moved(true, (run, policy) -> {
            double withReference = loss(p -> logRatio(policy, p.chosen()) - logRatio(policy, p.rejected()));
            double without = loss(p -> TinyModel.logProb(policy.decoder(), p.chosen(), 1)
                    - TinyModel.logProb(policy.decoder(), p.rejected(), 1));
            double[] start = policy.decoder().parameters().flat().toDoubles();
            PreferenceTraining.train(run, "with", policy, WORDS, loss(false), oneStep(), SEED);
            assertArrayEquals(start, policy.decoder().parameters().flat().toDoubles(), 1e-6, "hardly a step");
            PreferenceTraining.train(
                    run, "without", policy, WORDS, new PreferenceLoss.ReferenceFree(BETA), oneStep(), SEED);
            assertEquals(withReference, first("with"), 1e-5);
            assertEquals(without, first("without"), 1e-5);
            assertTrue(Math.abs(without - withReference) > 1e-3);
        });
    }

    private static double loss(ToDoubleFunction<TokenizedPair> margin) {
        return WORDS.stream()
                .mapToDouble(margin)
                .map(m -> Math.log1p(Math.exp(-BETA * m)))
                .average()
                .orElseThrow();
    }

    private static TrainingConfig oneStep() {
        return new TrainingConfig(
                1, 8, 8, EpochBatches.Order.SHUFFLED, 1e-9, Schedule.Shape.CONSTANT, 0, 0, 0.9, 0.98, 0, 1, 1);
    }

    private double first(String phase) throws Exception {
        return TinyModel.metrics(folder.resolve("run"), phase)
                .getFirst()
                .get("loss")
                .asDouble();
    }

    /// Such a loss holds no reference in memory while it trains or judges.
    @Test
    void aLossWithoutAReferenceLoadsNone() throws Exception {
        moved(false, (run, policy) -> {
            long live = Scope.liveTensors();
            PreferenceLoss loss = new PreferenceLoss.ReferenceFree(BETA);
            PreferenceTraining.train(run, "free", policy, WORDS, loss, oneStep(), SEED);
            double[] margins = PreferenceTraining.margins(policy, WORDS, loss);
            for (int i = 0; i < WORDS.size(); i++) {
                double margin = TinyModel.logProb(policy.decoder(), WORDS.get(i).chosen(), 1)
                        - TinyModel.logProb(policy.decoder(), WORDS.get(i).rejected(), 1);
                assertEquals(BETA * margin, margins[i], 1e-5);
            }
            long held = Scope.liveTensors();
            policy.reference();
            assertTrue(Scope.liveTensors() > held && held - live <= 2, "read before it was asked for");
        });
    }
}

package dev.kedge.nn.lm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.nn.InScope;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(InScope.class)
class DecoderTest {
    private static double[] flat(double[][] rows) {
        return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
    }

    private static double[] hidden(Decoder model, int[]... rows) {
        return model.hidden(Form.batch(rows)).toDoubles();
    }

    @ParameterizedTest
    @EnumSource
    void logitsAreThoseOfTheFormulas(Form form) {
        Random random = new Random(form.ordinal());
        try (Decoder model = form.decoder(1)) {
            NaiveDecoder naive = new NaiveDecoder(model);
            for (int length : new int[] {1, 2, 11, Form.POSITIONS}) {
                int[] a = Form.tokens(random, length);
                int[] b = Form.tokens(random, length);
                double[] actual = model.logits(model.hidden(Form.batch(a, b))).toDoubles();
                int middle = length * Form.VOCABULARY;
                assertArrayEquals(flat(naive.logits(a)), Arrays.copyOf(actual, middle), 1e-4);
                assertArrayEquals(flat(naive.logits(b)), Arrays.copyOfRange(actual, middle, 2 * middle), 1e-4);
            }
        }
    }

    /// The same numbers in both precisions, so what differs is rounding alone.
    @ParameterizedTest
    @EnumSource
    void doublesAgreeWithTheFormulasToRounding(Form form) {
        int[] tokens = Form.tokens(new Random(3), 17);
        try (Decoder model = form.decoder(DType.FLOAT64, 2)) {
            double[] actual = model.logits(model.hidden(Form.batch(tokens))).toDoubles();
            assertArrayEquals(flat(new NaiveDecoder(model).logits(tokens)), actual, 1e-11);
        }
    }

    @ParameterizedTest
    @EnumSource
    void noTokenSeesWhatFollows(Form form) {
        Random random = new Random(form.ordinal());
        int width = form.config.hiddenSize();
        try (Decoder model = form.decoder(4)) {
            int[] tokens = Form.tokens(random, 12);
            double[] before = hidden(model, tokens);
            for (int t = 0; t < 11; t++) {
                int[] changed = tokens.clone();
                for (int s = t + 1; s < 12; s++) {
                    changed[s] = (tokens[s] + 1 + random.nextInt(12)) % 13;
                }
                double[] after = hidden(model, changed);
                int end = (t + 1) * width;
                assertArrayEquals(Arrays.copyOf(before, end), Arrays.copyOf(after, end), "up to " + t);
                assertFalse(Arrays.equals(
                        Arrays.copyOfRange(before, end, end + width), Arrays.copyOfRange(after, end, end + width)));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void paddingOnTheRightChangesNothing(Form form) {
        Random random = new Random(form.ordinal());
        int width = form.config.hiddenSize();
        try (Decoder model = form.decoder(5)) {
            int[] tokens = Form.tokens(random, 7);
            double[] alone = hidden(model, tokens);
            for (int padding : new int[] {1, 2, 9, 25}) {
                int[] padded = Arrays.copyOf(tokens, 7 + padding);
                System.arraycopy(Form.tokens(random, padding), 0, padded, 7, padding);
                int[] beside = Form.tokens(random, 7 + padding);
                double[] both = hidden(model, beside, padded);
                int from = (7 + padding) * width;
                assertArrayEquals(alone, Arrays.copyOfRange(both, from, from + 7 * width), 1e-5);
            }
        }
    }

    @Test
    void tooLongASequenceIsNamed() {
        try (Decoder model = Form.GPT2.decoder(1)) {
            Tensor tokens = Form.batch(new int[33]);
            var e = assertThrows(IllegalArgumentException.class, () -> model.hidden(tokens));
            assertEquals("a sequence of 33 tokens does not fit the model's 32 positions", e.getMessage());
        }
    }

    @Test
    void randomWeightsHaveTheDeviationsOfGpt2() {
        DecoderConfig config = DecoderConfig.small(200, 128, 8, 4, 16);
        try (Rng rng = Rng.seeded(1);
                Decoder model = Decoder.random(config, rng, Device.CPU)) {
            model.parameters().named().forEach((name, tensor) -> {
                double[] values = tensor.toDoubles();
                if (tensor.dim() == 1) {
                    assertEquals(
                            values.length,
                            Arrays.stream(values).filter(v -> v == 1).count(),
                            name);
                    return;
                }
                boolean residual = name.contains("attention.output") || name.contains("mlp.down");
                double deviation = residual ? 0.02 / 4 : 0.02;
                double measured = Math.sqrt(
                        Arrays.stream(values).map(v -> v * v).average().orElseThrow());
                // The mean square of n normals is within 5 √(2/n) of 1.
                assertEquals(1, measured / deviation, 5 / Math.sqrt(2.0 * values.length), name);
            });
        }
    }

    @Test
    void randomWeightsDependOnTheSeedAlone() {
        DecoderConfig config = Form.NEOX.config;
        try (Rng one = Rng.seeded(7);
                Rng same = Rng.seeded(7);
                Decoder a = Decoder.random(config, one, Device.CPU);
                Decoder b = Decoder.random(config, same, Device.CPU)) {
            assertArrayEquals(
                    a.parameters().flat().toFloats(), b.parameters().flat().toFloats());
        }
    }

    @Test
    void aCopyHasItsOwnMemoryAndIsFrozen() {
        int[] tokens = {1, 2, 3};
        try (Decoder model = Form.LLAMA.decoder(1)) {
            model.parameters().trainable();
            try (Decoder copy = model.copy()) {
                double[] before = hidden(copy, tokens);
                assertArrayEquals(hidden(model, tokens), before);
                assertFalse(copy.hidden(Form.batch(tokens)).hasGradientGraph());
                try (var _ = Gradients.off()) {
                    InPlace.fill_(model.parameters().flat(), 0);
                }
                assertArrayEquals(before, hidden(copy, tokens));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void closingADecoderFreesAllThatItMade(Form form) throws InterruptedException {
        long before = Scope.liveTensors();
        // A thread of its own has no scope around it that would free what was forgotten.
        Thread thread = Thread.ofPlatform().start(() -> {
            form.decoder(1).close();
            form.decoder(DType.FLOAT64, 1).close();
        });
        thread.join();
        assertEquals(before, Scope.liveTensors());
    }
}

package dev.kedge.nn.lm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.nn.InScope;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.Options;
import dev.kedge.nn.lm.Generator.WeightedModel;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Several decoders drawing together, against the whole text read at once by each.
@ExtendWith(InScope.class)
class WeightedModelTest {
    private static final int VOCABULARY = 11;

    private Decoder base;
    private Decoder guide;
    private Decoder other;

    @BeforeEach
    void models() {
        base = decoder(1, 16);
        guide = decoder(2, 8);
        other = decoder(3, 24);
    }

    @AfterEach
    void close() {
        base.close();
        guide.close();
        other.close();
    }

    /// Far from uniform, of different widths.
    private static Decoder decoder(long seed, int hiddenSize) {
        try (Rng rng = Rng.seeded(seed)) {
            return Decoder.random(DecoderConfig.small(VOCABULARY, hiddenSize, 2, 2, 40), 0.5, rng, Device.CPU);
        }
    }

    private static List<int[]> prompts() {
        Random random = new Random(1);
        return List.of(
                random.ints(3, 0, VOCABULARY).toArray(),
                random.ints(7, 0, VOCABULARY).toArray(),
                random.ints(1, 0, VOCABULARY).toArray());
    }

    private static Options options(Sampling sampling) {
        return new Options(sampling, 12, 3, Set.of(2), null, 5, true);
    }

    /// Log-probs of each token of a continuation under one model, nats, [T, V].
    private static Tensor alone(Decoder model, int[] prompt, int[] tokens) {
        int[] text = Arrays.copyOf(prompt, prompt.length + tokens.length);
        System.arraycopy(tokens, 0, text, prompt.length, tokens.length);
        return model.logits(model.hidden(Form.batch(text)))
                .narrow(0, prompt.length - 1, tokens.length)
                .logSoftmax(-1);
    }

    @Test
    void logProbsAreThoseOfTheMixture() {
        List<WeightedModel> models =
                List.of(new WeightedModel(base, 1), new WeightedModel(guide, 0.7), new WeightedModel(other, -0.4));
        for (Sampling sampling : List.of(Sampling.at(1), Sampling.at(0.6), new Sampling(1.2, 4, 1, 0))) {
            for (Completion c : Generator.generate(models, prompts(), options(sampling), null)) {
                int[] prompt = prompts().get(c.prompt());
                Tensor sum = alone(base, prompt, c.tokens())
                        .plus(alone(guide, prompt, c.tokens()).times(0.7))
                        .minus(alone(other, prompt, c.tokens()).times(0.4));
                long[] chosen = Arrays.stream(c.tokens()).asLongStream().toArray();
                double[] expected = sampling.logProbs(sum)
                        .gather(1, Tensor.of(chosen, chosen.length, 1))
                        .toDoubles();
                for (int t = 0; t < expected.length; t++) {
                    assertEquals(expected[t], c.logProbs()[t], 1e-4, sampling + ", token " + t);
                }
            }
        }
    }

    /// A model without weight is not asked, and a base alone is the base.
    @Test
    void withoutWeightNothingChanges() {
        List<Completion> expected = Generator.generate(base, prompts(), options(Sampling.at(1)), null);
        List<Completion> actual = Generator.generate(
                List.of(new WeightedModel(base, 1), new WeightedModel(guide, 0)),
                prompts(),
                options(Sampling.at(1)),
                null);
        assertSame(expected, actual, 0);
    }

    /// Guided by itself with weight a, a model is as at the temperature 1/(1 + a).
    @Test
    void aModelGuidedByItselfIsSharper() {
        List<Completion> expected = Generator.generate(base, prompts(), options(Sampling.at(0.4)), null);
        List<Completion> actual = Generator.generate(
                List.of(new WeightedModel(base, 1), new WeightedModel(base, 1.5)),
                prompts(),
                options(Sampling.at(1)),
                null);
        assertSame(expected, actual, 1e-4);
    }

    private static void assertSame(List<Completion> expected, List<Completion> actual, double tolerance) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i).tokens(), actual.get(i).tokens());
            assertArrayEquals(expected.get(i).logProbs(), actual.get(i).logProbs(), (float) tolerance);
        }
    }

    @Test
    void modelsThatDoNotFitAreRefused() {
        Options options = options(Sampling.at(1));
        assertEquals(
                "at least one model needs a weight other than 0",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Generator.generate(List.of(new WeightedModel(base, 0)), prompts(), options, null))
                        .getMessage());
        try (Rng rng = Rng.seeded(4);
                Decoder foreign = Decoder.random(DecoderConfig.small(7, 8, 1, 2, 40), rng, Device.CPU)) {
            assertEquals(
                    "models of one vocabulary expected, were of 11 and 7 tokens",
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> Generator.generate(
                                            List.of(new WeightedModel(base, 1), new WeightedModel(foreign, 1)),
                                            prompts(),
                                            options,
                                            null))
                            .getMessage());
        }
        assertThrows(IllegalArgumentException.class, () -> new WeightedModel(base, Double.NaN));
    }
}

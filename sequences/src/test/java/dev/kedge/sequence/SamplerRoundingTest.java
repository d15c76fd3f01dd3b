package dev.kedge.sequence;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.Tokenized;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.SamplerAgreement;
import dev.kedge.sequence.SequenceScores.TokenScores;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Sampler and trainer in float32, on decoders with logits as large as trained ones have: what is rounding passes at
/// any temperature, and what is a fault does not.
class SamplerRoundingTest {
    private static final int V = 60;
    private static final int[] SEEDS = IntStream.rangeClosed(1, 8).toArray();

    /// What a decoder wrote at a temperature.
    private record Drawn(Decoder model, double temperature, List<int[]> prompts, List<Completion> completions) {
        TokenScores computed(double at, UnaryOperator<int[]> seenPrompt) {
            List<Tokenized> sequences = completions.stream()
                    .map(c -> Tokenized.ofReply(seenPrompt.apply(prompts.get(c.prompt())), c.tokens()))
                    .toList();
            return SequenceScores.ofTokens(model, sequences, 0, at);
        }

        SamplerAgreement judged() {
            return computed(temperature, prompt -> prompt).agreement(completions);
        }
    }

    private static Decoder decoder(int seed) {
        try (Rng rng = Rng.seeded(seed);
                var _ = Gradients.off();
                Scope _ = new Scope()) {
            Decoder model = Decoder.random(DecoderConfig.small(V, 64, 4, 4, 64), 0.25, rng, Device.CPU);
            InPlace.times_(model.head(), 2);
            return model;
        }
    }

    private static Drawn drawn(Decoder model, double temperature, int seed) {
        Random random = new Random(seed);
        List<int[]> prompts = IntStream.range(0, 6)
                .mapToObj(_ -> random.ints(2 + random.nextInt(12), 0, V).toArray())
                .toList();
        var options = new Generator.Options(Sampling.at(temperature), 24, 2, Set.of(), null, seed, true);
        return new Drawn(model, temperature, prompts, Generator.generate(model, prompts, options, null));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.3, 1, 2})
    void roundingIsNoFault(double temperature) {
        double largest = 0;
        for (int seed : SEEDS) {
            try (Decoder model = decoder(seed)) {
                SamplerAgreement agreement = drawn(model, temperature, seed).judged();
                assertDoesNotThrow(agreement::require, "seed " + seed);
                assertTrue(agreement.bound() < 1e-2, "seed " + seed + ": " + agreement);
                largest = Math.max(largest, agreement.largest());
            }
        }
        assertTrue(largest * temperature > 15, "no large logits: " + largest * temperature);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.3, 1, 2})
    void aFaultOfAHundredthOfANatIsFound(double temperature) {
        for (int seed : SEEDS) {
            try (Decoder model = decoder(seed)) {
                Drawn drawn = drawn(model, temperature, seed);
                drawn.completions().get(3).logProbs()[5] -= 1e-2f;
                assertThrows(RunFailedException.class, () -> drawn.judged().require(), "one log-prob, seed " + seed);
            }
        }
    }

    /// Where a fault moves a log-prob by a hundredth of a nat, by the trainer's own count.
    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.3, 1, 2})
    void aWrongPositionOrTemperatureIsFound(double temperature) {
        int found = 0;
        for (int seed : SEEDS) {
            try (Decoder model = decoder(seed)) {
                Drawn drawn = drawn(model, temperature, seed);
                found += isFault(drawn, temperature, p -> Arrays.copyOfRange(p, 1, p.length), "position", seed);
                found += isFault(drawn, 1.01 * temperature, p -> p, "temperature", seed);
            }
        }
        assertTrue(found > SEEDS.length, "only " + found + " faults move anything");
    }

    private static int isFault(Drawn drawn, double at, UnaryOperator<int[]> seenPrompt, String what, int seed) {
        double[][] right = drawn.computed(drawn.temperature(), p -> p).values();
        double[][] wrong = drawn.computed(at, seenPrompt).values();
        boolean moves = IntStream.range(0, right.length).anyMatch(i -> IntStream.range(0, right[i].length)
                .anyMatch(t -> Math.abs(right[i][t] - wrong[i][t]) > 1e-2));
        if (moves) {
            SamplerAgreement agreement = drawn.computed(at, seenPrompt).agreement(drawn.completions());
            assertThrows(RunFailedException.class, agreement::require, what + ", seed " + seed);
        }
        return moves ? 1 : 0;
    }
}

package dev.kedge.sequence;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SequenceScoresTest {
    private static final int V = 7;

    @ParameterizedTest
    @ValueSource(doubles = {1.0, 0.5, 2.5})
    void equalSequencesScoredOneByOneInTheOrderGiven(double temperature) {
        List<Tokenized> sequences = sequences(41, 99); // more than two batches, of mixed lengths
        try (Decoder model = TinyModel.decoder(V, 4)) {
            double[] naive = sequences.stream()
                    .mapToDouble(s -> TinyModel.logProb(model, s, temperature))
                    .toArray();
            assertArrayEquals(naive, SequenceScores.of(model, sequences, 0, temperature), 1e-11);
            assertArrayEquals(naive, SequenceScores.of(model, sequences, V - 1, temperature), 1e-11, "padding shows");
            assertTrue(Arrays.stream(naive).distinct().count() > 30, "scores too alike to show the order");
        }
    }

    @Test
    void noSequencesNoScores() {
        try (Decoder model = TinyModel.decoder(V, 4)) {
            assertEquals(0, SequenceScores.of(model, List.of(), 0, 1).length);
        }
    }

    @Test
    void rowSumsAddTargetsOfEachRowAndHandTheGradientToEach() {
        List<Tokenized> sequences = sequences(5, 3);
        int n = sequences.stream().mapToInt(Tokenized::targets).sum();
        double[] values = new Random(1).doubles(n, -3, 0).toArray();
        double[] weights = {1.5, -2, 0, 4, 0.25};
        try (Scope _ = new Scope()) {
            TokenBatch batch = TokenBatch.of(sequences, 0, 1);
            Tensor logProbs = Tensor.of(values).requiresGrad();
            Tensor sums = SequenceScores.rowSums(logProbs, batch);
            double[] expected = new double[5];
            double[] gradient = new double[n];
            int at = 0;
            for (int row = 0; row < 5; row++) {
                for (int t = 0; t < sequences.get(row).targets(); t++, at++) {
                    expected[row] += values[at];
                    gradient[at] = weights[row];
                }
            }
            assertArrayEquals(expected, sums.toDoubles(), 1e-14);
            sums.times(Tensor.of(weights)).sum().backward();
            assertArrayEquals(gradient, logProbs.grad().toDoubles());
        }
    }

    /// A prompt and a reply each; one sequence has no target at all.
    private static List<Tokenized> sequences(int count, long seed) {
        Random random = new Random(seed);
        List<Tokenized> sequences = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] prompt = random.ints(1 + random.nextInt(4), 0, V).toArray();
            int[] reply = random.ints(i == 2 ? 0 : 1 + random.nextInt(9), 0, V).toArray();
            sequences.add(Tokenized.ofReply(prompt, reply));
        }
        return sequences;
    }
}

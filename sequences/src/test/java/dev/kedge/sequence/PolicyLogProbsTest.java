package dev.kedge.sequence;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.Tokenized;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.StopReason;
import dev.kedge.objective.Loss;
import dev.kedge.run.SamplerAgreement;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class PolicyLogProbsTest {
    private static final List<Tokenized> SEQUENCES = List.of(
            Tokenized.ofReply(new int[] {1, 2}, new int[] {3, 4, 5}),
            Tokenized.ofReply(new int[] {6}, new int[] {0}),
            Tokenized.ofReply(new int[] {2, 2, 5}, new int[] {1, 6}));

    @Test
    void sumsAreThoseOfOneSequenceAfterTheOther() {
        try (Scope _ = new Scope();
                Decoder policy = TinyModel.decoder(7, 4);
                Decoder frozen = TinyModel.decoder(7, 5)) {
            policy.parameters().trainable();
            PolicyLogProbs logProbs = PolicyLogProbs.of(policy, SEQUENCES, 3);
            double[] expected = expected(policy);
            assertArrayEquals(expected, logProbs.sums().toDoubles(), 1e-11);
            assertArrayEquals(expected(frozen), logProbs.under(frozen).toDoubles(), 1e-11);
            assertFalse(logProbs.under(frozen).hasGradientGraph());
            Tensor constant = logProbs.constant(1.5, -2);
            assertEquals(DType.FLOAT64, constant.dtype());
            assertArrayEquals(new double[] {1.5, -2}, constant.toDoubles());
            assertEquals(6, logProbs.hidden().size(0), "as many states as targets");
            assertEquals(6, logProbs.batch().targets());
            assertTrue(logProbs.sums().hasGradientGraph());
        }
    }

    /// The completions are those of the last two sequences, as the policy says of them, but for one token.
    @Test
    void completionsAreComparedTokenByToken() {
        try (Scope _ = new Scope();
                Decoder policy = TinyModel.decoder(7, 4)) {
            PolicyLogProbs logProbs = PolicyLogProbs.of(policy, SEQUENCES, 3);
            double[] tokens = logProbs.tokens().values().toDoubles(); // 3 of the first sequence, 1 and 2 of the others
            List<Completion> drawn = List.of(
                    completion(SEQUENCES.get(1), tokens[3]), completion(SEQUENCES.get(2), tokens[4], tokens[5] + 0.5));
            SamplerAgreement agreement = logProbs.agreement(drawn, 1);
            assertEquals(0.5, agreement.difference(), 1e-6);
            double[] terms = logProbs.tokens().terms().toDoubles();
            assertEquals(Arrays.stream(terms).skip(3).max().orElseThrow(), agreement.largest(), "of theirs alone");
        }
    }

    private static Completion completion(Tokenized sequence, double... logProbs) {
        float[] reported = new float[logProbs.length];
        for (int i = 0; i < logProbs.length; i++) {
            reported[i] = (float) logProbs[i];
        }
        int[] reply = Arrays.copyOfRange(sequence.tokens(), sequence.promptLength(), sequence.length());
        return new Completion(0, reply, reported, new float[reply.length], StopReason.LENGTH);
    }

    /// Constants take the type of what they are compared with: a loss in float32 has no part in float64.
    @Test
    void constantsAreOfTheTypeOfTheSums() {
        try (Scope _ = new Scope();
                Decoder wide = TinyModel.decoder(7, 4);
                Decoder policy = new Decoder(
                        wide.config(), Parameters.copyOf(wide.parameters().named(), DType.FLOAT32, Device.CPU))) {
            PolicyLogProbs logProbs = PolicyLogProbs.of(policy, SEQUENCES, 3);
            assertEquals(DType.FLOAT32, logProbs.sums().dtype());
            assertEquals(DType.FLOAT32, logProbs.constant(1.5).dtype());
            Tensor some = SequenceScores.constants(i -> 10.0 * i, new int[] {2, 0}, logProbs.sums());
            assertEquals(DType.FLOAT32, some.dtype());
            assertArrayEquals(new double[] {20, 0}, some.toDoubles());
            assertArrayEquals(expected(wide), logProbs.sums().to(DType.FLOAT64).toDoubles(), 1e-5);
        }
    }

    private static double[] expected(Decoder model) {
        return SEQUENCES.stream()
                .mapToDouble(s -> TinyModel.logProb(model, s, 1))
                .toArray();
    }

    /// Against the slope of the loss along a direction, by differences of the long way round.
    @Test
    void theGradientOfALossReachesTheParameters() {
        double[] weights = {1.5, -2, 0.5};
        double[] gradient;
        try (Scope _ = new Scope();
                Decoder policy = TinyModel.decoder(7, 4)) {
            policy.parameters().trainable();
            PolicyLogProbs logProbs = PolicyLogProbs.of(policy, SEQUENCES, 0);
            logProbs.backward(
                    Loss.of(logProbs.sums().times(logProbs.constant(weights)).sum()));
            gradient = policy.parameters().gradient().toDoubles();
            double[] direction = direction(policy);
            double slope = 0;
            for (int i = 0; i < gradient.length; i++) {
                slope += gradient[i] * direction[i];
            }
            assertEquals((loss(weights, 1e-5) - loss(weights, -1e-5)) / 2e-5, slope, 1e-5 * Math.abs(slope));
            assertTrue(Math.abs(slope) > 1e-2, "nothing to see along this direction: " + slope);
        }
    }

    /// What `move` by 1 adds.
    private static double[] direction(Decoder from) {
        double[] start = from.parameters().flat().detach().toDoubles();
        try (Decoder moved = from.copy()) {
            TinyModel.move(moved, 9, 1);
            double[] end = moved.parameters().flat().toDoubles();
            for (int i = 0; i < end.length; i++) {
                end[i] -= start[i];
            }
            return end;
        }
    }

    private static double loss(double[] weights, double by) {
        try (Decoder policy = TinyModel.decoder(7, 4)) {
            TinyModel.move(policy, 9, by);
            double[] sums = expected(policy);
            return weights[0] * sums[0] + weights[1] * sums[1] + weights[2] * sums[2];
        }
    }
}

package dev.kedge.nn.lm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.InScope;
import dev.kedge.nn.Parameters;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(InScope.class)
class DecoderGradientTest {
    private static final double STEP = 1e-5;

    /// `-(1/denominator) Σ log p(next token)` of rows of tokens, the last of each only a target.
    private static Tensor loss(Decoder model, int[][] rows, double denominator) {
        int[][] inputs =
                Arrays.stream(rows).map(r -> Arrays.copyOf(r, r.length - 1)).toArray(int[][]::new);
        long[] targets = Arrays.stream(rows)
                .flatMapToInt(r -> Arrays.stream(r, 1, r.length))
                .asLongStream()
                .toArray();
        Tensor logProbs = model.logits(model.hidden(Form.batch(inputs))).logSoftmax(-1);
        Tensor chosen = logProbs.gather(1, Tensor.of(targets, targets.length, 1));
        return chosen.sum().times(-1 / denominator);
    }

    private static int[][] rows(Random random, int count, int length) {
        int[][] rows = new int[count][];
        Arrays.setAll(rows, _ -> Form.tokens(random, length));
        return rows;
    }

    private static void assertSlope(Decoder model, Parameters parameters, int[][] rows, int at, double gradient) {
        double[] losses = new double[2];
        try (Scope _ = new Scope();
                var _ = Gradients.off()) {
            Tensor entry = parameters.flat().narrow(0, at, 1);
            for (int side = 0; side < 2; side++) {
                InPlace.plus_(entry, side == 0 ? STEP : -2 * STEP);
                losses[side] = loss(model, rows, 9).item();
            }
            InPlace.plus_(entry, STEP);
        }
        // Truncation: STEP² of the third derivative; rounding: 1e-16 of a loss of some 3, over STEP.
        double slope = (losses[0] - losses[1]) / (2 * STEP);
        assertEquals(slope, gradient, 2e-8 * Math.max(1, Math.abs(slope)), "entry " + at);
    }

    @ParameterizedTest
    @EnumSource
    void gradientsAreCentralDifferences(Form form) {
        Random random = new Random(form.ordinal());
        int[][] rows = rows(random, 2, 9);
        try (Decoder model = form.decoder(DType.FLOAT64, 21)) {
            Parameters parameters = model.parameters().trainable();
            loss(model, rows, 9).backward();
            double[] gradient = parameters.gradient().toDoubles();
            int from = 0;
            for (var entry : parameters.named().entrySet()) {
                int numel = (int) entry.getValue().numel();
                double[] mine = Arrays.copyOfRange(gradient, from, from + numel);
                assertTrue(Arrays.stream(mine).anyMatch(g -> g != 0), entry.getKey() + " gets a gradient");
                for (int n = 0; n < 4; n++) {
                    int at = from + random.nextInt(numel);
                    assertSlope(model, parameters, rows, at, gradient[at]);
                }
                from += numel;
            }
        }
    }

    /// Each part divides by the denominator of the whole step.
    @ParameterizedTest
    @EnumSource(names = {"LLAMA", "QWEN2", "GPT2", "NEOX"})
    void thePartsGradientsAddUpToTheWholes(Form form) {
        int[][] rows = rows(new Random(2), 7, 11);
        double denominator = 70;
        try (Decoder model = form.decoder(DType.FLOAT64, 22);
                Decoder single = new Decoder(
                        form.config, Parameters.copyOf(model.parameters().named(), DType.FLOAT32, Device.CPU))) {
            Parameters parameters = model.parameters().trainable();
            loss(model, rows, denominator).backward();
            double[] whole = parameters.gradient().toDoubles();
            double norm = Math.sqrt(Arrays.stream(whole).map(g -> g * g).sum());
            single.parameters().trainable();
            for (int[] parts : new int[][] {{7}, {3, 3, 1}, {1, 1, 1, 1, 1, 1, 1}, {2, 5}}) {
                parameters.zeroGradient();
                single.parameters().zeroGradient();
                int at = 0;
                for (int part : parts) {
                    int[][] some = Arrays.copyOfRange(rows, at, at + part);
                    loss(model, some, denominator).backward();
                    loss(single, some, denominator).backward();
                    at += part;
                }
                assertArrayEquals(whole, parameters.gradient().toDoubles(), 1e-13 * norm);
                assertArrayEquals(whole, single.parameters().gradient().toDoubles(), 1e-6 * norm);
            }
        }
    }

    /// A tied head gathers its gradient where the embedding does: that of an untied model's two, added.
    @Test
    void aTiedHeadAddsToTheEmbeddingsGradient() {
        int[][] rows = rows(new Random(3), 2, 6);
        DecoderConfig tied = Form.LINEAR_SCALING.config;
        DecoderConfig untied = new DecoderConfig(
                tied.vocabularySize(),
                tied.hiddenSize(),
                tied.intermediateSize(),
                tied.layers(),
                tied.heads(),
                tied.kvHeads(),
                tied.headSize(),
                tied.maxPositions(),
                tied.norm(),
                tied.normEpsilon(),
                tied.positions(),
                tied.mlp(),
                false,
                false,
                false,
                false,
                false,
                false);
        try (Decoder one = new Decoder(tied, Form.parameters(tied, DType.FLOAT64, 5));
                Decoder two = new Decoder(untied, Form.parameters(untied, DType.FLOAT64, 6))) {
            one.parameters()
                    .named()
                    .forEach((name, tensor) -> InPlace.copy_(two.parameters().get(name), tensor));
            InPlace.copy_(two.head(), one.head());
            one.parameters().trainable();
            two.parameters().trainable();
            loss(one, rows, 1).backward();
            loss(two, rows, 1).backward();
            Tensor sum = two.parameters()
                    .get("embedding.weight")
                    .grad()
                    .plus(two.head().grad());
            assertArrayEquals(sum.toDoubles(), one.head().grad().toDoubles(), 1e-12);
        }
    }

    @Test
    void onlyTheTokensThatWereReadMoveTheEmbedding() {
        try (Decoder model = Form.LLAMA.decoder(DType.FLOAT64, 23)) {
            Parameters parameters = model.parameters().trainable();
            int[] row = {1, 5, 1, 8, 3};
            loss(model, new int[][] {row}, 1).backward();
            double[] gradient = parameters.get("embedding.weight").grad().toDoubles();
            Set<Integer> moved = new HashSet<>();
            for (int i = 0; i < gradient.length; i++) {
                if (gradient[i] != 0) {
                    moved.add(i / 16);
                }
            }
            assertEquals(Set.of(1, 5, 8), moved);
        }
    }

    @Test
    void frozenParametersGetNoGradient() {
        try (Decoder model = Form.GPT2.decoder(24)) {
            assertFalse(loss(model, new int[][] {{1, 2, 3}}, 1).hasGradientGraph());
            model.parameters().named().forEach((name, tensor) -> assertNull(tensor.grad(), name));
        }
    }
}

package dev.kedge.nn.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.InScope;
import dev.kedge.nn.Parameters;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Training of a subnetwork alone (arXiv:2505.11711).
@ExtendWith(InScope.class)
class MaskedTrainingTest {
    private static final int ROWS = 5;
    private static final int COLUMNS = 7;
    private static final int STEPS = 200;
    private static final double CLIP = 1.5;

    private static Parameters parameters() {
        Random random = new Random(1);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("w", Tensor.of(random.doubles(ROWS * COLUMNS, -1, 1).toArray(), ROWS, COLUMNS));
        tensors.put("b", Tensor.of(random.doubles(COLUMNS, -1, 1).toArray()));
        return Parameters.copyOf(tensors, DType.FLOAT32, Device.CPU);
    }

    private static float[] before() {
        try (Parameters parameters = parameters()) {
            return parameters.flat().toFloats();
        }
    }

    private static Map<String, Tensor> masks(boolean[] all) {
        boolean[] w = new boolean[ROWS * COLUMNS];
        boolean[] b = new boolean[COLUMNS];
        System.arraycopy(all, 0, w, 0, w.length);
        System.arraycopy(all, w.length, b, 0, b.length);
        return Map.of("w", Tensor.mask(w, ROWS, COLUMNS), "b", Tensor.mask(b, COLUMNS));
    }

    private static boolean[] same(boolean value) {
        boolean[] all = new boolean[(ROWS + 1) * COLUMNS];
        Arrays.fill(all, value);
        return all;
    }

    /// The weights after steps with clipped gradients that are the same for all.
    ///
    /// @param mask null: there is none
    private static float[] trained(boolean[] mask, Function<Parameters, Optimizer> optimizers) {
        try (Parameters parameters = mask == null ? parameters() : parameters().restrictTo(masks(mask));
                Optimizer optimizer = optimizers.apply(parameters)) {
            for (int step = 0; step < STEPS; step++) {
                double[] gradient =
                        new Random(step).doubles(parameters.count(), -2, 3).toArray();
                InPlace.copy_(parameters.gradient(), Tensor.of(gradient));
                parameters.clipGradient(CLIP);
                optimizer.step(0.01);
            }
            return parameters.flat().toFloats();
        }
    }

    private static Function<Parameters, Optimizer> adamW(double decay) {
        return p -> new AdamW(p, new AdamW.Config(0.9, 0.98, 1e-8, decay));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.3})
    void whatIsMaskedStaysToTheBit(double decay) {
        boolean[] mask = same(false);
        for (int i = 0; i < mask.length; i += 3) {
            mask[i] = true;
        }
        float[] before = before();
        float[] adam = trained(mask, adamW(decay));
        float[] sgd = trained(mask, p -> new Sgd(p, 0.9));
        for (int i = 0; i < mask.length; i++) {
            if (mask[i]) {
                assertNotEquals(before[i], adam[i]);
                assertNotEquals(before[i], sgd[i]);
            } else {
                assertEquals(Float.floatToRawIntBits(before[i]), Float.floatToRawIntBits(adam[i]));
                assertEquals(Float.floatToRawIntBits(before[i]), Float.floatToRawIntBits(sgd[i]));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.3})
    void allOnesIsTheFullRunAndAllZerosNone(double decay) {
        float[] before = before();
        float[] full = trained(null, adamW(decay));
        assertArrayEquals(full, trained(same(true), adamW(decay)));
        assertArrayEquals(before, trained(same(false), adamW(decay)));
    }

    /// Masked first, clipped then: the norm is that of what is learnt, and nothing of the rest gets into it.
    @Test
    void normsAreOfWhatIsLearnt() {
        boolean[] mask = same(false);
        mask[1] = true;
        mask[40] = true;
        try (Parameters parameters = parameters().restrictTo(masks(mask)).trainable()) {
            InPlace.fill_(parameters.gradient(), Double.NaN);
            InPlace.fill_(parameters.gradient().narrow(0, 1, 1), 3);
            InPlace.fill_(parameters.gradient().narrow(0, 40, 1), 4);
            assertEquals(5, parameters.clipGradient(1), 1e-6);
            float[] clipped = parameters.gradient().toFloats();
            assertEquals(0.6, clipped[1], 1e-6);
            assertEquals(0.8, clipped[40], 1e-6);
            assertEquals(0, clipped[0]);
        }
    }

    @Test
    void masksOfOtherParameters() {
        try (Parameters parameters = parameters()) {
            Map<String, Tensor> more = new LinkedHashMap<>(masks(same(true)));
            more.put("head", Tensor.mask(new boolean[2], 2));
            refused(parameters, more, "head", "no parameter");
            Map<String, Tensor> less = new LinkedHashMap<>(masks(same(true)));
            less.remove("b");
            refused(parameters, less, "b", "missing");
            Map<String, Tensor> other = new LinkedHashMap<>(masks(same(true)));
            other.put("b", Tensor.mask(new boolean[2], 2));
            refused(parameters, other, "b", "[7]", "[2]");
            other.put("b", Tensor.of(1, 1, 1, 1, 1, 1, 1.0));
            refused(parameters, other, "b", "FLOAT64");
        }
    }

    private static void refused(Parameters parameters, Map<String, Tensor> masks, String... words) {
        String said = assertThrows(IllegalArgumentException.class, () -> parameters.restrictTo(masks))
                .getMessage();
        for (String word : words) {
            assertTrue(said.contains(word), said);
        }
    }
}

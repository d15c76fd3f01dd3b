package dev.kedge.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class ParametersTest {
    private Parameters parameters;

    @BeforeEach
    void open() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("a", Tensor.of(new double[] {1, 2, 3, 4, 5, 6}, 2, 3));
        tensors.put("b", Tensor.of(7, 8));
        parameters = Parameters.copyOf(tensors, DType.FLOAT64, Device.CPU);
    }

    @AfterEach
    void close() {
        parameters.close();
    }

    /// Σ a² / 2 + 10 Σ b: its gradient is a, then tens.
    private void backward() {
        Tensor a = parameters.get("a");
        Tensor b = parameters.get("b");
        a.square().sum().times(0.5).plus(b.sum().times(10)).backward();
    }

    @Test
    void moreThanTheMachineHoldsIsRefused() {
        var e = assertThrows(
                IllegalArgumentException.class,
                () -> Parameters.zeros(Map.of("w", new long[] {1 << 20, 1 << 30}), DType.FLOAT32, Device.CPU));
        assertTrue(e.getMessage().startsWith("1,125,899,906,842,624 parameters need 4503599.6 GB"), e.getMessage());
    }

    @Test
    void windowsAreTheFlatMemory() {
        assertEquals(List.of("a", "b"), List.copyOf(parameters.named().keySet()));
        assertEquals(8, parameters.count());
        assertArrayEquals(new long[] {2, 3}, parameters.get("a").shape());
        assertArrayEquals(
                new double[] {1, 2, 3, 4, 5, 6, 7, 8}, parameters.flat().toDoubles());
        InPlace.times_(parameters.flat(), 10);
        assertArrayEquals(new double[] {70, 80}, parameters.get("b").toDoubles());
        InPlace.fill_(parameters.get("a"), 0);
        assertArrayEquals(
                new double[] {0, 0, 0, 0, 0, 0, 70, 80}, parameters.flat().toDoubles());
    }

    @Test
    void gradientsGatherInTheFlatMemory() {
        assertSame(parameters, parameters.trainable());
        Tensor gradient = parameters.gradient();
        backward();
        double[] once = {1, 2, 3, 4, 5, 6, 10, 10};
        assertArrayEquals(once, gradient.toDoubles());
        parameters.trainable(); // does nothing the second time
        backward();
        assertArrayEquals(new double[] {2, 4, 6, 8, 10, 12, 20, 20}, gradient.toDoubles());
        assertArrayEquals(new double[] {20, 20}, parameters.get("b").grad().toDoubles());
        parameters.zeroGradient();
        assertArrayEquals(new double[8], gradient.toDoubles());
        assertArrayEquals(new double[6], parameters.get("a").grad().toDoubles());
        backward();
        assertArrayEquals(once, gradient.toDoubles());
    }

    @Test
    void frozenParametersHaveNoGradient() {
        assertFalse(parameters.get("a").hasGradientGraph());
        assertNull(parameters.get("a").grad());
        var e = assertThrows(IllegalStateException.class, parameters::gradient);
        assertEquals("these parameters are frozen: call trainable() first", e.getMessage());
        assertThrows(IllegalStateException.class, () -> parameters.clipGradient(1));
        assertThrows(IllegalStateException.class, parameters::zeroGradient);
    }

    @Test
    void aLongGradientIsScaledToTheNormAndAShortOneIsLeft() {
        parameters.trainable();
        backward();
        double norm = Math.sqrt(1 + 4 + 9 + 16 + 25 + 36 + 100 + 100);
        double[] gradient = parameters.gradient().toDoubles();
        assertEquals(norm, parameters.clipGradient(Double.POSITIVE_INFINITY), 1e-12);
        assertEquals(norm, parameters.clipGradient(norm + 1e-9), 1e-12);
        assertArrayEquals(gradient, parameters.gradient().toDoubles());
        assertEquals(norm, parameters.clipGradient(0.5), 1e-12);
        double[] clipped = parameters.gradient().toDoubles();
        for (int i = 0; i < 8; i++) {
            assertEquals(gradient[i] * 0.5 / norm, clipped[i], 1e-14);
        }
        assertEquals(0.5, parameters.clipGradient(1), 1e-12);
        for (double wrong : new double[] {0, -1, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> parameters.clipGradient(wrong));
        }
    }

    @Test
    void aGradientThatIsNotANumberIsReported() {
        InPlace.fill_(parameters.trainable().gradient(), Double.NaN);
        assertEquals(Double.NaN, parameters.clipGradient(1));
    }

    @Test
    void aCopyIsIndependentAndFrozen() {
        parameters.trainable();
        try (Parameters copy = parameters.copy()) {
            assertEquals(DType.FLOAT64, copy.flat().dtype());
            assertFalse(copy.get("a").hasGradientGraph());
            assertFalse(copy.flat().hasGradientGraph());
            try (var _ = Gradients.off()) {
                InPlace.fill_(parameters.flat(), -1);
            }
            assertArrayEquals(new double[] {1, 2, 3, 4, 5, 6, 7, 8}, copy.flat().toDoubles());
            InPlace.fill_(copy.flat(), 9);
            assertArrayEquals(new double[] {-1, -1}, parameters.get("b").toDoubles());
        }
    }

    @Test
    void aCopyIsConverted() {
        try (Parameters copy = Parameters.copyOf(parameters.named(), DType.BFLOAT16, Device.CPU)) {
            assertEquals(DType.BFLOAT16, copy.get("b").dtype());
            assertArrayEquals(new double[] {7, 8}, copy.get("b").toDoubles());
        }
    }

    @Test
    void anUnknownNameIsRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> parameters.get("c"));
        assertEquals("no parameter c", e.getMessage());
    }

    @Test
    void closingFreesAllOfIt() throws InterruptedException {
        long before = Scope.liveTensors();
        Thread thread = Thread.ofPlatform().start(() -> {
            Parameters made = Parameters.zeros(Map.of("w", new long[] {2, 2}), DType.FLOAT32, Device.CPU);
            made.trainable().copy().close();
            made.clipGradient(1);
            made.close();
        });
        thread.join();
        assertEquals(before, Scope.liveTensors());
    }
}

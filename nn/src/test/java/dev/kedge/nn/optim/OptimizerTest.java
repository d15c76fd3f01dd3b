package dev.kedge.nn.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.InScope;
import dev.kedge.nn.Parameters;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(InScope.class)
class OptimizerTest {
    private static final int COUNT = 37; // no multiple of a vector register
    private static final int STEPS = 300;

    private static Parameters parameters(DType dtype) {
        Random random = new Random(1);
        return Parameters.copyOf(
                Map.of("w", Tensor.of(random.doubles(COUNT, -1, 1).toArray())), dtype, Device.CPU);
    }

    /// Gradients of many sizes, exact in float32; some are 0 for a while.
    private static double[] gradient(int step) {
        Random random = new Random(step);
        double[] g = new double[COUNT];
        for (int i = 0; i < COUNT; i++) {
            g[i] = step % 7 == i % 7 ? 0 : (float) (random.nextGaussian() * Math.pow(10, i % 5 - 2));
        }
        return g;
    }

    private static double rate(int step) {
        return 0.01 / (1 + 0.02 * step);
    }

    private static void step(Parameters parameters, Optimizer optimizer, int step) {
        try (Scope _ = new Scope()) {
            InPlace.copy_(parameters.gradient(), Tensor.of(gradient(step)));
            optimizer.step(rate(step));
            assertTrue(parameters.gradient().eq(0).allTrue(), "the gradient is zero after a step");
        }
    }

    /// Algorithm 2 of arXiv:1711.05101, its schedule multiplier η in the learning rate α, and the decay by α λ, as
    /// is usual since.
    private static double[] adamW(double[] start, AdamW.Config c) {
        double[] x = start.clone();
        double[] m = new double[COUNT];
        double[] v = new double[COUNT];
        for (int t = 1; t <= STEPS; t++) {
            double[] g = gradient(t - 1);
            double rate = rate(t - 1);
            for (int i = 0; i < COUNT; i++) {
                m[i] = c.beta1() * m[i] + (1 - c.beta1()) * g[i];
                v[i] = c.beta2() * v[i] + (1 - c.beta2()) * g[i] * g[i];
                double unbiasedM = m[i] / (1 - Math.pow(c.beta1(), t));
                double unbiasedV = v[i] / (1 - Math.pow(c.beta2(), t));
                x[i] -= rate * (unbiasedM / (Math.sqrt(unbiasedV) + c.epsilon()) + c.weightDecay() * x[i]);
            }
        }
        return x;
    }

    @ParameterizedTest
    @CsvSource({"0.9, 0.999, 1e-8, 0", "0.9, 0.95, 1e-8, 0.1", "0, 0.5, 1e-3, 1", "0.5, 0, 1e-6, 0.01"})
    void adamWFollowsTheAlgorithm(double beta1, double beta2, double epsilon, double weightDecay) {
        AdamW.Config config = new AdamW.Config(beta1, beta2, epsilon, weightDecay);
        for (DType dtype : new DType[] {DType.FLOAT64, DType.FLOAT32}) {
            try (Parameters parameters = parameters(dtype);
                    AdamW optimizer = new AdamW(parameters, config)) {
                double[] expected = adamW(parameters.flat().toDoubles(), config);
                for (int t = 0; t < STEPS; t++) {
                    step(parameters, optimizer, t);
                }
                // 300 roundings of values of about 1.
                double tolerance = dtype == DType.FLOAT64 ? 1e-12 : STEPS * 1.2e-7;
                double[] actual = parameters.flat().toDoubles();
                for (int i = 0; i < COUNT; i++) {
                    assertEquals(expected[i], actual[i], tolerance * Math.max(1, Math.abs(expected[i])), "entry " + i);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.5, 0.95})
    void sgdFollowsTheAlgorithm(double momentum) {
        try (Parameters parameters = parameters(DType.FLOAT64);
                Sgd optimizer = new Sgd(parameters, momentum)) {
            double[] x = parameters.flat().toDoubles();
            double[] v = new double[COUNT];
            for (int t = 0; t < STEPS; t++) {
                step(parameters, optimizer, t);
                double[] g = gradient(t);
                for (int i = 0; i < COUNT; i++) {
                    v[i] = momentum * v[i] + g[i];
                    x[i] -= rate(t) * v[i];
                }
            }
            for (int i = 0; i < COUNT; i++) {
                assertEquals(x[i], parameters.flat().toDoubles()[i], 1e-12 * Math.max(1, Math.abs(x[i])));
            }
        }
    }

    private static Map<String, Tensor> saved(Optimizer optimizer) {
        Map<String, Tensor> copies = new LinkedHashMap<>();
        optimizer.state().forEach((name, tensor) -> copies.put(name, tensor.copy()));
        return copies;
    }

    private static void assertGoesOn(DType dtype, Function<Parameters, Optimizer> maker) {
        try (Parameters whole = parameters(dtype);
                Optimizer one = maker.apply(whole)) {
            for (int t = 0; t < 20; t++) {
                step(whole, one, t);
            }
            Map<String, Tensor> state = saved(one);
            try (Parameters resumed = whole.copy();
                    Optimizer other = maker.apply(resumed)) {
                other.restore(state);
                for (int t = 20; t < 40; t++) {
                    step(whole, one, t);
                    step(resumed, other, t);
                }
                assertArrayEquals(whole.flat().toDoubles(), resumed.flat().toDoubles());
                one.state()
                        .forEach((name, tensor) -> assertArrayEquals(
                                tensor.toDoubles(), other.state().get(name).toDoubles(), name));
            }
        }
    }

    @Test
    void aRestoredStateGoesOnToTheSameNumbers() {
        for (DType dtype : new DType[] {DType.FLOAT64, DType.FLOAT32}) {
            assertGoesOn(dtype, p -> new AdamW(p, new AdamW.Config(0.9, 0.99, 1e-8, 0.1)));
            assertGoesOn(dtype, p -> new Sgd(p, 0.9));
        }
    }

    @Test
    void aStateOfAnotherOptimizerOrModelIsRefused() {
        try (Parameters parameters = parameters(DType.FLOAT32);
                AdamW adamW = new AdamW(parameters, AdamW.Config.DEFAULT);
                Sgd sgd = new Sgd(parameters, 0)) {
            assertThrows(IllegalArgumentException.class, () -> adamW.restore(sgd.state()));
            var e = assertThrows(
                    IllegalArgumentException.class, () -> sgd.restore(Map.of("velocity", Tensor.of(1.0, 2.0))));
            assertTrue(e.getMessage().contains("velocity") && e.getMessage().contains("[2]"), e.getMessage());
            // A single value would fit everywhere if it were spread.
            e = assertThrows(IllegalArgumentException.class, () -> sgd.restore(Map.of("velocity", Tensor.of(1.0))));
            assertEquals("optimiser state velocity is [1], expected [37]", e.getMessage());
            assertTrue(sgd.state().get("velocity").eq(0).allTrue(), "a refused state changes nothing");
        }
    }

    @Test
    void valuesOutOfRangeAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new AdamW.Config(1, 0.9, 1e-8, 0));
        assertThrows(IllegalArgumentException.class, () -> new AdamW.Config(0.9, -0.1, 1e-8, 0));
        assertThrows(IllegalArgumentException.class, () -> new AdamW.Config(0.9, Double.NaN, 1e-8, 0));
        assertThrows(IllegalArgumentException.class, () -> new AdamW.Config(0.9, 0.9, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new AdamW.Config(0.9, 0.9, 1e-8, -1));
        try (Parameters parameters = parameters(DType.FLOAT32)) {
            assertThrows(IllegalArgumentException.class, () -> new Sgd(parameters, 1));
            assertThrows(IllegalArgumentException.class, () -> new Sgd(parameters, Double.NaN));
        }
    }

    @Test
    void closingFreesAllThatTheyMade() throws InterruptedException {
        long before = Scope.liveTensors();
        Thread thread = Thread.ofPlatform().start(() -> {
            Parameters parameters = Parameters.zeros(Map.of("w", new long[] {5}), DType.FLOAT32, Device.CPU);
            for (Optimizer optimizer :
                    new Optimizer[] {new AdamW(parameters, AdamW.Config.DEFAULT), new Sgd(parameters, 0.5)}) {
                optimizer.step(0.1);
                optimizer.close();
            }
            parameters.close();
        });
        thread.join();
        assertEquals(before, Scope.liveTensors());
    }
}

package dev.kedge.objective;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.function.UnaryOperator;

/// Holds the gradient of a function of a vector against central differences, in float64.
public final class CentralDifferences {
    private static final double STEP = 1e-5; // truncation some STEP² = 1e-10 of the third derivative

    private CentralDifferences() {}

    /// @param f from a tensor of the given shape to a scalar
    public static void assertGradient(double[] at, UnaryOperator<Tensor> f, double tolerance, long... shape) {
        try (var _ = new Scope()) {
            Tensor x = Tensor.of(at, shape).requiresGrad();
            f.apply(x).backward();
            double[] gradient = x.grad().toDoubles();
            for (int i = 0; i < at.length; i++) {
                double[] up = at.clone();
                double[] down = at.clone();
                up[i] += STEP;
                down[i] -= STEP;
                double slope = (f.apply(Tensor.of(up, shape)).item()
                                - f.apply(Tensor.of(down, shape)).item())
                        / (2 * STEP);
                assertEquals(slope, gradient[i], tolerance * Math.max(1, Math.abs(slope)), "entry " + i);
            }
        }
    }

    /// [#assertGradient] at a vector.
    public static void assertGradient(double[] at, UnaryOperator<Tensor> f, double tolerance) {
        assertGradient(at, f, tolerance, at.length);
    }
}

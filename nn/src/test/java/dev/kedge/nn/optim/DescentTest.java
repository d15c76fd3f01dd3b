package dev.kedge.nn.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.nn.Parameters;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DescentTest {
    private static final double[] START = {3, -2};

    private static Parameters parameters() {
        return Parameters.copyOf(Map.of("x", Tensor.of(START)), DType.FLOAT64, Device.CPU);
    }

    /// Adam by hand (Kingma and Ba 2014, arXiv:1412.6980, Algorithm 1) on half the square of x.
    private static double[] adam(double[] rates, double clip) {
        double[] x = START.clone();
        double[] m = new double[2];
        double[] v = new double[2];
        for (int t = 1; t <= rates.length; t++) {
            double scale = Math.min(1, clip / Math.hypot(x[0], x[1]));
            for (int i = 0; i < 2; i++) {
                double g = scale * x[i];
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                double root = Math.sqrt(v[i] / (1 - Math.pow(0.999, t)));
                x[i] -= rates[t - 1] * m[i] / (1 - Math.pow(0.9, t)) / (root + 1e-8);
            }
        }
        return x;
    }

    private static double[] found(Descent descent, List<Integer> after) {
        try (Scope _ = new Scope();
                var parameters = parameters()) {
            descent.run(
                    parameters,
                    step -> parameters.get("x").times(parameters.get("x")).sum().times(0.5),
                    after::add);
            return parameters.get("x").detach().toDoubles();
        }
    }

    @Test
    void takesTheStepsOfAdamAtTheRatesOfItsSchedule() {
        var after = new ArrayList<Integer>();
        assertArrayEquals(adam(new double[] {0.5, 0.5, 0.5}, 1e9), found(Descent.at(0.5, 3), after), 1e-12);
        assertEquals(List.of(0, 1, 2), after);
        assertArrayEquals(START, found(Descent.at(0.5, 0), after));
        assertArrayEquals(adam(new double[] {0.6, 0.4, 0.2}, 1e9), found(Descent.falling(0.6, 3), after), 1e-12);
    }

    /// The norms are above the clip at first and below it later, else clipping would not show in Adam.
    @Test
    void clipsTheNormOfTheGradient() {
        var clipped = new Descent(4, _ -> 1, AdamW.Config.DEFAULT, 2);
        assertArrayEquals(adam(new double[] {1, 1, 1, 1}, 2), found(clipped, new ArrayList<>()), 1e-12);
    }
}

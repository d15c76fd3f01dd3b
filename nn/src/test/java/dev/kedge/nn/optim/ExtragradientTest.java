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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(InScope.class)
class ExtragradientTest {
    private static final double RATE = 0.3;
    private static final double[] START = {1, -0.5};

    static Stream<Function<Parameters, Optimizer>> optimizers() {
        return Stream.of(
                p -> new Sgd(p, 0), p -> new Sgd(p, 0.9), p -> new AdamW(p, new AdamW.Config(0.9, 0.95, 1e-8, 0.01)));
    }

    private static Parameters parameters() {
        return Parameters.copyOf(Map.of("x", Tensor.of(START)), DType.FLOAT64, Device.CPU);
    }

    /// The field of `min_a max_b a·b`, which turns: against an opponent (c, d) the gradient is (d, -c).
    private static void addGradient(Parameters parameters, double[] opponent) {
        try (Scope _ = new Scope()) {
            InPlace.plus_(parameters.gradient(), Tensor.of(opponent[1], -opponent[0]));
        }
    }

    private static double[] values(Parameters parameters) {
        return parameters.flat().toDoubles();
    }

    private static double distance(double[] x) {
        return Math.hypot(x[0], x[1]);
    }

    @Test
    void withPlainStepsItIsTheClosedForm() {
        try (Parameters parameters = parameters();
                Sgd sgd = new Sgd(parameters, 0);
                Extragradient extragradient = new Extragradient(parameters, sgd)) {
            extragradient.step(() -> values(parameters), o -> addGradient(parameters, o), RATE);
            double a = START[0] - RATE * START[1];
            double b = START[1] + RATE * START[0];
            assertArrayEquals(new double[] {START[0] - RATE * b, START[1] + RATE * a}, values(parameters), 1e-15);
        }
    }

    @Test
    void whereFieldsTurnItComesToRestAndPlainStepsDoNot() {
        try (Parameters parameters = parameters();
                Parameters plain = parameters();
                Sgd sgd = new Sgd(parameters, 0);
                Sgd plainSgd = new Sgd(plain, 0);
                Extragradient extragradient = new Extragradient(parameters, sgd)) {
            for (int i = 0; i < 300; i++) {
                extragradient.step(() -> values(parameters), o -> addGradient(parameters, o), RATE);
                addGradient(plain, values(plain));
                plainSgd.step(RATE);
            }
            // |1 - r² + i·r| = 0.9577 a step against |1 + i·r| = 1.0440
            assertTrue(distance(values(parameters)) < 1e-5, "distance " + distance(values(parameters)));
            assertTrue(distance(values(plain)) > 1e5, "distance " + distance(values(plain)));
        }
    }

    /// Each update by two optimisers with a life of their own: one is sent ahead and thrown away.
    @ParameterizedTest
    @MethodSource("optimizers")
    void everyUpdateIsAStepFromTheStartWithTheGradientAhead(Function<Parameters, Optimizer> make) {
        try (Parameters parameters = parameters();
                Optimizer optimizer = make.apply(parameters);
                Extragradient extragradient = new Extragradient(parameters, optimizer);
                Parameters expected = parameters();
                Optimizer stepping = make.apply(expected)) {
            for (int i = 0; i < 20; i++) {
                extragradient.step(() -> values(parameters), o -> addGradient(parameters, o), RATE);
                addGradient(expected, ahead(expected, stepping, make));
                stepping.step(RATE);
                assertArrayEquals(values(expected), values(parameters), "update " + i);
            }
            stepping.state()
                    .forEach((name, tensor) -> assertArrayEquals(
                            tensor.toDoubles(), optimizer.state().get(name).toDoubles(), name));
        }
    }

    private static double[] ahead(Parameters from, Optimizer state, Function<Parameters, Optimizer> make) {
        try (Parameters scout = from.copy();
                Optimizer optimizer = make.apply(scout)) {
            optimizer.restore(state.state());
            addGradient(scout, values(from));
            optimizer.step(RATE);
            return values(scout);
        }
    }

    @Test
    void opponentsComeFromTheStartAndFromAheadAndGradientsFromTheStart() {
        try (Parameters parameters = parameters();
                Sgd sgd = new Sgd(parameters, 0);
                Extragradient extragradient = new Extragradient(parameters, sgd)) {
            List<double[]> seen = new ArrayList<>();
            List<double[]> at = new ArrayList<>();
            extragradient.step(
                    () -> {
                        seen.add(values(parameters));
                        return seen.getLast();
                    },
                    o -> {
                        at.add(values(parameters));
                        addGradient(parameters, o);
                    },
                    RATE);
            assertEquals(2, seen.size());
            assertArrayEquals(START, seen.get(0));
            assertArrayEquals(new double[] {START[0] - RATE * START[1], START[1] + RATE * START[0]}, seen.get(1));
            assertArrayEquals(START, at.get(0));
            assertArrayEquals(START, at.get(1));
        }
    }

    @Test
    void goingBackRestoresEveryBit() {
        try (Parameters parameters = parameters();
                AdamW adamW = new AdamW(parameters, AdamW.Config.DEFAULT);
                Extragradient extragradient = new Extragradient(parameters, adamW)) {
            addGradient(parameters, new double[] {0.3, 0.1});
            adamW.step(RATE);
            double[] before = values(parameters);
            double[] moments = adamW.state().get("second_moments").toDoubles();
            addGradient(parameters, new double[] {-2, 5});
            extragradient.lookAhead(RATE);
            assertEquals(2, adamW.state().get("step").item());
            extragradient.goBack();
            assertArrayEquals(before, values(parameters));
            assertArrayEquals(moments, adamW.state().get("second_moments").toDoubles());
            assertEquals(1, adamW.state().get("step").item());
        }
    }

    @Test
    void outOfOrderIsRefused() {
        try (Parameters parameters = parameters();
                Sgd sgd = new Sgd(parameters, 0);
                Extragradient extragradient = new Extragradient(parameters, sgd)) {
            assertThrows(IllegalStateException.class, extragradient::goBack);
            extragradient.lookAhead(RATE);
            assertThrows(IllegalStateException.class, () -> extragradient.lookAhead(RATE));
            extragradient.goBack();
            assertThrows(IllegalStateException.class, extragradient::goBack);
        }
    }
}

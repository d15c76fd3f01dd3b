package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/// What a step is made of, and how its parts' metrics become its own.
class StepTest {
    @Test
    void examplesAreCutIntoPartsInTheirOrder() {
        List<List<String>> parts = new ArrayList<>();
        Step step = Step.on(List.of("a", "b", "c", "d", "e"), 2, part -> {
            parts.add(List.copyOf(part));
            return new StepMetrics().add("loss", part.size());
        });
        assertEquals(3, step.parts().size());
        assertEquals(List.of(), parts, "nothing is computed before the step is taken");
        assertEquals(5, step.gradient().get("loss"));
        assertEquals(List.of(List.of("a", "b"), List.of("c", "d"), List.of("e")), parts);
        assertEquals(
                2,
                Step.on(new int[] {7, 8, 9, 6}, 2, _ -> new StepMetrics())
                        .parts()
                        .size());
        List<String> numbers = new ArrayList<>();
        Step.on(new int[] {7, 8, 9}, 2, part -> {
                    numbers.add(Arrays.toString(part));
                    return new StepMetrics();
                })
                .gradient();
        assertEquals(List.of("[7, 8]", "[9]"), numbers);
    }

    /// Sums of 1, 2 and 3, the largest of them, and the mean of 1, 2, 3, 4, 5, 6, which come as one, two and three.
    @Test
    void metricsOfPartsAreSumsMeansAndMaxima() {
        double[] sums = {1, 5, 15};
        Step step = Step.on(new int[] {0, 2, 1}, 1, part -> new StepMetrics()
                        .add("sum", part[0] + 1)
                        .max("largest", part[0] + 1)
                        .max("below", -1 - part[0])
                        .mean("mean", sums[part[0]], part[0] + 1))
                .completed(m -> m.put("twice", 2 * m.get("sum")))
                .completed(m -> m.put("twice", 1 + m.get("twice")));
        StepMetrics metrics = step.gradient();
        assertEquals(6, metrics.get("sum"));
        assertEquals(3, metrics.get("largest"));
        assertEquals(-1, metrics.get("below"));
        assertEquals(3.5, metrics.get("mean"));
        assertEquals(13, metrics.get("twice"), "completed in the order in which that was asked for");
        assertEquals(
                List.of("sum", "largest", "below", "mean", "twice"),
                List.copyOf(metrics.values().keySet()));
        assertTrue(metrics.has("mean"));
        assertFalse(metrics.has("loss"));
        var e = assertThrows(IllegalArgumentException.class, () -> metrics.get("loss"));
        assertEquals("nothing was measured as loss, only [sum, largest, below, mean, twice]", e.getMessage());
        assertThrows(UnsupportedOperationException.class, () -> metrics.values().clear());
    }

    @Test
    void aPartsTensorsGoWithIt() {
        long before = Scope.liveTensors();
        Step.on(new int[] {1, 2, 3}, 1, part -> {
                    assertEquals(before, Scope.liveTensors());
                    return new StepMetrics().add("loss", Tensor.of(part[0]).item());
                })
                .gradient();
        assertEquals(before, Scope.liveTensors());
    }

    /// Each change keeps all others.
    @Test
    void changesAddUpInAnyOrder() {
        List<String> called = new ArrayList<>();
        List<UnaryOperator<Step>> changes = List.of(
                s -> s.completed(_ -> called.add("completed")),
                s -> s.update((_, _) -> called.add("update")),
                s -> s.then(_ -> called.add("then")),
                s -> s.tokens(9),
                s -> s.said(_ -> "words"),
                Step::half);
        for (int first = 0; first < changes.size(); first++) {
            Step step = Step.of(List.of(() -> new StepMetrics().add("loss", 1)));
            assertTrue(step.isWhole());
            assertEquals("loss 1.000", step.said().apply(step.gradient()));
            for (int i = 0; i < changes.size(); i++) {
                step = changes.get((first + i) % changes.size()).apply(step);
            }
            called.clear();
            step.gradient();
            step.update().apply(null, 0.5);
            step.then().accept(new StepMetrics());
            assertEquals(List.of("completed", "update", "then"), called);
            assertEquals(9, step.tokens());
            assertEquals("words", step.said().apply(new StepMetrics()));
            assertFalse(step.isWhole());
            assertEquals(1, step.parts().size());
        }
    }

    @Test
    void whatFollowsIsDoneInTheOrderInWhichItWasAsked() {
        List<String> called = new ArrayList<>();
        Step step = Step.of(List.of()).then(_ -> called.add("one")).then(_ -> called.add("two"));
        assertEquals(0, step.tokens());
        step.then().accept(new StepMetrics());
        assertEquals(List.of("one", "two"), called);
    }
}

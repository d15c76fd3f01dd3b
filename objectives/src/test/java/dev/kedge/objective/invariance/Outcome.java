package dev.kedge.objective.invariance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.Loss;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/// What an objective gave: its value, and for each row the gradients of its tokens and its entries of the metrics.
///
/// @param rows by name, `gradient of chosen` or `metric loss`
record Outcome(double value, List<Map<String, double[]>> rows) {
    /// Calls the objective and differentiates. A gradient outside the rows, in padding, is an error.
    static Outcome of(Function<Batch, Loss> objective, List<Row> part, List<Row> step, Padding padding) {
        try (var _ = new Scope()) {
            Batch batch = new Batch(part, step, padding, DType.FLOAT64);
            Loss loss = objective.apply(batch);
            loss.value().backward();
            List<Map<String, double[]>> rows = new ArrayList<>();
            part.forEach(_ -> rows.add(new TreeMap<>()));
            loss.metrics().forEach((name, metric) -> spread("metric " + name, metric, rows));
            batch.leaves().forEach((answer, leaf) -> gradients(answer, leaf.grad(), batch, rows));
            return new Outcome(loss.value().item(), rows);
        }
    }

    private static void spread(String name, Tensor perRow, List<Map<String, double[]>> rows) {
        assertEquals(rows.size(), perRow.size(0), name + " has one entry per row");
        assertEquals(name.startsWith("metric online/") ? 2 : 1, perRow.dim(), name + " is [B], or [P, G]");
        double[] all = perRow.toDoubles();
        int each = all.length / rows.size();
        for (int i = 0; i < rows.size(); i++) {
            rows.get(i).put(name, Arrays.copyOfRange(all, i * each, (i + 1) * each));
        }
    }

    private static void gradients(String answer, Tensor gradient, Batch batch, List<Map<String, double[]>> rows) {
        for (int i = 0; i < rows.size(); i++) {
            double[] slots = gradient.select(0, i).toDoubles();
            boolean[] counts = batch.rows().get(i).answers().get(answer).counts();
            for (int slot = 0; slot < slots.length; slot++) {
                int t = slot - batch.left();
                if (t < 0 || t >= counts.length || !counts[t]) {
                    assertEquals(0, slots[slot], "gradient of " + answer + " where nothing counts, slot " + slot);
                }
            }
            rows.get(i)
                    .put(
                            "gradient of " + answer,
                            Arrays.copyOfRange(slots, batch.left(), batch.left() + counts.length));
        }
    }

    /// Two parts of a step, one after the other.
    Outcome plus(Outcome other) {
        List<Map<String, double[]>> both = new ArrayList<>(rows);
        both.addAll(other.rows);
        return new Outcome(value + other.value, both);
    }

    void assertSame(Outcome other, String law) {
        assertEquals(value, other.value, tolerance(value), law + ": value");
        assertEquals(rows.size(), other.rows.size(), law);
        for (int i = 0; i < rows.size(); i++) {
            assertEquals(rows.get(i).keySet(), other.rows.get(i).keySet(), law);
            for (String name : rows.get(i).keySet()) {
                double[] expected = rows.get(i).get(name);
                double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
                assertArrayEquals(
                        expected, other.rows.get(i).get(name), tolerance(largest), law + ": " + name + " of row " + i);
            }
        }
    }

    /// Sums in another order, in float64.
    private static double tolerance(double size) {
        return 1e-12 * Math.max(1, size);
    }
}

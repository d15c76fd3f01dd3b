package dev.kedge.objective;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class LossTest {
    @Test
    void metricsAreDetachedAndKeepTheirOrder() {
        Tensor x = Tensor.of(1, 2).requiresGrad();
        Loss loss = Loss.of(x.sum()).with("b", x.times(2)).with("a", x);
        assertEquals(List.of("b", "a"), List.copyOf(loss.metrics().keySet()));
        assertFalse(loss.metric("b").hasGradientGraph());
        assertTrue(loss.value().hasGradientGraph());
    }

    @Test
    void withLeavesTheLossItStartsFromAsItWas() {
        Loss bare = Loss.of(Tensor.scalarOf(1));
        bare.with("a", Tensor.of(1));
        assertTrue(bare.metrics().isEmpty());
        assertThrows(UnsupportedOperationException.class, () -> bare.metrics().put("b", Tensor.of(1)));
    }

    @Test
    void lossesAddUpWithTheMetricsOfBoth() {
        Tensor x = Tensor.of(1, 2).requiresGrad();
        Loss a = Loss.of(x.sum()).with("a", x);
        Loss sum = a.plus(Loss.of(x.times(x).sum()).with("b", x.times(3)));
        sum.value().backward();
        assertEquals(8, sum.value().item());
        assertArrayEquals(new double[] {3, 5}, x.grad().toDoubles());
        assertEquals(List.of("a", "b"), List.copyOf(sum.metrics().keySet()));
        assertArrayEquals(new double[] {3, 6}, sum.metric("b").toDoubles());
        assertTrue(assertThrows(IllegalArgumentException.class, () -> sum.plus(a))
                .getMessage()
                .contains("metric a is there already"));
    }

    @Test
    void whatIsNotALossIsRefused() {
        refused("a loss is a scalar", () -> Loss.of(Tensor.of(1, 2)));
        Loss loss = Loss.of(Tensor.scalarOf(1)).with("a", Tensor.of(1));
        refused("metric a is there already", () -> loss.with("a", Tensor.of(2)));
        refused("metric b has one entry per example", () -> loss.with("b", Tensor.scalarOf(2)));
        refused("no metric b among", () -> loss.metric("b"));
        var attached = new LinkedHashMap<String, Tensor>();
        attached.put("a", Tensor.of(1).requiresGrad());
        refused("metric a carries a gradient", () -> new Loss(Tensor.scalarOf(1), attached));
    }
}

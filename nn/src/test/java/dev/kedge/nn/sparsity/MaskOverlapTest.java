package dev.kedge.nn.sparsity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.InScope;
import dev.kedge.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class MaskOverlapTest {
    private static Tensor mask(int... values) {
        return Tensor.of(values, values.length).ne(0);
    }

    @Test
    void workedByHand() {
        var overlap = MaskOverlap.of(mask(1, 1, 1, 0, 0, 0, 0, 0), mask(0, 1, 0, 1, 0, 0, 0, 0));
        assertEquals(new MaskOverlap(1 / 3.0, 0.5, 0.25, 3 / 8.0, 0.25), overlap);
        var whole = MaskOverlap.of(mask(1, 0), mask(1, 0));
        assertEquals(new MaskOverlap(1, 1, 0.5, 0.5, 1), whole);
        assertTrue(Double.isNaN(MaskOverlap.of(mask(0, 0), mask(1, 0)).first()));
    }

    @Test
    void independentMasksOverlapByChance() {
        int n = 40_000;
        var random = new Random(5);
        double[] first = random.doubles(n).toArray();
        double[] second = random.doubles(n).toArray();
        var overlap = MaskOverlap.of(Tensor.of(first).lt(0.3), Tensor.of(second).lt(0.1));
        assertEquals(0.1, overlap.first(), 3 * Math.sqrt(0.1 * 0.9 / (0.3 * n)));
        assertEquals(0.3, overlap.second(), 3 * Math.sqrt(0.3 * 0.7 / (0.1 * n)));
        assertEquals(overlap.chanceFirst(), overlap.first(), 3 * Math.sqrt(0.1 * 0.9 / (0.3 * n)));
    }

    @Test
    void badArgumentsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> MaskOverlap.of(mask(1), mask(1, 0)));
        assertThrows(IllegalArgumentException.class, () -> MaskOverlap.of(mask(1), Tensor.of(1.0)));
        assertThrows(IllegalArgumentException.class, () -> MaskOverlap.of(Tensor.of(1.0), mask(1)));
    }
}

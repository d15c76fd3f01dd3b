package dev.kedge.nn.sparsity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.nn.InScope;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class SubnetworkGradientsTest {
    @Test
    void theGradientIsSelectedNotMultiplied() {
        Tensor gradient = Tensor.of(new double[] {1, Double.NaN, -3, Double.POSITIVE_INFINITY}, 2, 2);
        Tensor mask = Tensor.mask(new boolean[][] {{true, false}, {true, false}});
        assertArrayEquals(
                new double[] {1, 0, -3, 0},
                SubnetworkGradients.masked(gradient, mask).toDoubles());
        assertArrayEquals(
                new double[] {1, Double.NaN, -3, Double.POSITIVE_INFINITY},
                SubnetworkGradients.masked(gradient, mask.or(mask.not())).toDoubles());
    }

    @Test
    void theSmallestWeightsAreThoseNearestToZero() {
        Tensor weights = Tensor.of(new double[] {-3, 0.1, 2, -0.2, 0.5, 7}, 2, 3);
        assertArrayEquals(
                new boolean[] {false, true, false, true, true, false},
                SubnetworkGradients.smallest(weights, 3).toBooleans());
        assertArrayEquals(
                new long[] {2, 3}, SubnetworkGradients.smallest(weights, 3).shape());
        assertEquals(0, SubnetworkGradients.smallest(weights, 0).sum().item());
        assertEquals(6, SubnetworkGradients.smallest(weights, 6).sum().item());
        assertEquals(
                2, SubnetworkGradients.smallest(weights.zerosLike(), 2).sum().item());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor two = Tensor.of(1, 2);
        assertThrows(IllegalArgumentException.class, () -> SubnetworkGradients.masked(two, two));
        assertThrows(
                IllegalArgumentException.class,
                () -> SubnetworkGradients.masked(two, Tensor.of(1.0).ne(0)));
        assertThrows(IllegalArgumentException.class, () -> SubnetworkGradients.smallest(two, 3));
        assertThrows(IllegalArgumentException.class, () -> SubnetworkGradients.smallest(two, -1));
    }
}

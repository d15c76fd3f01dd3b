package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Losses 1, 2, 3, 4 and 10, 20, and a completion without tokens.
@ExtendWith(InScope.class)
class AggregationTest {
    private Tensor losses;
    private Tensor mask;

    @BeforeEach
    void make() {
        double nan = Double.NaN;
        losses = Tensor.of(new double[][] {{1, 2, 3, 4}, {10, 20, nan, nan}, {nan, nan, nan, nan}})
                .requiresGrad();
        mask = Tensor.mask(Rollouts.MASK);
    }

    @Test
    void valuesByHand() {
        assertEquals(40.0 / 6, Aggregation.perToken(losses, mask, 6).item(), 1e-15);
        assertEquals((2.5 + 15) / 3, Aggregation.perSequence(losses, mask, 3).item(), 1e-15);
        assertEquals(40.0 / 3, Aggregation.sequenceSum(losses, mask, 3).item(), 1e-15);
        assertEquals(
                40.0 / 3 / 8, Aggregation.constantLength(losses, mask, 8, 3).item(), 1e-15);
        assertEquals(40.0 / 3, Aggregation.constantLength(losses, mask, 1, 3).item(), 1e-15);
        Tensor one = losses.narrow(1, 0, 1);
        assertEquals(
                (1 + 10) / 3.0,
                Aggregation.perSequence(one, mask.narrow(1, 0, 1), 3).item(),
                1e-15);
    }

    @Test
    void gradientsAreTheWeightsOfTokens() {
        Aggregation.perSequence(losses, mask, 3).backward();
        double long4 = 1.0 / 12;
        double short2 = 1.0 / 6;
        assertArrayEquals(
                new double[] {long4, long4, long4, long4, short2, short2, 0, 0, 0, 0, 0, 0},
                losses.grad().toDoubles(),
                1e-15);
    }

    @Test
    void denominatorsOfTheStepShrinkTheShareOfAPart() {
        double here = Aggregation.perSequence(losses, mask, 3).item();
        assertEquals(here / 4, Aggregation.perSequence(losses, mask, 12).item(), 1e-15);
    }

    @Test
    void badInputIsRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> Aggregation.perSequence(losses, mask, 2));
        assertEquals(
                "completionsInStep counts the whole step and must be >= 3, what this part holds; was 2",
                e.getMessage());
        refused("tokensInStep", () -> Aggregation.perToken(losses, mask, 0));
        refused("completionsInStep", () -> Aggregation.sequenceSum(losses, mask, 2));
        refused("length", () -> Aggregation.constantLength(losses, mask, 0, 3));
        refused("mask", () -> Aggregation.perToken(losses, losses, 6));
        refused("losses", () -> Aggregation.perToken(losses.select(0, 0), mask.select(0, 0), 6));
    }
}

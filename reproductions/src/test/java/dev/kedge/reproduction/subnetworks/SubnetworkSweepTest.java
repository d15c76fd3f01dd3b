package dev.kedge.reproduction.subnetworks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.lab.claim.Outcome;
import dev.kedge.recipe.sparsity.SubnetworkConfig.Algorithm;
import dev.kedge.run.result.Frontier;
import dev.kedge.tensor.DType;
import java.util.List;
import org.junit.jupiter.api.Test;

class SubnetworkSweepTest {
    private static final double RATE = 1e-5;

    /// Higher rates change more, float32 shows more than bfloat16, and the subnetwork ends where its maker did rather
    /// than where as many others do.
    @Test
    void whatIsMeasured() {
        var scale = new SubnetworkSweep.Scale(200, 60, 60, List.of(RATE, 1e-3), List.of(RATE));
        Outcome outcome = SubnetworkSweep.trial(scale, 101);
        double stored = outcome.number(SubnetworkSweep.unchanged(DType.BFLOAT16, Algorithm.GRPO, RATE));
        assertTrue(stored > outcome.number(SubnetworkSweep.unchanged(DType.BFLOAT16, Algorithm.GRPO, 1e-3)) + 0.3);
        assertTrue(stored > outcome.number(SubnetworkSweep.unchanged(DType.FLOAT32, Algorithm.GRPO, RATE)) + 0.3);
        assertTrue(outcome.number("accuracy, SFT, rate 0.001") > outcome.number("accuracy, start") + 0.05);
        String at = ", rate " + RATE;
        assertEquals(stored, 1 - outcome.number("density" + at), 1e-12, "as many steps here, and the same seed");
        assertEquals(stored, outcome.number("agreement at 1e-5, start" + at), 1e-12);
        double alone = outcome.number("agreement at 1e-5, subnetwork" + at);
        assertTrue(
                alone > outcome.number("agreement at 1e-5, random mask" + at) + 0.02,
                outcome.numbers().toString());
        assertTrue(alone > stored + 0.02);
        assertEquals(outcome.number("density" + at), outcome.number("chance, smallest weights" + at), 1e-12);
        assertTrue(outcome.number("overlap, other seed" + at) > outcome.number("chance, other seed" + at) + 0.1);
    }

    /// The least rate that gains so much counts, not one beyond, and not a rate at which nothing was gained.
    @Test
    void whereAGainIsFirstReached() {
        var way = List.of(
                Frontier.Point.of(0, 1),
                Frontier.Point.of(-0.1, 0.5),
                Frontier.Point.of(0.3, 0.3),
                Frontier.Point.of(0.2, 0.1));
        assertEquals(0.4, SubnetworkSweep.reaching(way, 0.1), 1e-12);
        assertEquals(0.3, SubnetworkSweep.reaching(way, SubnetworkSweep.most(way)), 1e-12);
        assertEquals(1, SubnetworkSweep.reaching(way, 0), 1e-12);
        assertThrows(IllegalArgumentException.class, () -> SubnetworkSweep.reaching(way, 0.4));
    }
}

package dev.kedge.lab.claim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.statistics.Bootstrap;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FindingTest {
    private static final Experiment EXPERIMENT = Examples.experiment(Examples::outcome);

    private static Measurement measured(int seeds) {
        return new Measurement(
                EXPERIMENT,
                IntStream.rangeClosed(1, seeds).mapToObj(Examples::outcome).toList(),
                3);
    }

    private static Finding find(Direction direction, Claim.Against against, double asked, int seeds) {
        return Finding.of(Examples.claim(EXPERIMENT, "c", direction, against, asked), measured(seeds));
    }

    private static final Arm B = new Arm("B", "b");

    @Test
    void marginsPointTheWayOfTheClaim() {
        assertArrayEquals(
                new double[] {0.9, 0.8, 0.7, 0.6, 0.5},
                find(Direction.MORE, B, 0, 5).margins(),
                1e-12);
        assertArrayEquals(
                new double[] {-0.9, -0.8, -0.7, -0.6, -0.5},
                find(Direction.LESS, B, 0, 5).margins(),
                1e-12);
        assertArrayEquals(
                new double[] {1.1, 1.2, 1.3, 1.4, 1.5},
                find(Direction.MORE, new Threshold(1), 0, 5).margins(),
                1e-12);
        assertArrayEquals(
                new double[] {0.9, 0.8, 0.7, 0.6, 0.5},
                find(Direction.LESS, new Threshold(3), 0, 5).margins(),
                1e-12);
    }

    @Test
    void theEffectIsThePairedMeanWithItsBcaInterval() {
        var finding = find(Direction.MORE, B, 0, 8);
        double[] a = IntStream.rangeClosed(1, 8).mapToDouble(s -> 2 + s / 10.0).toArray();
        double[] b = IntStream.rangeClosed(1, 8).mapToDouble(s -> 1 + s / 5.0).toArray();
        assertEquals(new Bootstrap(10_000, 0.95, 0).pairedBca(b, a), finding.effect());
        assertEquals(0.55, finding.effect().value(), 1e-12);
        assertTrue(finding.effectInWords().startsWith("+0.55\u202fnats (0."), finding.effectInWords());
        assertEquals(8, finding.seeds());
    }

    /// Margins from 0.9 down to 0.5, mean 0.7; their mean is above 0.5 and below 0.9 in every resample but few.
    @Test
    void verdictsOfAKnownSample() {
        assertEquals(Verdict.REPRODUCED, find(Direction.MORE, B, 0, 5).verdict());
        assertEquals(Verdict.REPRODUCED, find(Direction.MORE, B, 0.5, 5).verdict());
        assertEquals(Verdict.NOT_SEEN, find(Direction.MORE, B, 0.7, 5).verdict());
        assertEquals(Verdict.NOT_SEEN, find(Direction.MORE, B, 5, 5).verdict());
        assertEquals(Verdict.CONTRADICTED, find(Direction.LESS, B, 0, 5).verdict());
        assertEquals(
                Verdict.REPRODUCED, find(Direction.MORE, new Threshold(2), 0, 5).verdict());
        assertEquals(
                Verdict.NOT_SEEN, find(Direction.MORE, new Threshold(2.3), 0, 5).verdict());
        assertEquals(
                Verdict.CONTRADICTED,
                find(Direction.MORE, new Threshold(3), 0, 5).verdict());
        // Up to seed 19 the margins fall from 0.9 to -0.9.
        assertEquals(Verdict.NOT_SEEN, find(Direction.MORE, B, 0, 19).verdict());
    }

    /// An arm held against itself has no effect, however sure.
    @Test
    void nothingIsNotSeen() {
        var finding = find(Direction.MORE, new Arm("A again", "a"), 0, 5);
        assertEquals(0, finding.effect().value());
        assertEquals(0, finding.effect().high());
        assertEquals(Verdict.NOT_SEEN, finding.verdict());
    }

    @Test
    void badInputIsOneClearLine() {
        var few = assertThrows(IllegalArgumentException.class, () -> find(Direction.MORE, B, 0, 4));
        assertEquals("c: at least 5 seeds are needed, got 4", few.getMessage());
        var unknown = assertThrows(IllegalArgumentException.class, () -> find(Direction.MORE, new Arm("C", "c"), 0, 5));
        assertEquals("no number 'c' among [a, b]", unknown.getMessage());
        var other = new Measurement(
                new Experiment("other", "", 5, Examples::outcome), measured(5).outcomes(), 1);
        var claim = Examples.claim(EXPERIMENT, "c", Direction.MORE, B, 0);
        assertThrows(IllegalArgumentException.class, () -> Finding.of(claim, other));
        for (double asked : List.of(-0.1, Double.NaN, Double.POSITIVE_INFINITY)) {
            assertThrows(
                    IllegalArgumentException.class, () -> Examples.claim(EXPERIMENT, "c", Direction.MORE, B, asked));
        }
        assertThrows(IllegalArgumentException.class, () -> Examples.claim(EXPERIMENT, "A name", Direction.MORE, B, 0));
        assertThrows(IllegalArgumentException.class, () -> new Experiment("e", "", 4, Examples::outcome));
        assertThrows(IllegalArgumentException.class, () -> new Experiment("e e", "", 5, Examples::outcome));
        assertThrows(
                IllegalArgumentException.class,
                () -> Outcome.NOTHING.with("a", 1).with("a", 2));
        assertThrows(IllegalArgumentException.class, () -> Outcome.NOTHING.with("a", Double.NaN));
    }
}

package dev.kedge.lab.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.lab.compare.Dominance.Above;
import dev.kedge.lab.compare.Dominance.Stretch;
import dev.kedge.run.result.Frontier;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class DominanceTest {
    @Test
    void comparesOnlyWhereBothAreKnown() {
        var d = Dominance.between(arm("A", 0, 1, 2, 3), arm("B", 1, 1, 4, 2));
        assertEquals(List.of(new Stretch(1, 2, Above.FIRST)), d.stretches());
        assertTrue(d.firstDominates());
        assertFalse(d.secondDominates());
        assertEquals("A is above B from 1.00 to 2.00 nats.", d.sentence());
    }

    /// y = x against y = 1 + x/3 cross at x = 3/2.
    @Test
    void findsTheCrossingBetweenPoints() {
        var d = Dominance.between(arm("A", 0, 0, 3, 3), arm("B", 0, 1, 3, 2));
        assertEquals(List.of(new Stretch(0, 1.5, Above.SECOND), new Stretch(1.5, 3, Above.FIRST)), d.stretches());
        assertFalse(d.firstDominates() || d.secondDominates());
        assertEquals("B is above A from 0.00 to 1.50 nats; A is above B from 1.50 to 3.00 nats.", d.sentence());
    }

    @Test
    void ofPointsAtOneDivergenceTheBestCounts() {
        var d = Dominance.between(arm("A", 0, 0, 1, 5, 1, 1, 2, 5), arm("B", 0, 0, 2, 4));
        assertEquals(List.of(new Stretch(0, 2, Above.FIRST)), d.stretches());
    }

    @Test
    void levelStretchesAreSaidToBeLevel() {
        var d = Dominance.between(arm("A", 0, 0, 1, 1, 2, 3), arm("B", 0, 0, 2, 2));
        assertEquals(List.of(new Stretch(0, 1, Above.NEITHER), new Stretch(1, 2, Above.FIRST)), d.stretches());
        assertTrue(d.firstDominates());
    }

    @Test
    void aSingleCommonDivergenceAndNone() {
        var touching = Dominance.between(arm("A", 0, 0, 1, 2), arm("B", 1, 1, 2, 2));
        assertEquals(List.of(new Stretch(1, 1, Above.FIRST)), touching.stretches());
        assertEquals("A is above B at 1.00 nats.", touching.sentence());
        var apart = Dominance.between(arm("A", 0, 0), arm("B", 1, 1));
        assertTrue(apart.stretches().isEmpty() && !apart.firstDominates());
        assertEquals("A and B have no divergence in common.", apart.sentence());
    }

    @Test
    void exchangingTheArmsMirrorsTheVerdict() {
        var a = arm("A", 0, 0, 0.5, 2, 1.5, 2.2, 3, 2.1);
        var b = arm("B", 0.2, 0.5, 1, 1.9, 2.5, 2.6);
        var forth = Dominance.between(a, b).stretches();
        var back = Dominance.between(b, a).stretches();
        assertEquals(forth.size(), back.size());
        for (int i = 0; i < forth.size(); i++) {
            assertEquals(forth.get(i).from(), back.get(i).from(), 1e-12);
            assertEquals(forth.get(i).to(), back.get(i).to(), 1e-12);
            assertEquals(forth.get(i).above() == Above.FIRST, back.get(i).above() == Above.SECOND);
        }
    }

    @Test
    void anEmptyFrontierIsRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> Dominance.between(arm("A"), arm("B", 0, 0)));
        assertEquals("the frontier 'A' has no points", e.getMessage());
    }

    private static Frontier.Arm arm(String name, double... xy) {
        var points = new ArrayList<Frontier.Point>();
        for (int i = 0; i < xy.length; i += 2) {
            points.add(Frontier.Point.of(xy[i], xy[i + 1]));
        }
        return new Frontier.Arm(name, points);
    }
}

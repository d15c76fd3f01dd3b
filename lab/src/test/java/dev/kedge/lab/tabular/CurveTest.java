package dev.kedge.lab.tabular;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.lab.tabular.Curve.Range;
import dev.kedge.run.result.Frontier;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class CurveTest {
    private static final Curve BENT = Curve.of(new double[] {0, 1, 3}, new double[] {0, 2, 0});

    @Test
    void isStraightBetweenItsPoints() {
        assertEquals(0, BENT.at(0));
        assertEquals(1, BENT.at(0.5), 1e-15);
        assertEquals(2, BENT.at(1));
        assertEquals(1.5, BENT.at(1.5), 1e-15);
        assertEquals(0, BENT.at(3));
    }

    @Test
    void nothingIsKnownBeyondItsEnds() {
        var e = assertThrows(IllegalArgumentException.class, () -> BENT.at(3.5));
        assertEquals("the curve is known from 0.0 to 3.0, not at 3.5", e.getMessage());
        var empty = Curve.of(new double[] {Double.NaN}, new double[] {1});
        assertTrue(empty.isEmpty());
        assertEquals(
                "the curve has no points",
                assertThrows(IllegalArgumentException.class, () -> empty.at(0)).getMessage());
        assertThrows(IllegalArgumentException.class, () -> Curve.of(new double[1], new double[2]));
    }

    /// Two triangles of area 1 and 2 over 3; from 1/2 to 2: (1 + 2)/4 + (2 + 1)/2 over 3/2.
    @Test
    void theMeanIsTheAreaOverTheRange() {
        assertEquals(1, BENT.mean(new Range(0, 3)), 1e-15);
        assertEquals((0.75 + 1.5) / 1.5, BENT.mean(new Range(0.5, 2)), 1e-15);
        assertEquals(1.5, BENT.mean(new Range(1.5, 1.5)), 1e-15);
        assertThrows(IllegalArgumentException.class, () -> BENT.mean(new Range(2, 4)));
    }

    @Test
    void theMeanEqualsThatOfAFineGrid() {
        var random = new Random(5);
        double[] x = random.doubles(9).map(d -> 4 * d).toArray();
        double[] y = random.doubles(9, -1, 1).toArray();
        var curve = Curve.of(x, y);
        double sum = 0;
        int cells = 200_000;
        for (int i = 0; i < cells; i++) {
            sum += curve.at(curve.from() + (i + 0.5) * (curve.to() - curve.from()) / cells);
        }
        assertEquals(sum / cells, curve.mean(new Range(curve.from(), curve.to())), 1e-9);
    }

    @Test
    void ofSeveralPointsAtOneXTheHighestCountsAndWhatIsNotFiniteDoesNot() {
        var curve = Curve.of(
                new double[] {1, 0, 1, 2, Double.NaN, 0.5},
                new double[] {1, 0, 3, Double.POSITIVE_INFINITY, 7, Double.NaN});
        assertEquals(1, curve.to());
        assertEquals(3, curve.at(1));
        assertEquals(1.5, curve.at(0.5), 1e-15);
    }

    @Test
    void theCommonRangeOfSeveral() {
        var right = Curve.of(new double[] {2, 5}, new double[] {0, 0});
        assertEquals(Optional.of(new Range(2, 3)), Curve.common(List.of(BENT, right)));
        var touching = Curve.of(new double[] {3, 5}, new double[] {0, 0});
        assertEquals(Optional.of(new Range(3, 3)), Curve.common(List.of(BENT, touching, right)));
        var apart = Curve.of(new double[] {4, 5}, new double[] {0, 0});
        assertTrue(Curve.common(List.of(BENT, apart)).isEmpty());
        assertTrue(Curve.common(List.of()).isEmpty());
        assertTrue(Curve.common(List.of(BENT, Curve.of(new double[0], new double[0])))
                .isEmpty());
    }

    @Test
    void theCurveOfAFrontierGoesThroughItsPoints() {
        var arm = new Frontier.Arm("a", List.of(Frontier.Point.of(1, 2), Frontier.Point.of(0, 1)));
        assertEquals(1.5, Curve.of(arm).at(0.5), 1e-15);
    }
}

package dev.kedge.objective;

import static dev.kedge.objective.Refused.refused;

import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class RequireTest {
    private static final double TINY = Double.MIN_VALUE;
    private static final double HUGE = Double.MAX_VALUE;
    private static final double[] NOT_POSITIVE = {0, -TINY, -2, Double.NaN, Double.POSITIVE_INFINITY};

    @Test
    void positiveNumbersAreFiniteAndAboveZero() {
        Require.positive("x", TINY);
        Require.positive("x", HUGE);
        Require.positive("x", List.of(TINY, 2.0, HUGE));
        for (double wrong : NOT_POSITIVE) {
            refused("x must be finite and > 0, was " + wrong, () -> Require.positive("x", wrong));
            refused(
                    "x must be finite numbers > 0, at least one, were [2.0, " + wrong + "]",
                    () -> Require.positive("x", List.of(2.0, wrong)));
        }
        refused("x must be finite numbers > 0, at least one, were []", () -> Require.positive("x", List.of()));
    }

    @Test
    void anIntervalHoldsNoneOfItsBoundsOrTheLowerOne() {
        Require.between("x", Math.nextUp(2.0), 2, 3);
        Require.between("x", Math.nextDown(3.0), 2, 3);
        Require.from("x", 2, 2, 3);
        Require.from("x", Math.nextDown(3.0), 2, 3);
        for (double wrong : new double[] {2, 3, Double.NaN}) {
            refused("x must be inside (2.0, 3.0), was " + wrong, () -> Require.between("x", wrong, 2, 3));
        }
        for (double wrong : new double[] {Math.nextDown(2.0), 3, Double.NaN}) {
            refused("x must be in [2.0, 3.0), was " + wrong, () -> Require.from("x", wrong, 2, 3));
        }
    }

    @Test
    void aDenominatorIsAtLeastOneAndAtLeastWhatIsHere() {
        Require.denominator("n", 1, 0);
        Require.denominator("n", 4, 4);
        refused(
                "n counts the whole step and must be >= 4, what this part holds; was 3",
                () -> Require.denominator("n", 3, 4));
        refused(
                "n counts the whole step and must be >= 1, what this part holds; was 0",
                () -> Require.denominator("n", 0, 0));
    }

    @Test
    void shapesAreComparedAndMissingTensorsNamed() {
        Tensor row = Tensor.of(1, 2);
        Require.dims("x", row, 1, "[B]");
        Require.sameShape("x", row, "y", Tensor.of(3, 4));
        Require.mask("x", row.gt(1), "y", row);
        refused("x must be [B, T], was [2]", () -> Require.dims("x", row, 2, "[B, T]"));
        refused("x must be [B, T], was missing", () -> Require.dims("x", null, 2, "[B, T]"));
        refused("x must have the shape of y, [2], was [1]", () -> Require.sameShape("x", Tensor.of(1.0), "y", row));
        refused("x must have the shape of y, [2], was missing", () -> Require.sameShape("x", null, "y", row));
        refused("x must be boolean, was float64", () -> Require.mask("x", row, "y", row));
        refused("x must have the shape of y, [2], was missing", () -> Require.mask("x", null, "y", row));
    }
}

package dev.kedge.objective.preference;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class BradleyTerryTest {
    private static final double[] FIRST = {0.3, -1, 2};
    private static final double[] SECOND = {1.1, -1, 0.5};
    private static final double[] LABELS = {1, 0, 0.25};

    private static double nll(double d) {
        return Math.log1p(Math.exp(-d));
    }

    @Test
    void equalsTheEquation() {
        double[] expected = {nll(0.8), Math.log(2), 0.25 * nll(-1.5) + 0.75 * nll(1.5)};
        var loss = BradleyTerry.nll(Tensor.of(FIRST), Tensor.of(SECOND), Tensor.of(LABELS), 6);
        assertArrayEquals(expected, loss.metric("loss").toDoubles(), 1e-15);
        assertArrayEquals(new double[] {0.8, 0, -1.5}, loss.metric("margin").toDoubles(), 1e-15);
        assertEquals((expected[0] + expected[1] + expected[2]) / 6, loss.value().item(), 1e-15);
    }

    @Test
    void gradientsEqualCentralDifferencesAndAreHalfAtEqualRewards() {
        CentralDifferences.assertGradient(
                SECOND,
                r -> BradleyTerry.nll(Tensor.of(FIRST), r, Tensor.of(LABELS), 3).value(),
                1e-9);
        Tensor first = Tensor.of(1.0, 1).requiresGrad();
        BradleyTerry.nll(first, Tensor.of(1.0, 1), Tensor.of(1.0, 0), 2).value().backward();
        assertArrayEquals(new double[] {0.25, -0.25}, first.grad().toDoubles());
        Tensor labels = Tensor.of(LABELS).requiresGrad();
        Tensor second = Tensor.of(SECOND).requiresGrad();
        BradleyTerry.nll(Tensor.of(FIRST), second, labels, 3).value().backward();
        assertNull(labels.grad(), "labels are constants");
    }

    @Test
    void partsAddUpAndSwappingAPairWithItsLabelChangesNothing() {
        double whole = BradleyTerry.nll(Tensor.of(FIRST), Tensor.of(SECOND), Tensor.of(LABELS), 3)
                .value()
                .item();
        double parts = BradleyTerry.nll(Tensor.of(0.3), Tensor.of(1.1), Tensor.of(1.0), 3)
                        .value()
                        .item()
                + BradleyTerry.nll(Tensor.of(-1, 2), Tensor.of(-1, 0.5), Tensor.of(0, 0.25), 3)
                        .value()
                        .item();
        double swapped = BradleyTerry.nll(Tensor.of(SECOND), Tensor.of(FIRST), Tensor.of(0, 1, 0.75), 3)
                .value()
                .item();
        assertEquals(whole, parts, 1e-15);
        assertEquals(whole, swapped, 1e-15);
    }

    @Test
    void rewardsFarApartStayFinite() {
        var loss = BradleyTerry.nll(Tensor.of(0, 0), Tensor.of(-1000, -1000), Tensor.of(1, 0), 2);
        assertArrayEquals(new double[] {1000, 0}, loss.metric("loss").toDoubles());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor three = Tensor.of(FIRST);
        refused("second", () -> BradleyTerry.nll(three, Tensor.of(1, 2), three, 3));
        refused("secondPreferred", () -> BradleyTerry.nll(three, three, Tensor.of(1, 2), 3));
        refused("pairsInStep", () -> BradleyTerry.nll(three, three, three, 2));
        Tensor row = three.unsqueeze(0);
        refused("first", () -> BradleyTerry.nll(row, row, row, 3));
    }
}

package dev.kedge.objective.variational;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kedge.env.MomentConstraints;
import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class MomentConstraintsTest {
    private static Tensor prior() {
        return Tensor.of(0.5, 0.3, 0.2).log();
    }

    private static Tensor column(double... values) {
        return Tensor.of(values, values.length, 1);
    }

    @Test
    void workedByHand() {
        Tensor features = column(0, 1, 1);
        Tensor lambda = MomentConstraints.fit(prior(), features, Tensor.of(0.8), 0.5, 1e-11, 2000);
        assertEquals(Math.log(4), lambda.item(), 1e-9);
        Tensor p = prior().plus(features.matmul(lambda)).softmax(0);
        assertArrayEquals(new double[] {0.2, 0.48, 0.32}, p.toDoubles(), 1e-10);
    }

    @Test
    void severalMomentsOfEquallyLikelyDraws() {
        Tensor features = Tensor.of(new double[][] {{0, 1}, {1, 0}, {1, 1}, {0, 0}, {1, 0.5}});
        Tensor draws = Tensor.of(0, 0, 0, 0, 0);
        Tensor wanted = Tensor.of(0.75, 0.3);
        Tensor lambda = MomentConstraints.fit(draws, features, wanted, 0.5, 1e-10, 5000);
        Tensor p = features.matmul(lambda).softmax(0);
        assertArrayEquals(
                wanted.toDoubles(), p.unsqueeze(0).matmul(features).squeeze(0).toDoubles(), 1e-10);
    }

    @Test
    void meansThatAreMetAlreadyNeedNoTilt() {
        double[] lambda = MomentConstraints.fit(prior(), column(0, 1, 1), Tensor.of(0.5), 0.5, 0.01, 0)
                .toDoubles();
        assertArrayEquals(new double[] {0}, lambda);
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor features = column(0, 1, 1);
        Tensor half = Tensor.of(0.5);
        assertThrows( // no distribution over these features has that mean
                IllegalArgumentException.class,
                () -> MomentConstraints.fit(prior(), features, Tensor.of(1.5), 0.5, 0.01, 50));
        assertThrows(
                IllegalArgumentException.class,
                () -> MomentConstraints.fit(prior(), column(0, 1), half, 0.5, 0.01, 50));
        assertThrows(
                IllegalArgumentException.class,
                () -> MomentConstraints.fit(prior(), features, Tensor.of(0.5, 0.5), 0.5, 0.01, 50));
        assertThrows(IllegalArgumentException.class, () -> MomentConstraints.fit(prior(), features, half, 0, 0.01, 50));
    }
}

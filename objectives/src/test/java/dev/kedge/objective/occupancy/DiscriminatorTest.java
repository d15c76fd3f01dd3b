package dev.kedge.objective.occupancy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class DiscriminatorTest {
    private static final double[] CURRENT = {0.3, -0.2};
    private static final double[] REFERENCE = {-0.5, 0.1, 2};

    private interface Objective {
        Loss of(Tensor current, Tensor reference, long currentInStep, long referenceInStep);
    }

    private static double softplus(double x) {
        return Math.log1p(Math.exp(x));
    }

    @Test
    void workedByHand() {
        double loss = Discriminator.logistic(Tensor.of(CURRENT), Tensor.of(-0.5, 0.1), 2, 2)
                .value()
                .item();
        assertEquals(1.28548388, loss, 5e-9);
    }

    @Test
    void eachSideHasAMeanOfItsOwn() {
        double logistic = (softplus(-0.3) + softplus(0.2)) / 2 + (softplus(-0.5) + softplus(0.1) + softplus(2)) / 3;
        double variation = (Math.tanh(-0.3) + Math.tanh(0.2)) / 2
                + (Math.tanh(-0.5) + Math.tanh(0.1) + Math.tanh(2)) / 3
                + 0.01 * ((0.09 + 0.04) / 2 + (0.25 + 0.01 + 4) / 3);
        Tensor current = Tensor.of(CURRENT);
        Tensor reference = Tensor.of(REFERENCE);
        assertEquals(
                logistic,
                Discriminator.logistic(current, reference, 2, 3).value().item(),
                1e-15);
        assertEquals(
                variation,
                Discriminator.totalVariation(current, reference, 2, 3).value().item(),
                1e-15);
        Loss metrics = Discriminator.wasserstein(current, reference, 4, 6);
        assertArrayEquals(
                new double[] {-0.3, 0.2}, metrics.metric("loss/current").toDoubles());
        assertArrayEquals(REFERENCE, metrics.metric("loss/reference").toDoubles());
        assertEquals(
                1.6 / 3 - 0.05,
                Discriminator.wasserstein(current, reference, 2, 3).value().item(),
                1e-15);
    }

    @Test
    void theOptimumOfTheLogisticLossIsTheLogRatio() {
        double[] p = {0.2, 0.3, 0.5};
        double[] q = {0.7, 0.2, 0.1};
        double[] ratio = new double[3];
        for (int i = 0; i < 3; i++) {
            ratio[i] = Math.log(p[i] / q[i]);
        }
        Tensor d = Tensor.of(ratio).requiresGrad();
        Tensor loss = Tensor.of(p)
                .times(Functional.softplus(d.neg()))
                .plus(Tensor.of(q).times(Functional.softplus(d)));
        loss.sum().backward(); // the loss over all steps, each as often as it is visited
        assertArrayEquals(new double[3], d.grad().toDoubles(), 1e-16);
        Tensor ten =
                Tensor.of(d.toDoubles()[0], d.toDoubles()[0], d.toDoubles()[1]).requiresGrad();
        Discriminator.logistic(ten.narrow(0, 0, 2), ten.narrow(0, 2, 1), 10, 10)
                .value()
                .backward();
        double[] expected = {-sigmoid(-ratio[0]) / 10, -sigmoid(-ratio[0]) / 10, sigmoid(ratio[1]) / 10};
        assertArrayEquals(expected, ten.grad().toDoubles(), 1e-15);
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    @Test
    void partsAddUpAndGradientsEqualCentralDifferences() {
        Objective[] all = {Discriminator::logistic, Discriminator::totalVariation, Discriminator::wasserstein};
        for (Objective objective : all) {
            double whole = objective
                    .of(Tensor.of(CURRENT), Tensor.of(REFERENCE), 2, 3)
                    .value()
                    .item();
            double first = objective
                    .of(Tensor.of(0.3), Tensor.of(-0.5, 0.1), 2, 3)
                    .value()
                    .item();
            double second =
                    objective.of(Tensor.of(-0.2), Tensor.of(2.0), 2, 3).value().item();
            assertEquals(whole, first + second, 1e-15);
            CentralDifferences.assertGradient(
                    CURRENT, d -> objective.of(d, Tensor.of(REFERENCE), 2, 3).value(), 1e-9);
            CentralDifferences.assertGradient(
                    REFERENCE, d -> objective.of(Tensor.of(CURRENT), d, 2, 3).value(), 1e-9);
        }
    }

    @Test
    void extremeScoresStayFinite() {
        double loss = Discriminator.logistic(Tensor.of(-900.0), Tensor.of(900.0), 1, 1)
                .value()
                .item();
        assertEquals(1800, loss, 1e-9);
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor two = Tensor.of(CURRENT);
        refused("currentInStep", () -> Discriminator.logistic(two, two, 1, 2));
        refused("referenceInStep", () -> Discriminator.logistic(two, two, 2, 1));
        refused("current", () -> Discriminator.totalVariation(two.unsqueeze(1), two, 2, 2));
        refused("reference", () -> Discriminator.wasserstein(two, two.unsqueeze(1), 2, 2));
        refused("reference", () -> Discriminator.logistic(two, two.unsqueeze(1), 2, 2));
    }
}

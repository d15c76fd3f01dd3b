package dev.kedge.objective.demonstration;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class BehaviorCloningTest {
    /// Three demonstrations of two steps among three states and two actions.
    private static Tensor counts() {
        Tensor states = Tensor.of(new long[] {0, 2, 0, 1, 0, 2}, 3, 2);
        Tensor actions = Tensor.of(new long[] {0, 1, 1, 0, 0, 1}, 3, 2);
        return BehaviorCloning.counts(states, actions, 3, 2);
    }

    @Test
    void countsEachStepApart() {
        assertArrayEquals(new long[] {2, 3, 2}, counts().shape());
        assertArrayEquals(new double[] {2, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2}, counts().toDoubles());
    }

    @Test
    void oneStateAndOneActionAreEnough() {
        Tensor zeros = Tensor.of(new long[2], 1, 2);
        assertArrayEquals(
                new double[] {1, 1}, BehaviorCloning.counts(zeros, zeros, 1, 1).toDoubles());
    }

    @Test
    void countsAreConstants() {
        Tensor counts = counts().requiresGrad();
        Tensor logPolicy = BehaviorCloning.policy(counts(), 1).log().requiresGrad();
        BehaviorCloning.loss(logPolicy, counts, 1).value().backward();
        assertNull(counts.grad());
    }

    @Test
    void laplaceAddsOneOfEachAction() {
        double[] policy = BehaviorCloning.policy(counts(), 1).toDoubles();
        assertArrayEquals(
                new double[] {0.6, 0.4, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 2 / 3.0, 1 / 3.0, 0.25, 0.75}, policy, 1e-15);
        double[] plain = BehaviorCloning.policy(counts(), 0).toDoubles();
        assertArrayEquals(new double[] {2 / 3.0, 1 / 3.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 0, 0, 1}, plain, 1e-15);
    }

    @Test
    void withoutDemonstrationsThePolicyIsUniform() {
        Tensor none = counts().zerosLike();
        for (double smoothing : new double[] {0, 1}) {
            assertEquals(6, BehaviorCloning.policy(none, smoothing).sum().item());
            assertEquals(
                    3, BehaviorCloning.policy(none, smoothing).square().sum().item());
        }
    }

    @Test
    void theLossIsLeastAtTheSmoothedCounts() {
        double smoothing = 0.7;
        Tensor logits = BehaviorCloning.policy(counts(), smoothing).log().requiresGrad();
        BehaviorCloning.loss(logits.logSoftmax(2), counts(), smoothing).value().backward();
        assertArrayEquals(new double[12], logits.grad().toDoubles(), 1e-14);
    }

    @Test
    void equalsTheEquation() {
        double[] logits = {0.1, -0.4, 2, 1, 0, 0, -1, 0.3, 0.2, 0.5, -0.6, 0.9};
        double[] logPolicy = Tensor.of(logits, 2, 3, 2).logSoftmax(2).toDoubles();
        double[] n = counts().toDoubles();
        double sum = 0;
        for (int i = 0; i < 12; i++) {
            sum -= (n[i] + 1) * logPolicy[i];
        }
        Tensor policy = Tensor.of(logPolicy, 2, 3, 2);
        assertEquals(sum, BehaviorCloning.loss(policy, counts(), 1).value().item(), 1e-13);
        CentralDifferences.assertGradient(
                logits, x -> BehaviorCloning.loss(x.logSoftmax(2), counts(), 1).value(), 1e-9, 2, 3, 2);
    }

    @Test
    void actionsThatNeitherCountNorAreSmoothedReachNothing() {
        Tensor logPolicy = BehaviorCloning.policy(counts(), 0).log().requiresGrad();
        var loss = BehaviorCloning.loss(logPolicy, counts(), 0);
        loss.value().backward();
        assertArrayEquals(new long[] {2, 3}, loss.metric("loss").shape());
        assertEquals(loss.value().item(), loss.metric("loss").sum().item(), 1e-15);
        assertEquals(2 * Math.log(1.5) + Math.log(3), loss.value().item(), 1e-15);
        assertEquals(12, logPolicy.grad().isFinite().sum().item());
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor index = Tensor.of(new long[] {0, 2}, 1, 2);
        refused("states", () -> BehaviorCloning.counts(index, index, 2, 3));
        refused("actions", () -> BehaviorCloning.counts(index, index, 3, 2));
        refused("states", () -> BehaviorCloning.counts(index.neg().to(DType.INT64), index, 3, 3));
        refused("smoothing", () -> BehaviorCloning.policy(counts(), -1));
        refused("logPolicy", () -> BehaviorCloning.loss(index, counts(), 1));
        refused("counts", () -> BehaviorCloning.policy(index, 1));
        refused("counts", () -> BehaviorCloning.loss(index, index, 1));
        refused("states", () -> BehaviorCloning.counts(index.select(0, 0), index, 3, 3));
        refused("actions", () -> BehaviorCloning.counts(index, index.t(), 3, 3));
        refused(
                "states must lie in 0..-1",
                () -> BehaviorCloning.counts(index.narrow(1, 0, 0), index.narrow(1, 0, 0), 0, 1));
    }
}

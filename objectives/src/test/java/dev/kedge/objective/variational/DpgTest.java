package dev.kedge.objective.variational;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class DpgTest {
    private static final double[] PRIOR = {0.5, 0.3, 0.2};
    private static final double[] POLICY = {0.2, 0.3, 0.5};
    private static final double[] CONSTRAINT = {1, 0, 1};
    private static final int[] DRAWN = {0, 1, 2, 2};

    private static Tensor drawn(double... probabilities) {
        return all(probabilities).indexSelect(0, Tensor.of(DRAWN, 4));
    }

    private static Tensor all(double... probabilities) {
        return Tensor.of(probabilities).log();
    }

    private static Tensor logTarget() {
        return drawn(PRIOR).plus(drawn(CONSTRAINT));
    }

    @Test
    void workedByHand() {
        Tensor weights = Dpg.weights(logTarget(), drawn(PRIOR));
        assertArrayEquals(new double[] {1, 0, 1, 1}, weights.toDoubles(), 1e-15);
        Tensor logProbs = drawn(POLICY);
        Loss loss = Dpg.dpg(logProbs, weights, 4);
        assertEquals(0.74893307, loss.value().item(), 5e-9);
        assertEquals(4 * 0.74893307, loss.metric("loss").sum().item(), 2e-8);
        assertArrayEquals(weights.toDoubles(), loss.metric("weight").toDoubles());
        Tensor target = logTarget().requiresGrad();
        assertFalse(Dpg.weights(target, target).hasGradientGraph());
        assertArrayEquals(
                new double[] {0.7, -0.75, -0.875, -0.875},
                Dpg.advantages(logTarget(), drawn(PRIOR), logProbs, 0.75).toDoubles(),
                1e-15);
        TargetEstimates estimates = TargetEstimates.of(logTarget(), drawn(PRIOR), logProbs);
        assertEquals(0.75, estimates.normaliser().item(), 1e-15);
        assertEquals(Math.sqrt(0.1875), estimates.weightStd().item(), 1e-15);
        assertEquals(0.25, estimates.tvdProposal().item(), 1e-15);
        assertEquals(-0.01774817, estimates.klPolicy().item(), 5e-9);
    }

    /// Over outcomes weighted by the proposal the estimates are the divergences.
    @Test
    void averagesToTheDivergencesAndToTheGradientOfTheForwardKl() {
        double[] proposal = {0.4, 0.35, 0.25};
        Tensor q = Tensor.of(proposal);
        Tensor logTarget = all(PRIOR).plus(Tensor.of(0, 1.5, -0.5));
        Tensor logP = logTarget.logSoftmax(0);
        double z = logTarget.exp().sum().item();
        Tensor logits = all(POLICY).requiresGrad();
        Tensor logProbs = logits.logSoftmax(0);
        Tensor weights = Dpg.weights(logTarget, all(proposal)).times(q); // as often as the proposal draws
        Dpg.dpg(logProbs, weights.times(3 / z), 3).value().backward();
        Tensor direct = all(POLICY).requiresGrad();
        new ForwardKl().categorical(direct.logSoftmax(0), logP).backward();
        assertArrayEquals(direct.grad().toDoubles(), logits.grad().toDoubles(), 1e-15);

        int[] rows = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2}; // 8, 7 and 5 of twenty
        Tensor index = Tensor.of(rows, 20);
        TargetEstimates estimates = TargetEstimates.of(
                logTarget.indexSelect(0, index),
                all(proposal).indexSelect(0, index),
                all(POLICY).indexSelect(0, index));
        assertEquals(z, estimates.normaliser().item(), 1e-14);
        assertEquals(
                new ForwardKl().categorical(all(proposal), logP).item(),
                estimates.klProposal().item(),
                1e-14);
        assertEquals(
                new ForwardKl().categorical(all(POLICY), logP).item(),
                estimates.klPolicy().item(),
                1e-14);
        double tvd = Math.abs(POLICY[0] - Math.exp(logP.toDoubles()[0]));
        tvd += Math.abs(POLICY[1] - Math.exp(logP.toDoubles()[1]));
        tvd += Math.abs(POLICY[2] - Math.exp(logP.toDoubles()[2]));
        assertEquals(tvd / 2, estimates.tvdPolicy().item(), 1e-14);
        assertEquals(
                logP.exp().minus(q).abs().sum().item() / 2,
                estimates.tvdProposal().item(),
                1e-14);
    }

    @Test
    void theBaselineChangesNoMeanAndTakesAllVarianceAtTheTarget() {
        double[] proposal = {0.4, 0.35, 0.25};
        Tensor logTarget = all(PRIOR).plus(Tensor.of(0, 1.5, -0.5));
        double z = logTarget.exp().sum().item();
        Tensor q = Tensor.of(proposal);
        double[][] gradients = new double[2][];
        for (int i = 0; i < 2; i++) {
            Tensor logits = all(POLICY).requiresGrad();
            Tensor logProbs = logits.logSoftmax(0);
            Tensor weights = i == 0
                    ? Dpg.weights(logTarget, all(proposal))
                    : Dpg.advantages(logTarget, all(proposal), logProbs, z);
            Dpg.dpg(logProbs, weights.times(q), 3).value().backward();
            gradients[i] = logits.grad().toDoubles();
        }
        assertArrayEquals(gradients[0], gradients[1], 1e-15);
        Tensor atTarget = Dpg.advantages(logTarget, all(proposal), logTarget.logSoftmax(0), z);
        assertArrayEquals(new double[3], atTarget.toDoubles(), 1e-15);
    }

    @Test
    void anAnswerWithoutWeightReachesNothing() {
        Tensor logProbs = Tensor.of(Double.NEGATIVE_INFINITY, -1).requiresGrad();
        Tensor weights = Dpg.weights(Tensor.of(Double.NEGATIVE_INFINITY, -2), Tensor.of(-3, -2));
        Loss loss = Dpg.dpg(logProbs, weights, 2);
        loss.value().backward();
        assertEquals(0.5, loss.value().item());
        assertArrayEquals(new double[] {0, -0.5}, logProbs.grad().toDoubles());
    }

    @Test
    void partsAddUpAndWeightsAreConstants() {
        double[] at = {-1.2, -0.4, -2};
        Tensor weights = Tensor.of(0.3, -1.5, 2);
        double whole = Dpg.dpg(Tensor.of(at), weights, 3).value().item();
        double parts = Dpg.dpg(Tensor.of(at).narrow(0, 0, 1), weights.narrow(0, 0, 1), 3)
                        .value()
                        .item()
                + Dpg.dpg(Tensor.of(at).narrow(0, 1, 2), weights.narrow(0, 1, 2), 3)
                        .value()
                        .item();
        assertEquals(whole, parts, 1e-15);
        CentralDifferences.assertGradient(at, x -> Dpg.dpg(x, weights, 3).value(), 1e-9);
        Tensor leaf = Tensor.of(at).requiresGrad();
        Dpg.dpg(leaf, leaf, 3).value().backward();
        assertArrayEquals(new double[] {0.4, 0.4 / 3, 2 / 3.0}, leaf.grad().toDoubles(), 1e-15);
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor two = Tensor.of(1, 2);
        Tensor three = Tensor.of(1, 2, 3);
        refused("logProposal", () -> Dpg.weights(two, three));
        refused("weights", () -> Dpg.dpg(two, three, 3));
        refused("logTarget", () -> Dpg.weights(two.unsqueeze(0), two.unsqueeze(0)));
        refused("logProbs", () -> Dpg.dpg(two.unsqueeze(0), two.unsqueeze(0), 3));
        refused("answersInStep", () -> Dpg.dpg(two, two, 1));
        refused("normaliser", () -> Dpg.advantages(two, two, two, 0));
        refused("logProbs", () -> TargetEstimates.of(two, two, three));
    }
}

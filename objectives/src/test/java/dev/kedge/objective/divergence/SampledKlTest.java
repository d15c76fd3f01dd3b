package dev.kedge.objective.divergence;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.objective.InScope;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Tensor;
import java.util.function.BinaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Expectations over all outcomes of a small categorical, so that bias is seen exactly.
@ExtendWith(InScope.class)
class SampledKlTest {
    private static final double[] P = {0.5, 0.3, 0.2};
    private static final double[] Q = {0.2, 0.3, 0.5};
    private static final double KL = 0.27488722; // Σ p log p/q, also by hand below
    private static final double[] GRADIENT = {0.32070176, -0.08246617, -0.23823559}; // p (log p/q - KL)
    private static final double PUBLISHED = 5e-9; // eight decimals are given

    private Tensor logitsP;
    private Tensor logitsQ;
    private Tensor logP;
    private Tensor logQ;

    @BeforeEach
    void distributions() {
        logitsP = Tensor.of(P).log().detach().requiresGrad();
        logitsQ = Tensor.of(Q).log().detach().requiresGrad();
        logP = logitsP.logSoftmax(0);
        logQ = logitsQ.logSoftmax(0);
    }

    /// E_P over outcomes, the outcomes being fixed draws: p does not carry a gradient here.
    private static Tensor expectation(Tensor perOutcome) {
        return Tensor.of(P).times(perOutcome).sum();
    }

    private double value(BinaryOperator<Tensor> estimator) {
        return expectation(estimator.apply(logP, logQ)).item();
    }

    /// What differentiating the estimate at fixed draws gives on average.
    private double[] pathwise(BinaryOperator<Tensor> estimator) {
        expectation(estimator.apply(logP, logQ)).backward();
        return logitsP.grad().toDoubles();
    }

    /// The same with `E_P[k ∇log P]` added: the gradient of E_P[k].
    private double[] withScoreFunction(BinaryOperator<Tensor> estimator) {
        Tensor k = estimator.apply(logP, logQ);
        expectation(k.plus(k.detach().times(logP))).backward();
        return logitsP.grad().toDoubles();
    }

    private double[] trueGradient(Tensor kl, Tensor logits) {
        return Functional.gradients(kl, null, logits)[0].toDoubles();
    }

    @Test
    void theOracleItself() {
        double kl = 0;
        for (int i = 0; i < P.length; i++) {
            kl += P[i] * Math.log(P[i] / Q[i]);
        }
        assertEquals(KL, kl, PUBLISHED);
        Tensor exact = new ReverseKl().categorical(logP, logQ);
        assertEquals(kl, exact.item(), 1e-15);
        assertArrayEquals(GRADIENT, trueGradient(exact, logitsP), PUBLISHED);
    }

    @Test
    void valuesOfK1AndK3AreUnbiasedThatOfK2IsNot() {
        assertEquals(KL, value(SampledKl::k1), PUBLISHED);
        assertEquals(KL, value(SampledKl::k3), PUBLISHED);
        assertEquals(0.29385605, value(SampledKl::k2), PUBLISHED);
    }

    @Test
    void variancesAreThePublishedOnes() {
        double[] variances = {0.51214911, 0.03700773, 0.04260023};
        Tensor[] estimates = {SampledKl.k1(logP, logQ), SampledKl.k2(logP, logQ), SampledKl.k3(logP, logQ)};
        for (int i = 0; i < variances.length; i++) {
            double mean = expectation(estimates[i]).item();
            assertEquals(variances[i], expectation(estimates[i].square()).item() - mean * mean, PUBLISHED);
        }
    }

    @Test
    void k1AtFixedDrawsHasNoGradient() {
        assertArrayEquals(new double[3], pathwise(SampledKl::k1), 1e-15);
    }

    @Test
    void k2AtFixedDrawsHasTheGradientOfTheKl() {
        assertArrayEquals(GRADIENT, pathwise(SampledKl::k2), PUBLISHED);
    }

    @Test
    void k3AtFixedDrawsHasTheGradientOfTheOtherKl() {
        double[] other = trueGradient(new ForwardKl().categorical(logP, logQ), logitsP);
        assertArrayEquals(new double[] {0.3, 0, -0.3}, other, 1e-15);
        assertArrayEquals(other, pathwise(SampledKl::k3), 1e-15);
    }

    @Test
    void k1WithItsScoreFunctionPartHasTheGradientOfTheKl() {
        assertArrayEquals(GRADIENT, withScoreFunction(SampledKl::k1), PUBLISHED);
    }

    @Test
    void k3WithItsScoreFunctionPartHasTheGradientOfTheKl() {
        assertArrayEquals(GRADIENT, withScoreFunction(SampledKl::k3), PUBLISHED);
    }

    @Test
    void k2WithItsScoreFunctionPartHasTheGradientOfItsOwnBiasedValue() {
        Tensor p = logP.exp();
        double[] ofValue = trueGradient(p.times(logP.minus(logQ).square()).sum().times(0.5), logitsP);
        assertArrayEquals(ofValue, withScoreFunction(SampledKl::k2), 1e-15);
    }

    @Test
    void theUnbiasedOneIsSoInValueAndInBothGradients() {
        Tensor exact = new ReverseKl().categorical(logP, logQ);
        Tensor estimate = expectation(SampledKl.unbiased(logP, logQ));
        assertEquals(exact.item(), estimate.item(), 1e-15);
        assertArrayEquals(trueGradient(exact, logitsP), trueGradient(estimate, logitsP), 1e-15);
        assertArrayEquals(trueGradient(exact, logitsQ), trueGradient(estimate, logitsQ), 1e-15);
    }

    @Test
    void theUnbiasedGradientIsThatOfK3WithItsScoreFunctionPartOutcomeByOutcome() {
        for (int outcome = 0; outcome < P.length; outcome++) {
            Tensor p = logP.narrow(0, outcome, 1);
            Tensor q = logQ.narrow(0, outcome, 1);
            Tensor k3 = SampledKl.k3(p, q);
            double[] full = trueGradient(k3.plus(k3.detach().times(p)).sum(), logitsP);
            assertArrayEquals(full, trueGradient(SampledKl.unbiased(p, q).sum(), logitsP), 1e-15);
        }
    }

    @Test
    void knownValuesOfK3() {
        assertEquals(0.01873075, SampledKl.k3(Tensor.of(-0.5), Tensor.of(-0.7)).item(), PUBLISHED);
        assertEquals(0.71828183, SampledKl.k3(Tensor.of(-2.0), Tensor.of(-1.0)).item(), PUBLISHED);
    }

    @Test
    void k3KeepsSmallDifferences() { // exp(-d) - 1 + d by itself would lose d² = 1e-16 to rounding
        assertEquals(5e-17, SampledKl.k3(Tensor.of(1e-8), Tensor.of(0.0)).item(), 1e-23);
    }

    @Test
    void unequalShapesAreRefused() {
        refused("logQ", () -> SampledKl.k1(Tensor.of(0.0), Tensor.of(0, 0)));
        refused("logQ", () -> SampledKl.unbiased(Tensor.of(0.0), Tensor.of(0, 0)));
    }
}

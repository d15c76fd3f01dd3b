package dev.kedge.objective.preference;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.AlphaDivergence;
import dev.kedge.objective.divergence.BarrierDivergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.JensenShannon;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.tensor.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(InScope.class)
class FDpoTest {
    private static final double BETA = 0.2;

    static Stream<BarrierDivergence> divergences() {
        return Stream.of(new ReverseKl(), new ForwardKl(), new JensenShannon(), new AlphaDivergence(0.4));
    }

    /// Divergence, margin, loss, and the gradients in log π(y_w) and log π(y_l), at x_w = 0.5 and x_l = -0.3.
    static Stream<Arguments> workedExamples() {
        return Stream.of(
                Arguments.of(new ReverseKl(), 0.8, 0.61634377, -0.09201702, 0.09201702),
                Arguments.of(new ForwardKl(), 0.74332815, 0.62157451, -0.05615284, 0.12497044),
                Arguments.of(new JensenShannon(), 0.38027826, 0.65584224, -0.03631905, 0.05526082),
                Arguments.of(new AlphaDivergence(0.4), 0.77191525, 0.61893197, -0.07556569, 0.10406361));
    }

    @ParameterizedTest
    @MethodSource("workedExamples")
    void workedExample(
            BarrierDivergence divergence, double margin, double loss, double gradChosen, double gradRejected) {
        Tensor chosen = Tensor.of(0.5 - 1).requiresGrad();
        Tensor rejected = Tensor.of(-0.3 - 1).requiresGrad();
        var lp = new PreferenceLogProbs(chosen, rejected, Tensor.of(-1.0), Tensor.of(-1.0));
        Loss got = FDpo.fDpo(lp, divergence, BETA, 1);
        got.value().backward();
        double reached = got.metric("reward/chosen").item()
                - got.metric("reward/rejected").item();
        assertEquals(margin, reached / BETA, 5e-9);
        assertEquals(loss, got.value().item(), 5e-9);
        assertEquals(gradChosen, chosen.grad().item(), 5e-9);
        assertEquals(gradRejected, rejected.grad().item(), 5e-9);
    }

    @Test
    void reverseKlIsDpoToTheLastBit() {
        assertEquals(
                Dpo.dpo(Pairs.all(), BETA, 3).value().item(),
                FDpo.fDpo(Pairs.all(), new ReverseKl(), BETA, 3).value().item());
    }

    @Test
    void smallAlphaTendsToReverseKl() {
        assertEquals(
                Dpo.dpo(Pairs.all(), BETA, 3).value().item(),
                FDpo.fDpo(Pairs.all(), new AlphaDivergence(1e-4), BETA, 3)
                        .value()
                        .item(),
                1e-3);
    }

    @Test
    void alphaNearOneTendsToForwardKl() {
        assertEquals(
                FDpo.fDpo(Pairs.all(), new ForwardKl(), BETA, 3).value().item(),
                FDpo.fDpo(Pairs.all(), new AlphaDivergence(1 - 1e-12), BETA, 3)
                        .value()
                        .item(),
                1e-10);
    }

    @ParameterizedTest
    @MethodSource("divergences")
    void atTheReferenceTheLossIsLogTwoAndTheGradientKnown(BarrierDivergence divergence) {
        Tensor chosen = Tensor.of(Pairs.REF_CHOSEN).requiresGrad();
        Tensor rejected = Tensor.of(Pairs.REF_REJECTED).requiresGrad();
        var lp = new PreferenceLogProbs(chosen, rejected, chosen, rejected);
        Tensor value = FDpo.fDpo(lp, divergence, BETA, 3).value();
        value.backward();
        double slope = divergence instanceof JensenShannon ? 0.5 : 1;
        assertEquals(Math.log(2), value.item(), 1e-15);
        assertEquals(-BETA / 2 * slope / 3, chosen.grad().toDoubles()[1], 1e-15);
        assertEquals(BETA / 2 * slope / 3, rejected.grad().toDoubles()[1], 1e-15);
    }

    @ParameterizedTest
    @MethodSource("divergences")
    void gradientEqualsCentralDifferences(BarrierDivergence divergence) {
        CentralDifferences.assertGradient(
                new double[] {-1.0, -4.5, -2.0, -3.0, -2.0, -1.0},
                x -> FDpo.fDpo(
                                new PreferenceLogProbs(
                                        x.narrow(0, 0, 3),
                                        x.narrow(0, 3, 3),
                                        Tensor.of(Pairs.REF_CHOSEN),
                                        Tensor.of(Pairs.REF_REJECTED)),
                                divergence,
                                BETA,
                                3)
                        .value(),
                1e-9);
    }

    @ParameterizedTest
    @MethodSource("divergences")
    void onlyTheReverseKlIgnoresAConstantInBothLogRatios(BarrierDivergence divergence) {
        double at = FDpo.fDpo(Pairs.ofLogRatios(0.5, -0.3), divergence, BETA, 1)
                .value()
                .item();
        double shifted = FDpo.fDpo(Pairs.ofLogRatios(1.5, 0.7), divergence, BETA, 1)
                .value()
                .item();
        if (divergence instanceof ReverseKl) {
            assertEquals(at, shifted, 1e-15);
        } else {
            assertTrue(Math.abs(at - shifted) > 1e-3, divergence + " changes by " + (at - shifted));
        }
    }

    @ParameterizedTest
    @MethodSource("divergences")
    void withinItsBoundTheClampChangesNothing(BarrierDivergence divergence) {
        assertEquals(
                FDpo.fDpo(Pairs.all(), divergence, BETA, 3).value().item(),
                FDpo.clamped(Pairs.all(), divergence, BETA, 80, 3).value().item());
    }

    @Test
    void theClampHoldsTheExponentAndDropsTheGradient() {
        Tensor chosen = Tensor.of(-1000.0).requiresGrad();
        var lp = new PreferenceLogProbs(chosen, Tensor.of(0.0), Tensor.of(0.0), Tensor.of(0.0));
        Loss loss = FDpo.clamped(lp, new AlphaDivergence(0.5), BETA, 10, 1);
        loss.value().backward();
        assertEquals(-BETA * Math.exp(10) / 0.5, loss.metric("reward/chosen").item(), 1e-9);
        assertEquals(0, chosen.grad().item());
    }

    @Test
    void anOverflowShowsInTheRewards() {
        Loss loss = FDpo.fDpo(Pairs.ofLogRatios(0, -800), new ForwardKl(), BETA, 1);
        assertArrayEquals(
                new double[] {Double.NEGATIVE_INFINITY},
                loss.metric("reward/rejected").toDoubles());
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1, -0.5, 1.5, Double.NaN})
    void anAlphaOutsideZeroToOneIsRefused(double alpha) {
        refused("alpha", () -> new AlphaDivergence(alpha));
    }

    @Test
    void badArgumentsAreRefused() {
        var d = new JensenShannon();
        refused("beta", () -> FDpo.fDpo(Pairs.all(), d, 0, 3));
        refused("beta", () -> FDpo.fDpo(Pairs.all(), d, Double.POSITIVE_INFINITY, 3));
        refused("pairsInStep", () -> FDpo.fDpo(Pairs.all(), d, BETA, 2));
        refused("maxExponent", () -> FDpo.clamped(Pairs.all(), d, BETA, 0, 3));
    }
}

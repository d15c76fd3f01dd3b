package dev.kedge.objective.preference;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(InScope.class)
class DpoTest {
    private static final double BETA = 0.3;

    /// `-log σ(z)`, in plain doubles.
    private static double nll(double z) {
        return Math.log1p(Math.exp(-z));
    }

    @Test
    void equalsTheEquation() {
        double oracle = Pairs.meanOver(i -> nll(BETA * Pairs.logRatioMargin(i)));
        assertEquals(oracle, Dpo.dpo(Pairs.all(), BETA, 3).value().item(), 1e-14);
    }

    @Test
    void gradientEqualsCentralDifferences() {
        CentralDifferences.assertGradient(
                Pairs.CHOSEN,
                w -> Dpo.dpo(
                                new PreferenceLogProbs(
                                        w,
                                        Tensor.of(Pairs.REJECTED),
                                        Tensor.of(Pairs.REF_CHOSEN),
                                        Tensor.of(Pairs.REF_REJECTED)),
                                BETA,
                                3)
                        .value(),
                1e-9);
    }

    @Test
    void splittingTheStepUnevenlyLeavesTheLossUnchanged() {
        double whole = Dpo.dpo(Pairs.all(), BETA, 3).value().item();
        double first = Dpo.dpo(Pairs.range(0, 1), BETA, 3).value().item();
        double rest = Dpo.dpo(Pairs.range(1, 3), BETA, 3).value().item();
        assertEquals(whole, first + rest, 1e-14);
    }

    @Test
    void theReferenceIsAConstant() { // without detach() the two gradients would cancel
        Tensor chosen = Tensor.of(Pairs.CHOSEN).requiresGrad();
        Tensor rejected = Tensor.of(Pairs.REJECTED).requiresGrad();
        Dpo.dpo(new PreferenceLogProbs(chosen, rejected, chosen, rejected), BETA, 3)
                .value()
                .backward();
        assertArrayEquals(
                new double[] {-BETA / 6, -BETA / 6, -BETA / 6}, chosen.grad().toDoubles(), 1e-15);
        assertArrayEquals(
                new double[] {BETA / 6, BETA / 6, BETA / 6}, rejected.grad().toDoubles(), 1e-15);
    }

    @Test
    void metricsAreTheImplicitRewardsOfEachPair() {
        Loss loss = Dpo.dpo(Pairs.all(), BETA, 30);
        assertArrayEquals(
                new double[] {0.15, -0.45, 0}, loss.metric("reward/chosen").toDoubles(), 1e-15);
        assertArrayEquals(
                new double[] {-0.3, 0.15, 0}, loss.metric("reward/rejected").toDoubles(), 1e-15);
        assertArrayEquals(
                new double[] {1, 0, 0.5}, loss.metric("reward/accuracy").toDoubles());
        assertArrayEquals(
                new double[] {nll(0.45), nll(-0.6), nll(0)}, loss.metric("loss").toDoubles(), 1e-14);
    }

    @Test
    void exchangingTheAnswersNegatesTheMargin() {
        var lp = Pairs.all();
        var swapped = new PreferenceLogProbs(lp.rejected(), lp.chosen(), lp.refRejected(), lp.refChosen());
        double difference = Dpo.dpo(swapped, BETA, 3).value().item()
                - Dpo.dpo(lp, BETA, 3).value().item();
        assertEquals(
                Pairs.meanOver(i -> BETA * Pairs.logRatioMargin(i)),
                difference,
                1e-14); // softplus(z) - softplus(-z) = z
    }

    @ParameterizedTest
    @ValueSource(doubles = {-800, 800})
    void marginsThatOverflowExpStayExact(double margin) {
        Tensor chosen = Tensor.of(margin - 1).requiresGrad();
        var lp = new PreferenceLogProbs(chosen, Tensor.of(-1.0), Tensor.of(-1.0), Tensor.of(-1.0));
        Tensor value = Dpo.dpo(lp, 1, 1).value();
        value.backward();
        assertEquals(Math.max(0, -margin), value.item());
        assertEquals(margin < 0 ? -1 : 0, chosen.grad().item(), 1e-300); // -0.0 is 0
    }

    @Test
    void conservativeIsTheCrossEntropyWithSmoothedLabels() {
        double oracle = Pairs.meanOver(
                i -> 0.9 * nll(BETA * Pairs.logRatioMargin(i)) + 0.1 * nll(-BETA * Pairs.logRatioMargin(i)));
        assertEquals(oracle, Dpo.conservative(Pairs.all(), BETA, 0.1, 3).value().item(), 1e-14);
    }

    @Test
    void conservativeIsLeastWhereTheModelIsAsSureAsTheLabels() {
        double margin = Math.log(0.9 / 0.1); // σ(margin) = 1 - ε
        Tensor chosen = Tensor.of(margin - 1).requiresGrad();
        var lp = new PreferenceLogProbs(chosen, Tensor.of(-1.0), Tensor.of(-1.0), Tensor.of(-1.0));
        Dpo.conservative(lp, 1, 0.1, 1).value().backward();
        assertEquals(0, chosen.grad().item(), 1e-15);
    }

    @Test
    void robustIsUnbiasedUnderFlippedLabels() {
        double epsilon = 0.2;
        var lp = Pairs.all();
        var flipped = new PreferenceLogProbs(lp.rejected(), lp.chosen(), lp.refRejected(), lp.refChosen());
        double expectation = (1 - epsilon)
                        * Dpo.robust(lp, BETA, epsilon, 3).value().item()
                + epsilon * Dpo.robust(flipped, BETA, epsilon, 3).value().item();
        assertEquals(Dpo.dpo(lp, BETA, 3).value().item(), expectation, 1e-14);
    }

    @Test
    void noFlippedLabelsIsDpoToTheLastBit() {
        double dpo = Dpo.dpo(Pairs.all(), BETA, 3).value().item();
        assertEquals(dpo, Dpo.conservative(Pairs.all(), BETA, 0, 3).value().item());
        assertEquals(dpo, Dpo.robust(Pairs.all(), BETA, 0, 3).value().item());
    }

    @Test
    void referenceFreeIsDpoAgainstAUniformReference() {
        Tensor w = Tensor.of(Pairs.CHOSEN);
        Tensor l = Tensor.of(Pairs.REJECTED);
        Tensor uniform = Tensor.of(-5.0, -5.0, -5.0);
        double oracle = Dpo.dpo(new PreferenceLogProbs(w, l, uniform, uniform), BETA, 3)
                .value()
                .item();
        assertEquals(oracle, Dpo.referenceFree(w, l, BETA, 3).value().item(), 1e-14);
    }

    @Test
    void lengthNormalizedTakesLogRatiosPerToken() {
        double[] w = {4, 2, 1};
        double[] l = {2, 5, 0}; // an answer without tokens: its mean is 0, not NaN
        double oracle = Pairs.meanOver(i -> nll(BETA
                * ((Pairs.CHOSEN[i] - Pairs.REF_CHOSEN[i]) / w[i]
                        - (Pairs.REJECTED[i] - Pairs.REF_REJECTED[i]) / Math.max(1, l[i]))));
        Tensor counts = Tensor.of(new long[] {2, 5, 0}, 3);
        Loss loss = Dpo.lengthNormalized(Pairs.all(), Tensor.of(w), counts, BETA, 3);
        assertEquals(oracle, loss.value().item(), 1e-14);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
    void aBetaOutOfRangeIsRefused(double beta) {
        var lp = Pairs.all();
        var e = assertThrows(IllegalArgumentException.class, () -> Dpo.dpo(lp, beta, 3));
        assertTrue(e.getMessage().contains("beta") && e.getMessage().contains(String.valueOf(beta)), e.getMessage());
        refused("beta", () -> Dpo.conservative(lp, beta, 0.1, 3));
        refused("beta", () -> Dpo.robust(lp, beta, 0.1, 3));
        refused("beta", () -> Dpo.referenceFree(lp.chosen(), lp.rejected(), beta, 3));
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 0.5, Double.NaN})
    void aFlipProbabilityOutOfRangeIsRefused(double epsilon) {
        var lp = Pairs.all();
        refused("flipProbability", () -> Dpo.conservative(lp, BETA, epsilon, 3));
        refused("flipProbability", () -> Dpo.robust(lp, BETA, epsilon, 3));
    }

    @Test
    void aDenominatorSmallerThanThePartIsRefused() {
        refused("pairsInStep", () -> Dpo.dpo(Pairs.all(), BETA, 2));
    }

    @Test
    void unequalShapesAreRefused() {
        Tensor three = Tensor.of(1, 2, 3);
        Tensor two = Tensor.of(1, 2);
        refused("rejected", () -> new PreferenceLogProbs(three, two, three, three));
        refused("refChosen", () -> new PreferenceLogProbs(three, three, two, three));
        refused("refRejected", () -> new PreferenceLogProbs(three, three, three, two));
        Tensor matrix = three.unsqueeze(0);
        refused("chosen", () -> new PreferenceLogProbs(matrix, matrix, matrix, matrix));
        refused("chosenTokens", () -> Pairs.all().lengthNormalized(two, three));
        refused("rejectedTokens", () -> Pairs.all().lengthNormalized(three, two));
    }

    @Test
    void float32StaysFloat32() {
        Tensor f = Tensor.of(new float[] {-1, -2}, 2);
        Loss loss = Dpo.lengthNormalized(new PreferenceLogProbs(f, f, f, f), Tensor.of(1, 2), Tensor.of(1, 2), BETA, 2);
        assertEquals(f.dtype(), loss.value().dtype());
        assertEquals(f.dtype(), loss.metric("reward/accuracy").dtype());
    }
}

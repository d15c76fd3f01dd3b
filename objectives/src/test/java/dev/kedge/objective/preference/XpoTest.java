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
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(InScope.class)
class XpoTest {
    private static final double ALPHA = 0.05;
    private static final double BETA = 0.3;
    private static final boolean[] POLICY_SAMPLE_IS_CHOSEN = {true, false, true};

    /// XPO on one preference loss or the other.
    enum Form {
        SIGMOID,
        IPO;

        Loss loss(PreferenceLogProbs lp, Tensor policySampleIsChosen, double alpha, double beta, long pairs) {
            return switch (this) {
                case SIGMOID -> Xpo.xpo(lp, policySampleIsChosen, alpha, beta, pairs);
                case IPO -> Xpo.ipo(lp, policySampleIsChosen, alpha, beta, pairs);
            };
        }

        /// In plain doubles, of `h = (w - refW) - (l - refL)`.
        double preference(double h) {
            return this == SIGMOID ? Math.log1p(Math.exp(-BETA * h)) : Math.pow(h - 1 / (2 * BETA), 2);
        }
    }

    static Stream<Form> forms() {
        return Stream.of(Form.values());
    }

    private static Tensor labels() {
        return Tensor.mask(POLICY_SAMPLE_IS_CHOSEN, 3);
    }

    private static double refSample(int i) {
        return POLICY_SAMPLE_IS_CHOSEN[i] ? Pairs.REJECTED[i] : Pairs.CHOSEN[i];
    }

    @ParameterizedTest
    @MethodSource("forms")
    void equalsTheEquation(Form form) {
        double oracle = Pairs.meanOver(i -> form.preference(Pairs.logRatioMargin(i)) + ALPHA * refSample(i));
        Loss loss = form.loss(Pairs.all(), labels(), ALPHA, BETA, 3);
        assertEquals(oracle, loss.value().item(), 1e-14);
        for (int i = 0; i < 3; i++) {
            assertEquals(
                    form.preference(Pairs.logRatioMargin(i)),
                    loss.metric("loss").toDoubles()[i],
                    1e-14);
            assertEquals(ALPHA * refSample(i), loss.metric("bonus").toDoubles()[i], 1e-16);
        }
    }

    @Test
    void workedExample() {
        Tensor policySample = Tensor.of(-4.0).requiresGrad();
        Tensor refSample = Tensor.of(-7.0).requiresGrad();
        Tensor chosen = Tensor.mask(new boolean[] {true}, 1);
        var lp = PreferenceLogProbs.judged(policySample, refSample, Tensor.of(-5.0), Tensor.of(-6.0), chosen);
        Loss loss = Xpo.xpo(lp, chosen, 0.05, 0.1, 1);
        loss.value().backward();
        assertEquals(0.59813887, loss.metric("loss").item(), 5e-9);
        assertEquals(-0.35, loss.metric("bonus").item(), 1e-15);
        assertEquals(0.24813887, loss.value().item(), 5e-9);
        assertEquals(-0.04501660, policySample.grad().item(), 5e-9);
        assertEquals(0.09501660, refSample.grad().item(), 5e-9);
    }

    @ParameterizedTest
    @MethodSource("forms")
    void alphaZeroIsOnlineDpoToTheLastBit(Form form) {
        Tensor chosen = Tensor.of(Pairs.CHOSEN).requiresGrad();
        Tensor bare = Tensor.of(Pairs.CHOSEN).requiresGrad();
        var all = Pairs.all();
        Tensor value = form.loss(
                        new PreferenceLogProbs(chosen, all.rejected(), all.refChosen(), all.refRejected()),
                        labels(),
                        0,
                        BETA,
                        3)
                .value();
        var lp = new PreferenceLogProbs(bare, all.rejected(), all.refChosen(), all.refRejected());
        Tensor without = (form == Form.SIGMOID ? Dpo.dpo(lp, BETA, 3) : Ipo.ipo(lp, BETA, 3)).value();
        value.backward();
        without.backward();
        assertEquals(without.item(), value.item());
        assertArrayEquals(bare.grad().toDoubles(), chosen.grad().toDoubles());
    }

    @Test
    void atTheReferenceTheLossIsLogTwoLessTheBonusAndTheGradientKnown() {
        Tensor policySample = Tensor.of(-1.0, -2.0).requiresGrad();
        Tensor refSample = Tensor.of(-3.0, -0.5).requiresGrad();
        Tensor label = Tensor.mask(new boolean[] {true, false}, 2);
        var lp = PreferenceLogProbs.judged(policySample, refSample, policySample, refSample, label);
        Tensor value = Xpo.xpo(lp, label, ALPHA, BETA, 2).value();
        value.backward();
        assertEquals(Math.log(2) + ALPHA * -3.5 / 2, value.item(), 1e-15);
        assertArrayEquals(
                new double[] {-BETA / 4, BETA / 4}, policySample.grad().toDoubles(), 1e-16);
        assertArrayEquals(
                new double[] {(ALPHA + BETA / 2) / 2, (ALPHA - BETA / 2) / 2},
                refSample.grad().toDoubles(),
                1e-16);
    }

    @ParameterizedTest
    @MethodSource("forms")
    void gradientEqualsCentralDifferences(Form form) {
        CentralDifferences.assertGradient(
                new double[] {-1.0, -4.5, -2.0, -3.0, -2.0, -1.0},
                x -> form.loss(
                                new PreferenceLogProbs(
                                        x.narrow(0, 0, 3),
                                        x.narrow(0, 3, 3),
                                        Tensor.of(Pairs.REF_CHOSEN),
                                        Tensor.of(Pairs.REF_REJECTED)),
                                labels(),
                                ALPHA,
                                BETA,
                                3)
                        .value(),
                1e-9);
    }

    /// `alpha·(counts - n·π)/n` on the logits. Both answers of a pair are the same arm, which leaves the bonus alone.
    @Test
    void theBonusRaisesTheArmsThatTheReferenceDidNotShow() {
        double[] logits = {0.4, -1, 0.3, 0};
        double[] counts = {2, 1, 2, 0};
        double[] gradient = bonusGradient(logits, 0, 0, 1, 2, 2);
        double sum = Arrays.stream(logits).map(Math::exp).sum();
        for (int arm = 0; arm < 4; arm++) {
            assertEquals(ALPHA * (counts[arm] / 5 - Math.exp(logits[arm]) / sum), gradient[arm], 1e-16);
        }
        assertTrue(gradient[3] < 0, "minimising raises the logit of the arm not shown");
    }

    @Test
    void aReferenceShownInFullPullsNowhere() {
        assertArrayEquals(new double[4], bonusGradient(new double[4], 0, 1, 2, 3), 1e-17);
    }

    private static double[] bonusGradient(double[] logits, long... arms) {
        Tensor leaf = Tensor.of(logits).requiresGrad();
        Tensor shown = leaf.logSoftmax(0).indexSelect(0, Tensor.of(arms, arms.length));
        Tensor label = shown.detach().zerosLike().eq(0);
        var lp = new PreferenceLogProbs(shown, shown, shown, shown);
        Xpo.xpo(lp, label, ALPHA, BETA, arms.length).value().backward();
        return leaf.grad().toDoubles();
    }

    /// It takes log π, not the log-ratio margin: a constant added to the policy does not cancel.
    @Test
    void aConstantAddedToThePolicyOnBothAnswersCountsInTheBonusAlone() {
        var all = Pairs.all();
        var shifted = new PreferenceLogProbs(
                all.chosen().plus(3), all.rejected().plus(3), all.refChosen(), all.refRejected());
        double difference = Xpo.xpo(shifted, labels(), ALPHA, BETA, 3).value().item()
                - Xpo.xpo(all, labels(), ALPHA, BETA, 3).value().item();
        assertEquals(3 * ALPHA, difference, 1e-14);
    }

    /// Two arms with data, one without: as that one's logit grows the loss falls without end.
    @Test
    void withoutABoundTheLossHasNoMinimum() {
        double before = Double.POSITIVE_INFINITY;
        for (double logit : new double[] {0, 10, 1e3, 1e6}) {
            Tensor logProbs = Tensor.of(0, 0, logit).logSoftmax(0);
            Tensor ref = Tensor.of(0, 0, 0).logSoftmax(0);
            var lp = new PreferenceLogProbs(
                    logProbs.narrow(0, 0, 1), logProbs.narrow(0, 1, 1), ref.narrow(0, 0, 1), ref.narrow(0, 1, 1));
            double value = Xpo.xpo(lp, Tensor.mask(new boolean[] {true}, 1), ALPHA, BETA, 1)
                    .value()
                    .item();
            assertTrue(value < before - 0.01, value + " at " + logit);
            before = value;
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {-1e6, -800, 800, 1e6})
    void extremeLogRatiosStayFinite(double logRatio) {
        Tensor chosen = Tensor.of(logRatio).requiresGrad();
        Tensor zero = Tensor.of(0.0);
        Tensor label = Tensor.mask(new boolean[] {false}, 1);
        Tensor value = Xpo.xpo(new PreferenceLogProbs(chosen, zero, zero, zero), label, ALPHA, 1, 1)
                .value();
        value.backward();
        assertEquals(Math.max(0, -logRatio) + ALPHA * logRatio, value.item(), 1e-9);
        assertEquals(ALPHA - (logRatio < 0 ? 1 : 0), chosen.grad().item(), 1e-15);
    }

    @Test
    void judgedPutsTheChosenAnswersFirst() {
        var lp = PreferenceLogProbs.judged(
                Tensor.of(1, 2, 3), Tensor.of(-1, -2, -3), Tensor.of(10, 20, 30), Tensor.of(-10, -20, -30), labels());
        assertArrayEquals(new double[] {1, -2, 3}, lp.chosen().toDoubles());
        assertArrayEquals(new double[] {-1, 2, -3}, lp.rejected().toDoubles());
        assertArrayEquals(new double[] {10, -20, 30}, lp.refChosen().toDoubles());
        assertArrayEquals(new double[] {-10, 20, -30}, lp.refRejected().toDoubles());
    }

    @Test
    void judgedRefusesWhatDoesNotFit() {
        Tensor three = Tensor.of(1, 2, 3);
        Tensor one = Tensor.of(1.0);
        var e = assertThrows(
                IllegalArgumentException.class, () -> PreferenceLogProbs.judged(three, three, one, three, labels()));
        assertEquals("refFirst must have the shape of first, [3], was [1]", e.getMessage());
        Tensor row = three.unsqueeze(0);
        refused("first", () -> PreferenceLogProbs.judged(row, row, row, row, row.gt(0)));
        refused("second", () -> PreferenceLogProbs.judged(three, one, three, three, labels()));
        refused("refSecond", () -> PreferenceLogProbs.judged(three, three, three, one, labels()));
        refused("firstIsChosen", () -> PreferenceLogProbs.judged(one, one, one, one, labels()));
        refused("firstIsChosen", () -> PreferenceLogProbs.judged(three, three, three, three, three));
    }

    @ParameterizedTest
    @ValueSource(doubles = {-1e-5, Double.NaN, Double.POSITIVE_INFINITY})
    void anAlphaOutOfRangeIsRefused(double alpha) {
        for (Form form : Form.values()) {
            var e = assertThrows(
                    IllegalArgumentException.class, () -> form.loss(Pairs.all(), labels(), alpha, BETA, 3));
            assertEquals("alpha must be in [0.0, Infinity), was " + alpha, e.getMessage());
        }
    }

    @ParameterizedTest
    @MethodSource("forms")
    void badArgumentsAreRefused(Form form) {
        var lp = Pairs.all();
        var e = assertThrows(IllegalArgumentException.class, () -> form.loss(lp, labels(), ALPHA, 0, 3));
        assertEquals("beta must be finite and > 0, was 0.0", e.getMessage());
        refused("beta", () -> form.loss(lp, labels(), ALPHA, Double.NaN, 3));
        refused("pairsInStep", () -> form.loss(lp, labels(), ALPHA, BETA, 2));
        refused("policySampleIsChosen", () -> form.loss(lp, lp.chosen(), ALPHA, BETA, 3));
        Tensor two = Tensor.mask(new boolean[] {true, false}, 2);
        e = assertThrows(IllegalArgumentException.class, () -> form.loss(lp, two, ALPHA, BETA, 3));
        assertEquals("policySampleIsChosen must have the shape of chosen, [3], was [2]", e.getMessage());
    }
}

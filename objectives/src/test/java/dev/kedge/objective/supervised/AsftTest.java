package dev.kedge.objective.supervised;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.divergence.Divergence;
import dev.kedge.objective.divergence.ForwardKl;
import dev.kedge.objective.divergence.ReverseKl;
import dev.kedge.objective.logprob.NextTokens;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(InScope.class)
class AsftTest {
    private static final double WEIGHT = 0.05;
    private static final double[] LOGITS = {1, 0, -1};
    private static final double[] REF_LOGITS = {0, 0.5, 0};

    /// With the weights of DFT or without.
    enum Form {
        ASFT,
        ANCHORED_CROSS_ENTROPY;

        Loss loss(Tensor logProbs, Tensor kl, Tensor mask, double klWeight, long tokens) {
            return switch (this) {
                case ASFT -> Asft.asft(logProbs, kl, mask, klWeight, tokens);
                case ANCHORED_CROSS_ENTROPY -> Asft.anchoredCrossEntropy(logProbs, kl, mask, klWeight, tokens);
            };
        }

        Loss withoutAnchor(Tensor logProbs, Tensor mask, long tokens) {
            return this == ASFT ? Dft.dft(logProbs, mask, tokens) : CrossEntropy.crossEntropy(logProbs, mask, tokens);
        }
    }

    /// One position that predicts label 1.
    private static NextTokens model(Tensor logits) {
        Tensor rows = Tensor.stack(List.of(logits, logits.detach().zerosLike()), 0);
        return NextTokens.ofLogits(rows.unsqueeze(0), Tensor.of(new long[] {-100, 1}, 1, 2), -100);
    }

    private static Loss loss(Form form, Tensor logits, Tensor refLogits, Divergence direction, double klWeight) {
        NextTokens policy = model(logits);
        Tensor kl = direction.categorical(policy.logProbs(), model(refLogits).logProbs());
        return form.loss(policy.ofTargets(), kl, policy.mask(), klWeight, 1);
    }

    private static double[] softmax(double[] logits) {
        double sum = Arrays.stream(logits).map(Math::exp).sum();
        return Arrays.stream(logits).map(z -> Math.exp(z) / sum).toArray();
    }

    @ParameterizedTest
    @CsvSource({
        "ASFT, 0, 0.34448126, 0.16280340, -0.18483645, 0.02203304",
        "ANCHORED_CROSS_ENTROPY, 0, 1.40760596, 0.66524096, -0.75527153, 0.09003057",
        "ANCHORED_CROSS_ENTROPY, 0.05, 1.42456399, 0.68479957, -0.76562824, 0.08082867",
        "ASFT, 0.05, 0.36143928, 0.18236202, -0.19519316, 0.01283114"
    })
    void workedExample(Form form, double klWeight, double value, double g0, double g1, double g2) {
        Tensor logits = Tensor.of(LOGITS).requiresGrad();
        Loss loss = loss(form, logits, Tensor.of(REF_LOGITS), new ForwardKl(), klWeight);
        loss.value().backward();
        assertEquals(value, loss.value().item(), 6e-9);
        assertArrayEquals(new double[] {g0, g1, g2}, logits.grad().toDoubles(), 6e-9);
        assertEquals(0.33916058, loss.metric("kl").item(), 5e-9);
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void gradientOfLogitsEqualsTheEquationInBothDirections(Form form) {
        double[] p = softmax(LOGITS);
        double[] q = softmax(REF_LOGITS);
        double reverse = 0;
        for (int v = 0; v < 3; v++) {
            reverse += p[v] * Math.log(p[v] / q[v]);
        }
        assertEquals(0.33961695, reverse, 5e-9);
        Tensor forwardLeaf = Tensor.of(LOGITS).requiresGrad();
        Tensor reverseLeaf = Tensor.of(LOGITS).requiresGrad();
        loss(form, forwardLeaf, Tensor.of(REF_LOGITS), new ForwardKl(), WEIGHT)
                .value()
                .backward();
        Loss loss = loss(form, reverseLeaf, Tensor.of(REF_LOGITS), new ReverseKl(), WEIGHT);
        loss.value().backward();
        assertEquals(reverse, loss.metric("kl").item(), 1e-15);
        double w = form == Form.ASFT ? p[1] : 1;
        for (int v = 0; v < 3; v++) {
            double fit = w * (p[v] - (v == 1 ? 1 : 0));
            assertEquals(fit + WEIGHT * (p[v] - q[v]), forwardLeaf.grad().toDoubles()[v], 1e-15);
            double back = p[v] * (Math.log(p[v] / q[v]) - reverse);
            assertEquals(fit + WEIGHT * back, reverseLeaf.grad().toDoubles()[v], 1e-15);
        }
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void atTheReferenceAndAtWeightZeroTheAnchorIsGone(Form form) {
        Tensor bare = Tensor.of(LOGITS).requiresGrad();
        NextTokens policy = model(bare);
        Tensor value = form.withoutAnchor(policy.ofTargets(), policy.mask(), 1).value();
        value.backward();
        for (Divergence direction : new Divergence[] {new ForwardKl(), new ReverseKl()}) {
            Tensor atRef = Tensor.of(LOGITS).requiresGrad();
            Tensor atZero = Tensor.of(LOGITS).requiresGrad();
            Tensor first =
                    loss(form, atRef, Tensor.of(LOGITS), direction, WEIGHT).value();
            Tensor second =
                    loss(form, atZero, Tensor.of(REF_LOGITS), direction, 0).value();
            first.backward();
            second.backward();
            assertEquals(value.item(), first.item(), 1e-17);
            assertEquals(value.item(), second.item());
            // The KL's gradient p - q is 0 to within the last place of p, 1.2e-16, times its weight.
            assertArrayEquals(bare.grad().toDoubles(), atRef.grad().toDoubles(), 1e-16);
            assertArrayEquals(bare.grad().toDoubles(), atZero.grad().toDoubles());
        }
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void aConstantAddedToAllLogitsChangesNothing(Form form) {
        double plain = loss(form, Tensor.of(LOGITS), Tensor.of(REF_LOGITS), new ForwardKl(), WEIGHT)
                .value()
                .item();
        Tensor moved = Tensor.of(LOGITS).plus(37);
        Tensor movedRef = Tensor.of(REF_LOGITS).minus(11);
        assertEquals(
                plain,
                loss(form, moved, movedRef, new ForwardKl(), WEIGHT).value().item(),
                1e-13);
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void whatIsMaskedReachesNothing(Form form) {
        Tensor lp = Tensor.of(-1, Double.NaN, -0.5).requiresGrad();
        Tensor kl = Tensor.of(0.3, Double.POSITIVE_INFINITY, 0.1).requiresGrad();
        Tensor mask = Tensor.mask(new boolean[] {true, false, true}, 3);
        Loss loss = form.loss(lp, kl, mask, WEIGHT, 4);
        loss.value().backward();
        double fit = form == Form.ASFT ? Math.exp(-1) + Math.exp(-0.5) * 0.5 : 1.5;
        assertEquals((fit + WEIGHT * 0.4) / 4, loss.value().item(), 1e-15);
        assertArrayEquals(new double[] {WEIGHT / 4, 0, WEIGHT / 4}, kl.grad().toDoubles(), 1e-17);
        assertEquals(0, lp.grad().toDoubles()[1]);
        assertArrayEquals(new double[] {0.3, 0, 0.1}, loss.metric("kl").toDoubles());
    }

    @Test
    void aLabelOfVanishingProbabilityStaysFinite() {
        Tensor logits = Tensor.of(0, -2000, 0).requiresGrad();
        Loss loss = loss(Form.ASFT, logits, Tensor.of(REF_LOGITS), new ForwardKl(), WEIGHT);
        loss.value().backward();
        assertTrue(loss.value().isFinite().allTrue());
        double[] q = softmax(REF_LOGITS);
        assertArrayEquals(
                new double[] {WEIGHT * (0.5 - q[0]), -WEIGHT * q[1], WEIGHT * (0.5 - q[2])},
                logits.grad().toDoubles(),
                1e-15);
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void badArgumentsAreRefused(Form form) {
        Tensor lp = Tensor.of(-1, -2, -3);
        Tensor mask = Tensor.mask(new boolean[] {true, false, true}, 3);
        var e = assertThrows(IllegalArgumentException.class, () -> form.loss(lp, lp, mask, -0.1, 3));
        assertEquals("klWeight must be in [0.0, Infinity), was -0.1", e.getMessage());
        refused("klWeight", () -> form.loss(lp, lp, mask, Double.NaN, 3));
        refused("tokensInStep", () -> form.loss(lp, lp, mask, WEIGHT, 0));
        refused("mask", () -> form.loss(lp, lp, lp, WEIGHT, 3));
        e = assertThrows(IllegalArgumentException.class, () -> form.loss(lp, Tensor.of(1, 2), mask, WEIGHT, 3));
        assertEquals("mask must have the shape of kl, [2], was [3]", e.getMessage());
    }
}

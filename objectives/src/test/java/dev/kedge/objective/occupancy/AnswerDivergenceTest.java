package dev.kedge.objective.occupancy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.kedge.env.mdp.DifferentiableOccupancy;
import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class AnswerDivergenceTest {
    /// Answers of one token with these log-ratios.
    private static AnswerDivergence of(Tensor logRatios) {
        Tensor column = logRatios.unsqueeze(1);
        return AnswerDivergence.of(
                column, column.detach().zerosLike(), column.detach().eq(column.detach()), 10);
    }

    @Test
    void workedByHand() {
        var two = of(Tensor.of(0.3, -0.5));
        assertEquals(0.09476975, two.kl().mean().item(), 5e-9);
        assertEquals(0.17296448, two.chiSquared().mean().item(), 5e-9);
        assertEquals(0.00033271, two.rootChiSquaredPenalty(0.0008, 1e-4).value().item(), 5e-9);
        var three = of(Tensor.of(0.3, -0.5, 11));
        assertEquals(3.39651873, three.kl().mean().item(), 5e-9);
        assertEquals(14683.75917842, three.chiSquared().mean().item(), 5e-9);
    }

    @Test
    void onlyTheGrowingSideIsStraightened() {
        double e10 = Math.exp(10);
        double[] chi = of(Tensor.of(12, -12)).chiSquared().toDoubles();
        double expected = e10 * 3 - 1 + Math.expm1(-12);
        assertArrayEquals(new double[] {expected, expected}, chi, 1e-9);
        double[] kl = of(Tensor.of(12, -12)).kl().toDoubles();
        assertArrayEquals(new double[] {12 + Math.expm1(-12), -12 + e10 * 3 - 1}, kl, 1e-9);
    }

    @Test
    void averagesToTheDivergencesOverAnswersOfThePolicy() {
        double[] p = {0.2, 0.3, 0.5};
        double[] q = {0.7, 0.2, 0.1};
        Tensor ratios = Tensor.of(p).log().minus(Tensor.of(q).log());
        double kl = Tensor.of(p).times(ratios).sum().item();
        assertEquals(kl, Tensor.of(p).times(of(ratios).kl()).sum().item(), 1e-15);
        double chi =
                DifferentiableOccupancy.chiSquared(Tensor.of(p), Tensor.of(q)).item();
        assertEquals(chi, Tensor.of(p).times(of(ratios).chiSquared()).sum().item(), 1e-14);
    }

    /// What gradients are of in expectation over the policy's answers, the answers being constants.
    @Test
    void gradientsOverAnswersOfThePolicy() {
        double[] logits = {0.3, -0.2, 0.9};
        Tensor q = Tensor.of(0.7, 0.2, 0.1);
        Tensor p = Tensor.of(logits).logSoftmax(0).exp();
        Tensor free = Tensor.of(logits).requiresGrad();
        q.times(q.log().minus(free.logSoftmax(0))).sum().backward();
        Tensor estimated = Tensor.of(logits).requiresGrad();
        p.times(of(estimated.logSoftmax(0).minus(q.log())).kl()).sum().backward();
        assertArrayEquals(free.grad().toDoubles(), estimated.grad().toDoubles(), 1e-14);
        Tensor squared = Tensor.of(logits).requiresGrad();
        p.times(of(squared.logSoftmax(0).minus(q.log())).chiSquared()).sum().backward();
        free.logSoftmax(0).exp().square().div(q).sum().div(2).backward(); // on top of the KL's
        assertArrayEquals(free.grad().toDoubles(), squared.grad().toDoubles(), 1e-14);
    }

    @Test
    void gradientsEqualCentralDifferences() {
        // Apart: next to 22026 times its size the smaller slope drowns in the rounding of the difference.
        for (double[] at : new double[][] {{0.3, -0.5}, {11}, {-12}}) {
            CentralDifferences.assertGradient(at, l -> of(l).klPenalty(0.2, 2).value(), 1e-9);
            CentralDifferences.assertGradient(
                    at, l -> of(l).rootChiSquaredPenalty(0.2, 1e-4).value(), 1e-9);
        }
    }

    @Test
    void thePenaltyIsTheWeightedMeanAndReportsBothDivergences() {
        var divergence = of(Tensor.of(0.3, -0.5));
        double[] kl = {0.3 + Math.expm1(-0.3), -0.5 + Math.expm1(0.5)};
        double[] chiSquared = {Math.expm1(0.3) + Math.expm1(-0.3), Math.expm1(-0.5) + Math.expm1(0.5)};
        var penalty = divergence.klPenalty(0.2, 5);
        assertEquals(0.2 * (kl[0] + kl[1]) / 5, penalty.value().item(), 1e-15);
        assertArrayEquals(kl, penalty.metric("kl").toDoubles(), 1e-15);
        assertArrayEquals(chiSquared, penalty.metric("chi-squared").toDoubles(), 1e-15);
    }

    /// Beyond the limit both are straight lines, whose gradient does not overflow.
    @Test
    void farBeyondTheLimitGradientsAreThoseOfTheTangent() {
        Tensor l = Tensor.of(1000, -1000).requiresGrad();
        of(l).klPenalty(1, 2).value().backward();
        double steep = Math.exp(10);
        assertArrayEquals(new double[] {0.5, (1 - steep) / 2}, l.grad().toDoubles(), 1e-10);
    }

    /// Along the tangent at the step's mean, parts have the value and the gradient of the root of the whole.
    @Test
    void partsOfTheRootAddUp() {
        double[] at = {0.3, -0.5, 1.2, -0.1, 2};
        Tensor whole = Tensor.of(at).requiresGrad();
        Tensor expected = of(whole).rootChiSquaredPenalty(0.2, 1e-4).value();
        expected.backward();
        double mean = of(Tensor.of(at)).chiSquared().mean().item();
        Tensor parts = Tensor.of(at).requiresGrad();
        double value = 0;
        for (int[] part : new int[][] {{0, 2}, {2, 1}, {3, 2}}) {
            Tensor loss = of(parts.narrow(0, part[0], part[1]))
                    .rootChiSquaredPenalty(0.2, 1e-4, mean, at.length)
                    .value();
            loss.backward();
            value += loss.item();
        }
        assertEquals(expected.item(), value, 1e-15);
        assertArrayEquals(whole.grad().toDoubles(), parts.grad().toDoubles(), 1e-15);
    }

    /// The same without gradient where the step is below the floor.
    @Test
    void belowTheFloorPartsDoNotMove() {
        Tensor l = Tensor.of(1e-3, -1e-3).requiresGrad();
        double value = 0;
        for (int i = 0; i < 2; i++) {
            Tensor loss = of(l.narrow(0, i, 1))
                    .rootChiSquaredPenalty(0.5, 1e-4, 1e-6, 2)
                    .value();
            loss.backward();
            value += loss.item();
        }
        assertEquals(0.005, value, 1e-15);
        assertArrayEquals(new double[2], l.grad().toDoubles());
    }

    @Test
    void atTheReferenceTheFloorStandsAndNothingMoves() {
        Tensor logProbs = Tensor.of(new double[][] {{-1, -2}, {-3, -0.5}}).requiresGrad();
        Tensor mask = Tensor.mask(new boolean[][] {{true, true}, {true, false}});
        var divergence = AnswerDivergence.of(logProbs, logProbs, mask, 10);
        Tensor loss = divergence.rootChiSquaredPenalty(0.0008, 1e-4).value();
        loss.backward();
        assertEquals(0.000008, loss.item(), 1e-20);
        assertArrayEquals(new double[4], logProbs.grad().toDoubles());
    }

    @Test
    void maskedTokensReachNothingAndTheReferenceIsAConstant() {
        double nan = Double.NaN;
        Tensor logProbs =
                Tensor.of(new double[][] {{nan, -1, -2}, {-3, -0.5, nan}}).requiresGrad();
        Tensor ref = Tensor.of(new double[][] {{-1, -1.5, -2}, {nan, -1, -1}}).requiresGrad();
        Tensor mask = Tensor.mask(new boolean[][] {{false, true, true}, {false, true, false}});
        var divergence = AnswerDivergence.of(logProbs, ref, mask, 10);
        divergence.klPenalty(1, 2).value().backward();
        double each = 0.5 + Math.expm1(-0.5);
        assertArrayEquals(new double[] {each, each}, divergence.kl().toDoubles(), 1e-15);
        double slope = (1 - Math.exp(-0.5)) / 2;
        assertArrayEquals(
                new double[] {0, slope, slope, 0, slope, 0}, logProbs.grad().toDoubles(), 1e-15);
        assertNull(ref.grad());
    }

    @Test
    void badArgumentsAreRefused() {
        var two = of(Tensor.of(0.3, -0.5));
        refused("weight", () -> two.klPenalty(0, 2));
        refused("answersInStep", () -> two.klPenalty(1, 1));
        refused("floor", () -> two.rootChiSquaredPenalty(1, 0));
        refused("stepMean", () -> two.rootChiSquaredPenalty(1, 1e-4, Double.NaN, 2));
        refused("answersInStep", () -> two.rootChiSquaredPenalty(1, 1e-4, 0.1, 1));
        Tensor row = Tensor.of(new double[][] {{1, 2}});
        refused("limit", () -> AnswerDivergence.of(row, row, row.ne(0), 0));
        refused("mask", () -> AnswerDivergence.of(row, row, row, 10));
        refused("refLogProbs", () -> AnswerDivergence.of(row, row.t(), row.ne(0), 10));
        refused("kl", () -> new AnswerDivergence(row, row));
        refused("chiSquared", () -> new AnswerDivergence(Tensor.of(1.0), row));
        refused("weight", () -> two.rootChiSquaredPenalty(0, 1e-4));
        refused("weight", () -> two.rootChiSquaredPenalty(0, 1e-4, 0.1, 2));
        refused("floor", () -> two.rootChiSquaredPenalty(1, 0, 0.1, 2));
        Tensor none = Tensor.of(new double[0], 0);
        refused("the answers given", () -> new AnswerDivergence(none, none).rootChiSquaredPenalty(1, 1e-4));
    }
}

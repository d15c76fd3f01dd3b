package dev.kedge.objective.policy;

import static dev.kedge.objective.Refused.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.objective.InScope;
import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.Topr.Truncation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Tensor;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(InScope.class)
class ToprTest {
    private static final double[] LOG_PROBS = {-1.5, -3.0, -0.5, -7.0, -2.0};
    private static final double[] BEHAVIOUR = {-1.7, -1.5, -1.0, -2.0, -2.0};
    private static final double[] ADVANTAGES = {1, -1, -0.7, 1.3, 0};

    static Stream<Truncation> truncations() {
        return Stream.of(
                Truncation.CANONICAL,
                Truncation.ALWAYS_ONE,
                Truncation.GOOD_ONLY,
                Truncation.AT_MOST_ONE,
                Truncation.FULL_RATIO,
                new Truncation(0.5, 1.1, 0.3, 1.4));
    }

    private static Tensor behaviour() {
        return Tensor.of(BEHAVIOUR);
    }

    private static Tensor advantages() {
        return Tensor.of(ADVANTAGES);
    }

    private static double weight(int i, Truncation t) {
        double u = Math.exp(LOG_PROBS[i] - BEHAVIOUR[i]);
        return ADVANTAGES[i] >= 0
                ? Math.min(Math.max(u, t.goodFrom()), t.goodTo())
                : Math.min(Math.max(u, t.badFrom()), t.badTo());
    }

    @ParameterizedTest
    @MethodSource("truncations")
    void equalsTheEquation(Truncation truncation) {
        Tensor logProbs = Tensor.of(LOG_PROBS).requiresGrad();
        Loss loss = Topr.truncated(logProbs, behaviour(), advantages(), truncation, 7);
        loss.value().backward();
        double sum = 0;
        for (int i = 0; i < 5; i++) {
            double w = weight(i, truncation);
            sum -= w * ADVANTAGES[i] * LOG_PROBS[i];
            assertEquals(w, loss.metric("weight").toDoubles()[i], 1e-14);
            assertEquals(-w * ADVANTAGES[i] / 7, logProbs.grad().toDoubles()[i], 1e-15);
        }
        assertEquals(sum / 7, loss.value().item(), 1e-14);
    }

    @Test
    void workedExample() {
        Tensor logProbs = Tensor.of(-1.5, -3, -0.5).requiresGrad();
        Loss loss = Topr.topr(logProbs, Tensor.of(-1.7, -1.5, -1), Tensor.of(1, -1, -1), 3);
        loss.value().backward();
        assertArrayEquals(
                new double[] {0.2, -1.5, 0.5}, loss.metric("log-ratio").toDoubles(), 1e-15);
        assertArrayEquals(new double[] {1, 0.22313016, 1}, loss.metric("weight").toDoubles(), 5e-9);
        assertEquals(0.11020317, loss.value().item(), 5e-9);
        assertArrayEquals(
                new double[] {-1 / 3.0, 0.22313016 / 3, 1 / 3.0},
                logProbs.grad().toDoubles(),
                5e-9);
    }

    /// `E_μ[1[A >= 0]·A·log u + 1[A < 0]·A·h(u)]` is what the surrogate ascends.
    private static double objective(double[] logProbs) {
        double sum = 0;
        for (int i = 0; i < 5; i++) {
            double d = logProbs[i] - BEHAVIOUR[i];
            double h = d <= 0 ? Math.exp(d) : 1 + d;
            sum += ADVANTAGES[i] * (ADVANTAGES[i] >= 0 ? d : h) / 5;
        }
        return sum;
    }

    @Test
    void theSurrogateDescendsWhereTheTrueObjectiveAscends() {
        Tensor logProbs = Tensor.of(LOG_PROBS).requiresGrad();
        Topr.topr(logProbs, behaviour(), advantages(), 5).value().backward();
        double h = 1e-5;
        for (int i = 0; i < 5; i++) {
            double[] up = LOG_PROBS.clone();
            double[] down = LOG_PROBS.clone();
            up[i] += h;
            down[i] -= h;
            assertEquals(
                    (objective(up) - objective(down)) / (2 * h),
                    -logProbs.grad().toDoubles()[i],
                    1e-9);
        }
    }

    @Test
    void onPolicyAllButTheGoodOnlyAreReinforce() {
        for (Truncation truncation : new Truncation[] {
            Truncation.CANONICAL, Truncation.ALWAYS_ONE, Truncation.AT_MOST_ONE, Truncation.FULL_RATIO
        }) {
            Loss loss = Topr.truncated(behaviour(), behaviour(), advantages(), truncation, 5);
            assertArrayEquals(
                    new double[] {1, 1, 1, 1, 1}, loss.metric("weight").toDoubles());
        }
    }

    @ParameterizedTest
    @CsvSource({"-400, -1, 0", "400, -1, 1", "-400, 1, 1", "400, 1, 1", "-1e6, -1, 0", "1e6, -1, 1"})
    void extremeRatiosStayFinite(double logRatio, double advantage, double weight) {
        Tensor logProbs = Tensor.of(logRatio).requiresGrad();
        Loss loss = Topr.topr(logProbs, Tensor.of(0.0), Tensor.of(advantage), 1);
        loss.value().backward();
        assertEquals(weight, loss.metric("weight").item(), 1e-170);
        assertEquals(-weight * advantage, logProbs.grad().item(), 1e-170);
        assertTrue(Double.isFinite(loss.value().item()));
    }

    @Test
    void anAnswerWithoutPullMayBeImpossible() {
        Tensor logProbs = Tensor.of(Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY, -2)
                .requiresGrad();
        Loss loss = Topr.topr(logProbs, Tensor.of(-1, -1, -2), Tensor.of(-1, 0, 1), 3);
        loss.value().backward();
        assertEquals(2 / 3.0, loss.value().item(), 1e-15);
        assertArrayEquals(new double[] {0, 0, -1 / 3.0}, logProbs.grad().toDoubles(), 1e-15);
    }

    @Test
    void notANumberIsNotHidden() {
        Loss loss = Topr.topr(Tensor.of(Double.NaN), Tensor.of(-1.0), Tensor.of(-1.0), 1);
        assertTrue(Double.isNaN(loss.value().item()));
    }

    @Test
    void lengthDividesTheLossAndNotTheRatio() {
        Tensor plain = Tensor.of(LOG_PROBS).requiresGrad();
        Tensor byLength = Tensor.of(LOG_PROBS).requiresGrad();
        Loss sum = Topr.topr(plain, behaviour(), advantages(), 5);
        Tensor tokens = Tensor.of(new long[] {2, 3, 1, 5, 0}, 5);
        Loss mean = Topr.lengthNormalized(byLength, behaviour(), advantages(), tokens, Truncation.CANONICAL, 5);
        assertEquals(mean.value().item(), mean.metric("loss").sum().item() / 5, 1e-15);
        Tensor f = Tensor.of(LOG_PROBS).to(DType.FLOAT32);
        Loss single = Topr.lengthNormalized(f, f, f, tokens.to(DType.FLOAT64), Truncation.CANONICAL, 5);
        assertEquals(DType.FLOAT32, single.value().dtype());
        sum.value().backward();
        mean.value().backward();
        assertArrayEquals(
                sum.metric("weight").toDoubles(), mean.metric("weight").toDoubles());
        double[] lengths = {2, 3, 1, 5, 1};
        for (int i = 0; i < 5; i++) {
            assertEquals(
                    plain.grad().toDoubles()[i] / lengths[i], byLength.grad().toDoubles()[i], 1e-16);
        }
    }

    @Test
    void onlyThePolicyIsDifferentiated() {
        Tensor behaviour = behaviour().requiresGrad();
        Tensor advantages = advantages().requiresGrad();
        Tensor logProbs = Tensor.of(LOG_PROBS).requiresGrad();
        Topr.topr(logProbs, behaviour, advantages, 5).value().backward();
        assertNull(behaviour.grad());
        assertNull(advantages.grad());
    }

    /// Two arms that the behaviour draws alike, the second one bad: `dJ/dz` at `π(good) = σ(z)`.
    @Test
    void onABanditThePushFadesWhereReinforceNeverStops() {
        for (double z : new double[] {-3, 0, 0.5, 4, 30}) {
            double good = 1 / (1 + Math.exp(-z));
            double bad = 1 / (1 + Math.exp(z));
            DoubleUnaryOperator ascent = push -> 0.5 * bad + 0.5 * push * good;
            assertEquals(0.5, slope(z, Truncation.ALWAYS_ONE), 1e-15);
            assertEquals(ascent.applyAsDouble(Math.min(1, 2 * bad)), slope(z, Truncation.CANONICAL), 1e-15);
        }
        assertEquals(0, slope(30, Truncation.CANONICAL), 1e-12);
    }

    private static double slope(double z, Truncation truncation) {
        Tensor logit = Tensor.of(z, -z).requiresGrad();
        Tensor half = Tensor.of(Math.log(0.5), Math.log(0.5));
        Topr.truncated(Functional.logSigmoid(logit), half, Tensor.of(1, -1), truncation, 2)
                .value()
                .backward();
        double[] gradient = logit.grad().toDoubles();
        return gradient[1] - gradient[0];
    }

    @ParameterizedTest
    @CsvSource({"0.1, 0, 0.1", "0.1, -0.5, 0.25", "0.5, 0.8, 0.1", "0.3, -1, 1", "0.3, 1, 0", "0.9, 0.8, 0.5"})
    void theBaselineSetsTheEffectiveShare(double share, double baseline, double effective) {
        assertEquals(effective, Topr.effectiveGoodShare(share, baseline), 1e-15);
        double formula = share * (1 - baseline) / (1 + baseline * (1 - 2 * share));
        assertEquals(formula, Topr.effectiveGoodShare(share, baseline), 1e-15);
        assertEquals(0.5, Topr.effectiveGoodShare(share, 2 * share - 1), 1e-15);
    }

    @ParameterizedTest
    @CsvSource({"-0.1, 0", "1.1, 0", "0.5, 1.1", "0.5, -1.1", "NaN, 0", "0.5, NaN", "0, -1", "1, 1", "0, 1.1", "1, -1.1"
    })
    void sharesOutOfRangeAreRefused(double share, double baseline) {
        var e = assertThrows(IllegalArgumentException.class, () -> Topr.effectiveGoodShare(share, baseline));
        assertEquals(
                "goodShare in [0, 1] and baseline in [-1, 1] must leave answers a weight, were " + share + " and "
                        + baseline,
                e.getMessage());
    }

    @Test
    void badIntervalsAreRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> new Truncation(1, 0.5, 0, 1));
        assertEquals("good answers' ratios go to [from, to] with 0 <= from <= to, was [1.0, 0.5]", e.getMessage());
        double infinity = Double.POSITIVE_INFINITY;
        refused("bad answers' ratios go to", () -> new Truncation(1, 1, -0.1, 1));
        refused("bad answers' ratios go to", () -> new Truncation(1, 1, 0, Double.NaN));
        refused("good answers' ratios go to", () -> new Truncation(infinity, infinity, 0, 1));
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor lp = Tensor.of(LOG_PROBS);
        Tensor two = Tensor.of(1, 2);
        var e = assertThrows(IllegalArgumentException.class, () -> Topr.topr(lp, two, lp, 5));
        assertEquals("behaviourLogProbs must have the shape of logProbs, [5], was [2]", e.getMessage());
        refused("advantages", () -> Topr.topr(lp, lp, two, 5));
        refused("answersInStep", () -> Topr.topr(lp, lp, lp, 4));
        Tensor matrix = lp.unsqueeze(0);
        refused("logProbs", () -> Topr.topr(matrix, matrix, matrix, 5));
        refused("logProbs", () -> Topr.lengthNormalized(matrix, matrix, matrix, matrix, Truncation.CANONICAL, 5));
        e = assertThrows(
                IllegalArgumentException.class, () -> Topr.lengthNormalized(lp, lp, lp, two, Truncation.CANONICAL, 5));
        assertEquals("tokens must have the shape of logProbs, [5], was [2]", e.getMessage());
    }
}

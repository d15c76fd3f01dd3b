package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.policy.PolicyGradientMethod.Estimator;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class DrpoMethodTest {
    private static final DrpoMethod METHOD = new DrpoMethod(0.1, 10, Estimator.K1, 1000, 1e-4);

    @ParameterizedTest
    @EnumSource(Truncated.class)
    void microBatchesAddUpToTheBatch(Truncated truncated) {
        for (Estimator estimator : new Estimator[] {Estimator.K1, Estimator.K3}) {
            var method = new DrpoMethod(0.1, 10, estimator, 1000, 1e-4);
            try (Decoder start = TinyEnvironment.policy(1);
                    Decoder policy = TinyEnvironment.moved(start, 2)) {
                Rollouts rollouts = TinyEnvironment.sample(start, truncated, 3);
                var whole = TinyEnvironment.gradient(method, start, policy, rollouts, 6);
                var parts = TinyEnvironment.gradient(method, start, policy, rollouts, 1);
                double largest =
                        Arrays.stream(whole.gradient()).map(Math::abs).max().orElseThrow();
                assertArrayEquals(whole.gradient(), parts.gradient(), 1e-6 * largest);
                assertEquals(whole.metrics().get("loss"), parts.metrics().get("loss"), 1e-9);
            }
        }
    }

    /// On policy nothing is held; a little off it, K3 is above 0, and the strength is that of the whole step.
    @Test
    void theTrustRegionHoldsOnceThePolicyHasMoved() {
        var method = new DrpoMethod(0.1, 10, Estimator.K3, 1000, 0);
        try (Decoder start = TinyEnvironment.policy(1);
                Decoder policy = TinyEnvironment.moved(start, 2)) {
            Rollouts rollouts = TinyEnvironment.sample(start, Truncated.JUDGED, 3);
            var onPolicy =
                    TinyEnvironment.gradient(method, start, start, rollouts, 2).metrics();
            assertEquals(0, onPolicy.get("trust_region/strength"));
            var moved =
                    TinyEnvironment.gradient(method, start, policy, rollouts, 2).metrics();
            double kl = moved.get("kl/old") / moved.get("tokens");
            assertTrue(kl > 0, "kl " + kl);
            assertEquals(1000 * kl, moved.get("trust_region/strength"), 1e-3 * kl * 1000);
        }
    }

    @Test
    void learns() {
        var start = TinyEnvironment.learnt(METHOD, 0).metrics();
        var end = TinyEnvironment.learnt(METHOD, 80).metrics();
        assertTrue(start.get("right") < 0.5 && end.get("right") > 0.85, start + " " + end);
    }

    @Test
    void aSmallLambdaRaisesShortAnswers() {
        try (Decoder start = TinyEnvironment.policy(1)) {
            Rollouts rollouts = TinyEnvironment.sample(start, Truncated.WRONG, 3);
            var disco = new DrpoMethod(Double.POSITIVE_INFINITY, 10, Estimator.K1, 1000, 1e-4);
            double all = TinyEnvironment.gradient(disco, start, start, rollouts, 2)
                    .metrics()
                    .get("length/right");
            double brief = TinyEnvironment.gradient(METHOD, start, start, rollouts, 2)
                    .metrics()
                    .get("length/right");
            assertTrue(brief > 0 && brief < all - 0.3, brief + " tokens against " + all);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 10, 1000, 1e-4, 'lambda must be > 0, was 0.0'",
        "NaN, 10, 1000, 1e-4, 'lambda must be > 0, was NaN'",
        "0.1, Infinity, 1000, 1e-4, 'tau must be finite and > 0, was Infinity'",
        "0.1, 10, 0, 1e-4, 'beta must be finite and > 0, was 0.0'",
        "0.1, 10, 1000, -1, 'delta must be in [0.0, Infinity), was -1.0'"
    })
    void numbersOutOfRangeAreRefused(double lambda, double tau, double beta, double delta, String message) {
        var refused = assertThrows(
                IllegalArgumentException.class, () -> new DrpoMethod(lambda, tau, Estimator.K1, beta, delta));
        assertEquals(message, refused.getMessage());
    }
}

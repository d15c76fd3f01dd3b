package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.tensor.Scope;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LengthPenaltyMethodTest {
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void microBatchesAddUpToTheBatch(boolean normalized) {
        try (Decoder start = TinyEnvironment.policy(1);
                Decoder policy = TinyEnvironment.moved(start, 2)) {
            Rollouts rollouts = TinyEnvironment.sample(start, Truncated.JUDGED, 3);
            var method = new LengthPenaltyMethod(1, normalized, 0.2);
            var whole = TinyEnvironment.gradient(method, start, policy, rollouts, 6);
            var parts = TinyEnvironment.gradient(method, start, policy, rollouts, 1);
            double largest =
                    Arrays.stream(whole.gradient()).map(Math::abs).max().orElseThrow();
            assertArrayEquals(whole.gradient(), parts.gradient(), 1e-6 * largest);
        }
    }

    /// Without a penalty no right answer is below the mean of its group; with one, long ones are.
    @Test
    void aPenaltyPunishesRightAnswers() {
        try (Decoder start = TinyEnvironment.policy(1)) {
            Rollouts rollouts = TinyEnvironment.sample(start, Truncated.JUDGED, 3);
            var plain = TinyEnvironment.gradient(new GrpoMethod(0.2, 0), start, start, rollouts, 2);
            var none = TinyEnvironment.gradient(new LengthPenaltyMethod(0, true, 0.2), start, start, rollouts, 2);
            var full = TinyEnvironment.gradient(new LengthPenaltyMethod(1, true, 0.2), start, start, rollouts, 2);
            assertArrayEquals(plain.gradient(), none.gradient());
            assertEquals(0, none.metrics().get("right/punished"));
            assertTrue(full.metrics().get("right/punished") > 0, full.metrics().toString());
        }
    }

    /// Six tokens are the longest: `a` and its end cost a third of the penalty.
    @Test
    void theRewardOfRightAnswersFallsWithTheirLength() {
        try (Decoder start = TinyEnvironment.policy(1);
                Scope _ = new Scope()) {
            Rollouts rollouts = TinyEnvironment.sample(start, Truncated.JUDGED, 3);
            double[] penalized = LengthPenaltyMethod.penalized(rollouts, 0.6).toDoubles();
            for (int i = 0; i < penalized.length; i++) {
                int length = rollouts.completions().get(i).tokens().length;
                assertEquals(rollouts.scores().get(i).reward() * (1 - 0.1 * length), penalized[i], 1e-12);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1.1, Double.NaN})
    void penaltiesOutOfRangeAreRefused(double alpha) {
        var refused = assertThrows(IllegalArgumentException.class, () -> new LengthPenaltyMethod(alpha, true, 0.2));
        assertEquals("alpha must be in [0, 1], was " + alpha, refused.getMessage());
    }
}

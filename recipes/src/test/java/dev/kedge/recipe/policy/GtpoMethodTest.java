package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.policy.GtpoMethod.Conflicts;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class GtpoMethodTest {
    private static final double NONE = Double.POSITIVE_INFINITY;

    @ParameterizedTest
    @EnumSource(Conflicts.class)
    void microBatchesAddUpToTheBatch(Conflicts conflicts) {
        for (Truncated truncated : Truncated.values()) {
            try (Decoder start = TinyEnvironment.policy(1)) {
                Rollouts rollouts = TinyEnvironment.sample(start, truncated, 3);
                double middle = medianEntropy(rollouts);
                var method = new GtpoMethod(0.1, Optional.of(middle), 2, conflicts);
                var whole = TinyEnvironment.gradient(method, start, start, rollouts, 6);
                var parts = TinyEnvironment.gradient(method, start, start, rollouts, 1);
                double largest =
                        Arrays.stream(whole.gradient()).map(Math::abs).max().orElseThrow();
                assertArrayEquals(whole.gradient(), parts.gradient(), 1e-6 * largest);
                double filtered = whole.metrics().get("filtered");
                assertTrue(filtered > 0 && filtered < 1, "some, not all: " + filtered);
            }
        }
    }

    private static double medianEntropy(Rollouts rollouts) {
        double[] sorted = rollouts.completions().stream()
                .mapToDouble(c -> {
                    double sum = 0;
                    for (float entropy : c.entropies()) {
                        sum += entropy;
                    }
                    return sum / c.entropies().length;
                })
                .sorted()
                .toArray();
        return sorted[sorted.length / 2];
    }

    /// Neither conflicts nor entropy: the centred policy gradient, averaged over the tokens of each completion.
    @Test
    void withoutItsPartsItIsTheCentredPolicyGradient() {
        try (Decoder start = TinyEnvironment.policy(1)) {
            Rollouts rollouts = TinyEnvironment.sample(start, Truncated.JUDGED, 3);
            var bare = new GtpoMethod(0, Optional.of(NONE), 2, Conflicts.IGNORED);
            var centred = new PolicyGradientMethod(
                    PolicyGradientMethod.Advantage.CENTRED,
                    new PolicyGradientMethod.Ratio.Unclipped(),
                    PolicyGradientMethod.Weighing.PER_SEQUENCE,
                    new PolicyGradientMethod.Kl.None());
            assertArrayEquals(
                    TinyEnvironment.gradient(centred, start, start, rollouts, 3).gradient(),
                    TinyEnvironment.gradient(bare, start, start, rollouts, 3).gradient(),
                    1e-12);
        }
    }

    /// A policy of nearly even choices among four tokens starts above ln 2: nothing is filtered then. A threshold that
    /// is given holds all the same, and so does one that was fixed by earlier, surer rollouts.
    @Test
    void theFirstRolloutsDecideWhetherAnythingIsFiltered() {
        var method = new GtpoMethod(0, Optional.empty(), 2, Conflicts.COUNTED);
        try (Decoder start = TinyEnvironment.policy(1);
                Decoder learning = start.copy();
                Scope _ = new Scope();
                Learner sure = method.learner(start)) {
            Rollouts rollouts = TinyEnvironment.sample(start, Truncated.JUDGED, 3);
            assertTrue(
                    rollouts.metrics().get("entropy") > Math.log(2),
                    rollouts.metrics().toString());
            double free = TinyEnvironment.gradient(method, start, start, rollouts, 6)
                    .metrics()
                    .get("filtered");
            var constant = new GtpoMethod(0, Optional.of(Math.log(2)), 2, Conflicts.COUNTED);
            double given = TinyEnvironment.gradient(constant, start, start, rollouts, 6)
                    .metrics()
                    .get("filtered");
            assertTrue(free < given, free + " " + given);
            InPlace.copy_(sure.state().get("initial_entropy"), Tensor.of(0.5));
            learning.parameters().trainable();
            RolloutBatch batch = new RolloutBatch(rollouts, learning, start, true, 0, 6);
            assertEquals(given, batch.step(sure).gradient().get("filtered"), 1e-12);
            assertEquals(0.5, sure.state().get("initial_entropy").toDoubles()[0]);
        }
    }

    @ParameterizedTest
    @EnumSource(Conflicts.class)
    void learns(Conflicts conflicts) {
        var method = new GtpoMethod(0.005, Optional.empty(), 2, conflicts);
        var start = TinyEnvironment.learnt(method, 0).metrics();
        var end = TinyEnvironment.learnt(method, 160).metrics();
        assertTrue(start.get("right") < 0.7 && end.get("right") > 0.85, start + " " + end);
    }

    @ParameterizedTest
    @CsvSource({
        "-1, 0.7, 2, 'gamma must be finite and >= 0, was -1.0'",
        "0.1, 0, 2, 'threshold must be > 0, was 0.0'",
        "0.1, 0.7, 0, 'positive_weight must be finite and > 0, was 0.0'"
    })
    void numbersOutOfRangeAreRefused(double gamma, double threshold, double weight, String message) {
        var refused = assertThrows(
                IllegalArgumentException.class,
                () -> new GtpoMethod(gamma, Optional.of(threshold), weight, Conflicts.COUNTED));
        assertEquals(message, refused.getMessage());
    }
}

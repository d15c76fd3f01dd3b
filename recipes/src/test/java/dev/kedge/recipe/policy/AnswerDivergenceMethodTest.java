package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.policy.AnswerDivergenceMethod.Regularizer;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerDivergenceMethodTest {
    private static final double CLIP = 0.4;

    private final Decoder start = FirstLetter.decoder(3);
    private final Decoder moved = FirstLetter.decoder(4);
    private final Rollouts rollouts = FirstLetter.sample(start, 8, 5);

    static List<Regularizer> all() {
        return List.of(
                new Regularizer.None(),
                new Regularizer.RootChiSquared(0.5),
                new Regularizer.Kl(0.5),
                new Regularizer.KlInReward(0.5));
    }

    @AfterEach
    void close() {
        start.close();
        moved.close();
    }

    private double[] gradient(Regularizer regularizer, Rollouts drawn, Decoder policy, int questionsPerPass) {
        Learner learner = new AnswerDivergenceMethod(regularizer, CLIP).learner(start);
        return FirstLetter.gradient(learner, drawn, policy, start, policy == start, questionsPerPass);
    }

    /// The root is of a mean over the whole step, and still adds up.
    @ParameterizedTest
    @MethodSource("all")
    void microBatchesAddUpToTheBatch(Regularizer regularizer) {
        double[] whole = gradient(regularizer, rollouts, moved, 6);
        assertArrayEquals(whole, gradient(regularizer, rollouts, moved, 1), 1e-9 * largest(whole));
        assertTrue(largest(whole) > 1e-3);
    }

    /// At the start all divergences are 0, and so are their gradients, up to the rounding of the sampler's log-probs.
    @Test
    void atTheStartNothingIsHeld() {
        double[] free = gradient(new Regularizer.None(), rollouts, start, 6);
        for (Regularizer regularizer : all()) {
            assertArrayEquals(free, gradient(regularizer, rollouts, start, 6), 1e-6, regularizer.toString());
        }
    }

    /// Rewards beyond ±10 count as those; all else follows from differences.
    @Test
    void rewardsAreClipped() {
        double[] wide = gradient(new Regularizer.None(), withRewards(-1e6, 1e6), start, 6);
        double[] narrow = gradient(new Regularizer.None(), withRewards(-10, 10), start, 6);
        assertArrayEquals(narrow, wide, 1e-12);
        assertTrue(largest(narrow) > 1e-3);
    }

    private Rollouts withRewards(double wrong, double right) {
        List<Score> scores = rollouts.scores().stream()
                .map(s -> new Score(s.reward() > 0 ? right : wrong, Optional.empty(), ""))
                .toList();
        return new Rollouts(rollouts.sampler(), rollouts.questions(), rollouts.completions(), scores, 0, 0);
    }

    /// Without a reward that tells answers apart, a policy that has moved goes back: the root of chi-squared falls.
    @ParameterizedTest
    @ValueSource(strings = {"chi-squared", "kl/answer"})
    void penaltiesLeadBack(String metric) {
        Regularizer regularizer =
                metric.equals("chi-squared") ? new Regularizer.RootChiSquared(1) : new Regularizer.Kl(1);
        double before = divergence(moved, metric);
        for (int step = 0; step < 20; step++) {
            Rollouts own = FirstLetter.sample(moved, 8, 50 + step);
            List<Score> equal = own.scores().stream()
                    .map(_ -> new Score(0, Optional.empty(), ""))
                    .toList();
            gradient(
                    regularizer,
                    new Rollouts(own.sampler(), own.questions(), own.completions(), equal, 0, 0),
                    moved,
                    6);
            moved.parameters().clipGradient(1);
            try (var _ = Gradients.off();
                    var _ = new Scope()) {
                var flat = moved.parameters().flat();
                InPlace.copy_(flat, flat.minus(moved.parameters().gradient().times(0.05)));
            }
        }
        double after = divergence(moved, metric);
        assertTrue(after < 0.8 * before, before + " -> " + after);
    }

    private double divergence(Decoder policy, String metric) {
        Rollouts own = FirstLetter.sample(policy, 100, 7);
        try (var _ = new Scope()) {
            RolloutBatch batch = new RolloutBatch(own, policy, start, true, 0, 6);
            policy.parameters().trainable().zeroGradient();
            Learner learner = new AnswerDivergenceMethod(new Regularizer.None(), CLIP).learner(start);
            return batch.step(learner).gradient().get(metric);
        }
    }

    @Test
    void learns() {
        double before = FirstLetter.reward(start, 2);
        var method = new AnswerDivergenceMethod(new Regularizer.RootChiSquared(0.01), CLIP);
        double after = FirstLetter.learnt(method, 10, 4, 1e-2, 3);
        assertTrue(before < 0.4 && after > 0.6, before + " -> " + after);
    }

    @Test
    void badNumbersAreRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> new Regularizer.RootChiSquared(0));
        assertEquals("weight must be finite and > 0, was 0.0; kind: none has no weight", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new Regularizer.Kl(Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> new Regularizer.KlInReward(-1));
        assertThrows(IllegalArgumentException.class, () -> new AnswerDivergenceMethod(new Regularizer.None(), 1));
    }

    private static double largest(double[] values) {
        double largest = 0;
        for (double value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }
}

package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.policy.OrealMethod.Kept;
import dev.kedge.recipe.policy.OrealMethod.TokenWeights;
import dev.kedge.recipe.policy.OrealMethod.Weighing;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class OrealMethodTest {
    private static final Weighing HALF = new Weighing.Threshold(0.5, 0.5);

    private final Decoder start = FirstLetter.decoder(3);
    private final Decoder moved = FirstLetter.decoder(4);
    private final Rollouts rollouts = FirstLetter.sample(moved, 8, 5);

    @AfterEach
    void close() {
        start.close();
        moved.close();
    }

    static Stream<PolicyMethod> methods() {
        return Stream.of(
                new CloningMethod(0.1),
                new OrealMethod(0.5, 0.1, Kept.ALL, Optional.empty()),
                new OrealMethod(0.5, 0.1, Kept.ONE_OF_EACH, Optional.empty()),
                new OrealMethod(0.5, 0.1, Kept.ALL, weights(1, HALF)),
                new OrealMethod(0.5, 0.1, Kept.ONE_OF_EACH, weights(1, new Weighing.Largest(0.5, 0.5))));
    }

    private static Optional<TokenWeights> weights(int alone, Weighing weighing) {
        return Optional.of(new TokenWeights(0.02, alone, weighing));
    }

    /// At the third step, so that a reward model has learnt twice, in parts too.
    @ParameterizedTest
    @MethodSource("methods")
    void microBatchesAddUpToTheBatch(PolicyMethod method) {
        double[] whole = thirdGradient(method, 6);
        assertArrayEquals(whole, thirdGradient(method, 1), 1e-10);
        assertTrue(Arrays.stream(whole).anyMatch(g -> Math.abs(g) > 1e-4));
    }

    private double[] thirdGradient(PolicyMethod method, int questionsPerPass) {
        try (Learner learner = method.learner(start)) {
            gradient(learner, questionsPerPass);
            gradient(learner, questionsPerPass);
            return gradient(learner, questionsPerPass);
        }
    }

    private double[] gradient(Learner learner, int questionsPerPass) {
        return FirstLetter.gradient(learner, rollouts, moved, start, true, questionsPerPass);
    }

    @Test
    void aloneTheRewardModelLearnsAndThePolicyStandsStill() {
        try (Learner learner = new OrealMethod(0.5, 0.1, Kept.ALL, weights(2, HALF)).learner(start)) {
            Tensor head = learner.state().get("model/score.weight");
            for (int batch = 0; batch < 2; batch++) {
                double[] before = head.toDoubles();
                assertTrue(Arrays.stream(gradient(learner, 6)).allMatch(g -> g == 0));
                assertTrue(!Arrays.equals(before, head.toDoubles()));
            }
            assertTrue(Arrays.stream(gradient(learner, 6)).anyMatch(g -> g != 0));
        }
    }

    /// The outcome is known once the first letter is: from the outcomes of whole completions alone the model finds it.
    @Test
    void theRewardModelTellsOutcomesApart() {
        try (OutcomeModel model = new OutcomeModel(start, 0.02)) {
            double first = 0;
            double last = 0;
            for (int i = 0; i < 80; i++) {
                Rollouts fresh = FirstLetter.sample(moved, 16, 100 + i);
                try (Scope _ = new Scope()) {
                    RolloutBatch batch = new RolloutBatch(fresh, moved, start, true, 0, 6);
                    last = model.learn(batch, batch.rewards().ge(1).reshape(-1))
                            .losses()
                            .mean()
                            .item();
                    first = i == 0 ? last : first;
                }
            }
            assertEquals(Math.log(2), first, 1e-12);
            assertTrue(last < 0.3, "" + last);
        }
    }

    @Test
    void oneOfEachKeepsTheFirstOfBothOutcomes() {
        try (Scope _ = new Scope()) {
            RolloutBatch batch = new RolloutBatch(rollouts, moved, start, true, 0, 6);
            boolean[] kept =
                    OrealMethod.Outcomes.of(batch, Kept.ONE_OF_EACH).kept().toBooleans();
            for (int q = 0; q < 6; q++) {
                int right = 0;
                int keptRight = 0;
                int keptWrong = 0;
                for (int i = 8 * q; i < 8 * q + 8; i++) {
                    boolean isRight = rollouts.scores().get(i).reward() == 1;
                    right += isRight ? 1 : 0;
                    keptRight += isRight && kept[i] ? 1 : 0;
                    keptWrong += !isRight && kept[i] ? 1 : 0;
                }
                int expected = right > 0 && right < 8 ? 1 : 0;
                assertEquals(expected, keptRight);
                assertEquals(expected, keptWrong);
            }
        }
    }

    /// Not with the largest weights alone: the letter that decides is scored before it is seen, so that later ones have
    /// them.
    static Stream<PolicyMethod> able() {
        return methods().filter(m -> !m.toString().contains("Largest"));
    }

    @ParameterizedTest
    @MethodSource("able")
    void learns(PolicyMethod method) {
        double before = FirstLetter.reward(start, 2);
        double after = FirstLetter.learnt(method, 60, 1, 1e-2, 3);
        assertTrue(before < 0.4 && after > 0.7, before + " -> " + after);
    }

    @Test
    void badNumbersAreRefused() {
        refused("wrong must be finite and >= 0, was -1.0", () -> new OrealMethod(-1, 0, Kept.ALL, Optional.empty()));
        refused("kl must be finite and >= 0, was NaN", () -> new CloningMethod(Double.NaN));
        refused(
                "a finite learning_rate > 0 and alone >= 0 expected, were 0.0 and 3",
                () -> new TokenWeights(0, 3, HALF));
        refused("thresholds must be in [0, 1), were 0.5 and 1.0", () -> new Weighing.Threshold(0.5, 1));
        refused("shares must be in (0, 1], were 0.0 and 0.5", () -> new Weighing.Largest(0, 0.5));
    }

    private static void refused(String message, Executable made) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, made).getMessage());
    }
}

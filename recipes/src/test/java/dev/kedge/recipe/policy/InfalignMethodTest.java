package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.objective.selection.QuantileTransform;
import dev.kedge.objective.selection.QuantileTransform.Exponential;
import dev.kedge.objective.selection.QuantileTransform.Identity;
import dev.kedge.objective.selection.QuantileTransform.Logarithm;
import dev.kedge.objective.selection.QuantileTransform.NegativeExponential;
import dev.kedge.tensor.Scope;
import dev.kedge.text.CharTokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Completions of random decoders, worth the letters a in them.
class InfalignMethodTest {
    private static final CharTokenizer TOKENIZER = CharTokenizer.of("abcdef");
    private static final List<QuantileTransform> TRANSFORMS =
            List.of(new Identity(), new Exponential(10, Math.exp(10)), new NegativeExponential(10), new Logarithm());

    private Decoder policy;
    private Decoder start;

    @BeforeEach
    void models() {
        policy = RolloutBatchTest.decoder(2);
        policy.parameters().trainable();
        start = RolloutBatchTest.decoder(2);
    }

    @AfterEach
    void close() {
        policy.close();
        start.close();
    }

    private static Sampler sampler(int group, DoubleUnaryOperator worth) {
        Scorer scorer = (questions, completions) -> completions.stream()
                .map(c -> new Score(
                        worth.applyAsDouble(c.chars().filter(x -> x == 'a').count()), Optional.empty(), ""))
                .toList();
        return new Sampler(TOKENIZER, scorer, group, 6, 1, Truncated.JUDGED);
    }

    private double[] gradient(PolicyMethod method, Rollouts rollouts, int questionsPerPass) {
        policy.parameters().zeroGradient();
        try (Scope _ = new Scope();
                Learner learner = method.learner(start)) {
            RolloutBatch batch = new RolloutBatch(rollouts, policy, start, true, 0, questionsPerPass);
            batch.step(learner).gradient();
            return policy.parameters().gradient().toDoubles();
        }
    }

    @Test
    void microBatchesAddUpToTheBatch() {
        Rollouts rollouts = sampler(4, a -> a).sample(policy, RolloutBatchTest.questions(6), 3);
        for (QuantileTransform transform : TRANSFORMS) {
            PolicyMethod method = new InfalignMethod(transform, 0.1, 16, 4);
            double[] whole = gradient(method, rollouts, 100);
            assertTrue(Arrays.stream(whole).anyMatch(g -> Math.abs(g) > 1e-5), method.title());
            assertArrayEquals(whole, gradient(method, rollouts, 1), 1e-9, method.title());
        }
    }

    /// A quantile does not know on what scale rewards are; RLOO does.
    @Test
    void anIncreasingMapOfTheRewardChangesNothing() {
        Rollouts plain = sampler(4, a -> a).sample(policy, RolloutBatchTest.questions(4), 3);
        Rollouts mapped = sampler(4, a -> Math.exp(3 * a) - 50).sample(policy, RolloutBatchTest.questions(4), 3);
        PolicyMethod method = new InfalignMethod(new Exponential(10, 1e4), 0.1, 16, 4);
        assertArrayEquals(gradient(method, plain, 2), gradient(method, mapped, 2), 1e-12);
        PolicyMethod rloo = new RlooMethod(0.1);
        double[] other = gradient(rloo, mapped, 2);
        double[] same = gradient(rloo, plain, 2);
        assertTrue(IntStream.range(0, same.length)
                        .mapToDouble(i -> Math.abs(same[i] - other[i]))
                        .max()
                        .orElseThrow()
                > 0.1);
    }

    /// What a question is calibrated by does not depend on what else is in the step, nor on what came before it.
    @Test
    void calibrationBelongsToTheQuestion() {
        Rollouts rollouts = sampler(4, a -> a).sample(policy, RolloutBatchTest.questions(6), 3);
        PolicyMethod method = new InfalignMethod(new Identity(), 0, 8, 4);
        Rollouts last = rollouts.at(5);
        try (Scope _ = new Scope();
                Learner learner = method.learner(start)) {
            RolloutBatch first = new RolloutBatch(rollouts, policy, start, true, 0, 9);
            RolloutBatch second = new RolloutBatch(last, policy, start, true, 0, 9);
            RolloutBatch alone = new RolloutBatch(last, policy, start, true, 0, 9);
            learner.loss(first);
            policy.parameters().zeroGradient();
            Map<String, Double> after = second.step(learner).gradient().values();
            policy.parameters().zeroGradient();
            assertEquals(after, alone.step(method.learner(start)).gradient().values());
            assertTrue(after.get("quantile") > 0 && after.get("quantile") < 1, after.toString());
        }
    }

    /// Each transform learns: at the end answers win against the start's by far more than the standard error, of ten
    /// steps' 320 answers and of the 256 that they are held against, a quantile's deviation being 1/2 at most.
    @Test
    void learnsToWin() {
        List<Question> questions = RolloutBatchTest.questions(8);
        for (QuantileTransform transform : TRANSFORMS) {
            PolicyMethod method = new InfalignMethod(transform, 0, 32, 4);
            try (Decoder learning = RolloutBatchTest.decoder(2);
                    AdamW optimizer = new AdamW(learning.parameters(), AdamW.Config.DEFAULT);
                    Learner learner = method.learner(start)) {
                learning.parameters().trainable();
                List<Double> wins = new ArrayList<>();
                for (int i = 0; i < 40; i++) {
                    Rollouts rollouts = sampler(4, a -> a).sample(learning, questions, 100 + i);
                    try (Scope _ = new Scope()) {
                        RolloutBatch batch = new RolloutBatch(rollouts, learning, start, true, 0, 8);
                        wins.add(batch.step(learner).gradient().get("quantile"));
                        optimizer.step(1e-2);
                    }
                }
                double before = wins.getFirst();
                double after = wins.subList(30, 40).stream()
                        .mapToDouble(Double::doubleValue)
                        .average()
                        .orElseThrow();
                assertEquals(0.5, before, 5 * 0.5 / Math.sqrt(32), method.title()); // it is the start
                assertTrue(after > 0.5 + 4 * Math.sqrt(0.25 / 320 + 0.25 / 256), method.title() + " wins " + after);
            }
        }
    }

    /// Against all choices of N answers, one by one.
    @Test
    void winRatesAreThoseOfAllChoices() {
        Random random = new Random(4);
        for (int n = 1; n <= 4; n++) {
            double[] mine = random.ints(6, 0, 5).asDoubleStream().toArray();
            double[] theirs = random.ints(5, 0, 5).asDoubleStream().toArray();
            double any = 0;
            double best = 0;
            double worst = 0;
            List<double[]> ours = choices(mine, n);
            List<double[]> others = choices(theirs, n);
            for (double[] a : ours) {
                for (double[] b : others) {
                    double pairs = ours.size() * others.size();
                    best += win(
                                    Arrays.stream(a).max().orElseThrow(),
                                    Arrays.stream(b).max().orElseThrow())
                            / pairs;
                    worst += win(
                                    Arrays.stream(a).min().orElseThrow(),
                                    Arrays.stream(b).min().orElseThrow())
                            / pairs;
                    any += win(a[0], b[0]) / pairs;
                }
            }
            HeldOut policies = heldOut(mine);
            HeldOut rivals = heldOut(theirs);
            assertEquals(best, Selection.BEST.winRates(n, policies, rivals)[0], 1e-12);
            assertEquals(worst, Selection.WORST.winRates(n, policies, rivals)[0], 1e-12);
            assertEquals(0.5, Selection.BEST.winRates(n, rivals, rivals)[0], 1e-12);
            if (n == 1) {
                assertEquals(any, Selection.ANY.winRates(n, policies, rivals)[0], 1e-12);
            }
        }
    }

    private static double win(double a, double b) {
        return a > b ? 1 : a == b ? 0.5 : 0;
    }

    private static List<double[]> choices(double[] values, int n) {
        List<double[]> choices = new ArrayList<>();
        for (int mask = 0; mask < 1 << values.length; mask++) {
            if (Integer.bitCount(mask) == n) {
                int chosen = mask;
                choices.add(IntStream.range(0, values.length)
                        .filter(i -> (chosen >> i & 1) == 1)
                        .mapToDouble(i -> values[i])
                        .toArray());
            }
        }
        return choices;
    }

    /// Completions to one question with these rewards; what was said does not matter.
    private static HeldOut heldOut(double[] rewards) {
        Sampler sampler = sampler(rewards.length, a -> a);
        try (Decoder any = RolloutBatchTest.decoder(1)) {
            Rollouts rollouts = sampler.sample(any, RolloutBatchTest.questions(1), 1);
            List<Score> scores = Arrays.stream(rewards)
                    .mapToObj(r -> new Score(r, Optional.empty(), ""))
                    .toList();
            return new HeldOut(
                    new Rollouts(sampler, rollouts.questions(), rollouts.completions(), scores, 0, 0),
                    new double[] {0});
        }
    }

    @Test
    void numbersThatCannotBeAreRefused() {
        assertRefused("draws >= 1 and selected_from >= 2 expected, were 0 and 4", () -> method(0.1, 0, 4));
        assertRefused("draws >= 1 and selected_from >= 2 expected, were 64 and 1", () -> method(0.1, 64, 1));
        assertRefused("beta must be finite and >= 0, was -1.0", () -> method(-1, 64, 4));
        HeldOut three = heldOut(new double[] {1, 2, 3});
        assertRefused(
                "from 1 to 3 answers to select from expected, was 4", () -> Selection.BEST.winRates(4, three, three));
    }

    private static void method(double beta, int draws, int selection) {
        new InfalignMethod(new Identity(), beta, draws, selection);
    }

    private static void assertRefused(String message, Runnable call) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }
}

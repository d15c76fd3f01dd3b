package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.recipe.policy.LpRegMethod.Pull;
import dev.kedge.recipe.policy.LpRegMethod.Source;
import dev.kedge.tensor.InPlace;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class LpRegMethodTest {
    private static final List<Source> SOURCES =
            List.of(new Source.Sampler(), new Source.Present(), new Source.Start(), new Source.Average(0.5));

    private static LpRegMethod method(Source source, Pull pull, double share, double beta) {
        return new LpRegMethod(source, 0.3, pull, share, beta, 1, 9);
    }

    /// The second step on rollouts, of a policy that has moved: the threshold is one for all micro-batches.
    @Test
    void microBatchesAddUpToTheBatch() {
        for (Source source : SOURCES) {
            for (Pull pull : List.of(new Pull.Sampled(10), new Pull.Exact())) {
                LpRegMethod method = method(source, pull, 0.8, 1);
                double[] whole = secondStep(method, 4);
                assertArrayEquals(whole, secondStep(method, 1), 1e-12, method.toString());
                assertTrue(distance(whole, secondStep(method(source, pull, 0.8, 0), 4)) > 1e-4, "no pull: " + method);
            }
        }
    }

    private static double[] secondStep(LpRegMethod method, int questionsPerPass) {
        try (Decoder start = LetterEnvironment.decoder(1);
                Decoder drew = LetterEnvironment.decoder(2);
                Decoder moved = LetterEnvironment.decoder(3);
                Learner learner = method.learner(start)) {
            Rollouts rollouts = LetterEnvironment.sample(drew, 5);
            LetterEnvironment.gradient(learner, rollouts, drew, start, true, questionsPerPass);
            return LetterEnvironment.gradient(learner, rollouts, moved, start, false, questionsPerPass);
        }
    }

    @Test
    void withoutAShareItIsTheClippedLossOverTokens() {
        LpRegMethod none = method(new Source.Start(), new Pull.Sampled(10), 0, 1);
        try (Decoder start = LetterEnvironment.decoder(1);
                Decoder policy = LetterEnvironment.decoder(2)) {
            Rollouts rollouts = LetterEnvironment.sample(policy, 5);
            assertArrayEquals(
                    LetterEnvironment.gradient(
                            new DapoMethod(1, 9, 0, 0).learner(start), rollouts, policy, start, true, 4),
                    LetterEnvironment.gradient(none.learner(start), rollouts, policy, start, true, 4),
                    1e-12);
        }
    }

    /// A proxy that leaves nothing out is the policy itself: there is nothing to be pulled up to.
    @Test
    void onPolicyAProxyOfAllTokensDoesNotPull() {
        try (Decoder start = LetterEnvironment.decoder(1);
                Decoder policy = LetterEnvironment.decoder(2)) {
            Rollouts rollouts = LetterEnvironment.sample(policy, 5);
            var all = new LpRegMethod(new Source.Sampler(), 0, new Pull.Sampled(10), 1, 5, 1, 9);
            try (Learner learner = all.learner(start)) {
                assertArrayEquals(
                        LetterEnvironment.gradient(
                                new DapoMethod(1, 9, 0, 0).learner(start), rollouts, policy, start, true, 4),
                        LetterEnvironment.gradient(learner, rollouts, policy, start, true, 4),
                        1e-12);
            }
        }
    }

    /// The policy that wrote is remembered from the first step on its rollouts to the last, and through a checkpoint.
    @Test
    void whatIsRememberedComesBack() {
        for (Source source : List.of(new Source.Sampler(), new Source.Average(0.9))) {
            LpRegMethod method = method(source, new Pull.Sampled(10), 0.8, 1);
            try (Decoder start = LetterEnvironment.decoder(1);
                    Decoder drew = LetterEnvironment.decoder(2);
                    Decoder moved = LetterEnvironment.decoder(3);
                    Learner learner = method.learner(start);
                    Learner resumed = method.learner(start);
                    Learner forgetful = method.learner(start)) {
                Rollouts rollouts = LetterEnvironment.sample(drew, 5);
                LetterEnvironment.gradient(learner, rollouts, drew, start, true, 4);
                resumed.state()
                        .forEach((name, tensor) ->
                                InPlace.copy_(tensor, learner.state().get(name)));
                double[] expected = LetterEnvironment.gradient(learner, rollouts, moved, start, false, 4);
                assertArrayEquals(expected, LetterEnvironment.gradient(resumed, rollouts, moved, start, false, 4));
                assertTrue(
                        distance(expected, LetterEnvironment.gradient(forgetful, rollouts, moved, start, false, 4))
                                > 1e-4,
                        "nothing is remembered by " + method);
            }
        }
    }

    @Test
    void theAverageFollowsThePolicies() {
        LpRegMethod method = method(new Source.Average(0.75), new Pull.Sampled(10), 0.8, 1);
        try (Decoder start = LetterEnvironment.decoder(1);
                Decoder policy = LetterEnvironment.decoder(2);
                Learner learner = method.learner(start)) {
            LetterEnvironment.gradient(learner, LetterEnvironment.sample(policy, 5), policy, start, true, 4);
            String name = learner.state().keySet().iterator().next();
            double[] a = start.parameters().get(name).toDoubles();
            double[] b = policy.parameters().get(name).toDoubles();
            double[] expected = new double[a.length];
            Arrays.setAll(expected, i -> 0.75 * a[i] + 0.25 * b[i]);
            assertArrayEquals(expected, learner.state().get(name).toDoubles(), 1e-12);
        }
    }

    /// One letter in five is right by chance.
    @Test
    void learns() {
        for (Source source : List.of(new Source.Sampler(), new Source.Average(0.9))) {
            double reward = LetterEnvironment.learnt(
                    new LpRegMethod(source, 0.02, new Pull.Sampled(10), 0.2, 0.5, 1, 9), 80)[0];
            assertTrue(reward > 0.6, source + ": " + reward);
        }
    }

    @Test
    void refusesWhatMakesNoSense() {
        assertRefused(
                "kappa must be in [0, 1], was -0.1",
                () -> new LpRegMethod(new Source.Start(), -0.1, new Pull.Exact(), 0.1, 1, 1, 9));
        assertRefused("share must be in [0, 1], was 2.0", () -> method(new Source.Start(), new Pull.Exact(), 2, 1));
        assertRefused(
                "beta must be finite and >= 0, was -1.0", () -> method(new Source.Start(), new Pull.Exact(), 1, -1));
        assertRefused("cap must be > 0, was 0.0", () -> new Pull.Sampled(0));
        assertRefused("decay must be in [0, 1), was 1.0", () -> new Source.Average(1));
    }

    private static void assertRefused(String line, Runnable made) {
        assertEquals(
                line, assertThrows(IllegalArgumentException.class, made::run).getMessage());
    }

    private static double distance(double[] a, double[] b) {
        double most = 0;
        for (int i = 0; i < a.length; i++) {
            most = Math.max(most, Math.abs(a[i] - b[i]));
        }
        return most;
    }
}

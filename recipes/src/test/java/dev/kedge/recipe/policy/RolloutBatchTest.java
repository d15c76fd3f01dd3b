package dev.kedge.recipe.policy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.StopReason;
import dev.kedge.objective.Loss;
import dev.kedge.recipe.policy.PolicyGradientMethod.Advantage;
import dev.kedge.recipe.policy.PolicyGradientMethod.Estimator;
import dev.kedge.recipe.policy.PolicyGradientMethod.Kl;
import dev.kedge.recipe.policy.PolicyGradientMethod.Ratio;
import dev.kedge.recipe.policy.PolicyGradientMethod.Weighing;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.CharTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A step against the whole batch read at once, and the choices of the family against its named members.
class RolloutBatchTest {
    private static final CharTokenizer TOKENIZER = CharTokenizer.of("abcdef");

    private Decoder policy;
    private Decoder reference;

    @BeforeEach
    void models() {
        policy = decoder(1);
        policy.parameters().trainable();
        reference = decoder(2);
    }

    @AfterEach
    void close() {
        policy.close();
        reference.close();
    }

    /// In float64, so that the order of a sum does not show.
    static Decoder decoder(long seed) {
        DecoderConfig config = DecoderConfig.small(TOKENIZER.vocabularySize(), 8, 2, 2, 24);
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(seed);
                Decoder shape = Decoder.random(config, 0.7, rng, Device.CPU)) {
            return new Decoder(config, Parameters.copyOf(shape.parameters().named(), DType.FLOAT64, Device.CPU));
        }
    }

    /// A scorer that likes the letter a, and has nothing to say of what begins with f.
    static Sampler sampler(int group, Truncated truncated) {
        return new Sampler(TOKENIZER, RolloutBatchTest::score, group, 6, 1.3, truncated);
    }

    private static List<Score> score(List<Question> questions, List<String> completions) {
        return completions.stream()
                .map(c -> c.startsWith("f")
                        ? new Score(Double.NaN, Optional.empty(), "begins with f")
                        : new Score(c.chars().filter(x -> x == 'a').count(), Optional.of(c), ""))
                .toList();
    }

    static List<Question> questions(int count) {
        List<Question> questions = new ArrayList<>();
        Random random = new Random(5);
        for (int i = 0; i < count; i++) {
            String text = "abcdef".substring(random.nextInt(3), 3 + random.nextInt(4));
            questions.add(new Question(TOKENIZER.encode(text), text, ""));
        }
        return questions;
    }

    private double[] gradient(PolicyMethod method, Rollouts rollouts, boolean onPolicy, int questionsPerPass) {
        policy.parameters().zeroGradient();
        try (Scope _ = new Scope();
                Learner learner = method.learner(reference)) {
            RolloutBatch batch = new RolloutBatch(rollouts, policy, reference, onPolicy, 0, questionsPerPass);
            batch.step(learner).gradient();
            return policy.parameters().gradient().toDoubles();
        }
    }

    private static double[] scaled(double[] values, double factor) {
        return Arrays.stream(values).map(v -> v * factor).toArray();
    }

    private void assertSame(PolicyMethod expected, PolicyMethod actual, Rollouts rollouts, boolean onPolicy) {
        double[] gradient = gradient(expected, rollouts, onPolicy, 100);
        assertTrue(Arrays.stream(gradient).anyMatch(g -> Math.abs(g) > 1e-4));
        assertArrayEquals(gradient, gradient(actual, rollouts, onPolicy, 2), 1e-9);
    }

    /// Each member of the family is its four choices, on policy and on the rollouts of another policy.
    @Test
    void namedMethodsAreTheirFourChoices() {
        Kl none = new Kl.None();
        for (boolean onPolicy : new boolean[] {true, false}) {
            Decoder writer = onPolicy ? policy : reference;
            Rollouts rollouts = sampler(4, Truncated.JUDGED)
                    .sample(writer, questions(12), 3)
                    .rewarded();
            assertTrue(rollouts.questions().size() > 2);
            assertSame(
                    new GrpoMethod(0.2, 0.3),
                    new PolicyGradientMethod(
                            Advantage.NORMALIZED,
                            new Ratio.Tokens(0.2, 0.2),
                            Weighing.PER_SEQUENCE,
                            new Kl.InLoss(Estimator.K3, 0.3)),
                    rollouts,
                    onPolicy);
            assertSame(
                    new DrGrpoMethod(0.2),
                    new PolicyGradientMethod(
                            Advantage.CENTRED, new Ratio.Tokens(0.2, 0.2), Weighing.CONSTANT_LENGTH, none),
                    rollouts,
                    onPolicy);
            assertSame(
                    new DapoMethod(0.2, 0.28, 0, 0),
                    new PolicyGradientMethod(
                            Advantage.NORMALIZED, new Ratio.Tokens(0.2, 0.28), Weighing.PER_TOKEN, none),
                    rollouts,
                    onPolicy);
            assertSame(
                    new GspoMethod(0.02, 0.03),
                    new PolicyGradientMethod(
                            Advantage.NORMALIZED, new Ratio.Sequences(0.02, 0.03), Weighing.PER_SEQUENCE, none),
                    rollouts,
                    onPolicy);
            assertSame(
                    new PpoClipMethod(0.2),
                    new PolicyGradientMethod(Advantage.WHITENED, new Ratio.Tokens(0.2, 0.2), Weighing.PER_TOKEN, none),
                    rollouts,
                    onPolicy);
            assertSame(
                    new RlooMethod(0.4),
                    new PolicyGradientMethod(
                            Advantage.LEAVE_ONE_OUT, new Ratio.None(), Weighing.SEQUENCE_SUM, new Kl.InReward(0.4)),
                    rollouts,
                    onPolicy);
            assertSame(
                    new ReinforceMethod(), // its baseline is 0 at the first batch
                    new PolicyGradientMethod(Advantage.REWARD, new Ratio.None(), Weighing.SEQUENCE_SUM, none),
                    rollouts,
                    onPolicy);
        }
    }

    /// On policy PPO, GRPO and REINFORCE have one gradient, given the same advantage and weighing.
    @Test
    void onPolicyTheRatioDoesNotMatter() {
        Rollouts rollouts =
                sampler(4, Truncated.JUDGED).sample(policy, questions(12), 3).rewarded();
        for (Ratio ratio : List.of(new Ratio.Unclipped(), new Ratio.Sequences(0.2, 0.2), new Ratio.Tokens(0.2, 0.2))) {
            assertSame(
                    new PolicyGradientMethod(Advantage.CENTRED, new Ratio.None(), Weighing.PER_SEQUENCE, new Kl.None()),
                    new PolicyGradientMethod(Advantage.CENTRED, ratio, Weighing.PER_SEQUENCE, new Kl.None()),
                    rollouts,
                    true);
        }
    }

    /// A group without a reward for each of its completions is left out, whole; the others learn as if it had not been
    /// asked.
    @Test
    void groupsWithoutARewardTakeNoPart() {
        Rollouts rollouts = sampler(4, Truncated.JUDGED).sample(policy, questions(12), 3);
        long troubled = rollouts.scores().stream().filter(s -> !s.hasReward()).count();
        assertTrue(troubled > 0, "the scorer was never in trouble");
        assertEquals((double) troubled, rollouts.metrics().get("unjudged"));
        Rollouts rewarded = rollouts.rewarded();
        assertTrue(rewarded.questions().size() < 12 && rewarded.questions().size() > 0);
        assertTrue(rewarded.scores().stream().allMatch(Score::hasReward));
        assertEquals(0, rewarded.metrics().get("unjudged"));
    }

    /// Equal rewards have no gradient.
    @Test
    void equalGroupsTeachNothing() {
        Sampler indifferent = new Sampler(
                TOKENIZER,
                (q, completions) -> completions.stream()
                        .map(c -> new Score(0.7, Optional.empty(), ""))
                        .toList(),
                4,
                6,
                1,
                Truncated.JUDGED);
        Rollouts rollouts = indifferent.sample(policy, questions(3), 4);
        assertEquals(1, rollouts.metrics().get("groups/equal"));
        assertEquals(0, rollouts.informative().questions().size());
        for (PolicyMethod method : List.of(new GrpoMethod(0.2, 0), new DrGrpoMethod(0.2), new RlooMethod(0))) {
            assertArrayEquals(
                    scaled(gradient(method, rollouts, true, 2), 0), gradient(method, rollouts, true, 2), 1e-15);
        }
    }

    /// A completion that was cut off: wrong, or judged but not learnt from.
    @Test
    void truncatedCompletions() {
        Rollouts judged = sampler(6, Truncated.JUDGED).sample(policy, questions(6), 3);
        Rollouts wrong = sampler(6, Truncated.WRONG).sample(policy, questions(6), 3);
        Rollouts masked = sampler(6, Truncated.MASKED).sample(policy, questions(6), 3);
        int cut = 0;
        long left = 0;
        for (int i = 0; i < judged.completions().size(); i++) {
            Completion c = judged.completions().get(i);
            boolean truncated = c.reason() == StopReason.LENGTH;
            cut += truncated ? 1 : 0;
            left += truncated ? 0 : c.tokens().length;
            assertEquals(
                    truncated ? 0 : judged.scores().get(i).reward(),
                    wrong.scores().get(i).reward());
            assertEquals(judged.scores().get(i).reward(), masked.scores().get(i).reward());
        }
        assertTrue(cut > 0);
        assertEquals(left, masked.tokens());
        assertEquals(
                cut / (double) judged.completions().size(), masked.metrics().get("truncated"));
        Rollouts learnable = masked.rewarded();
        double[] gradient = gradient(new GrpoMethod(0.2, 0), learnable, true, 2);
        assertArrayEquals(gradient, gradient(new GrpoMethod(0.2, 0), learnable, true, 100), 1e-9);
    }

    /// No learner is asked where no group has all its rewards.
    @Test
    void withoutQuestionsThereIsNothingToLearn() {
        Rollouts none =
                sampler(4, Truncated.JUDGED).sample(policy, questions(3), 3).first(0);
        RolloutBatch batch = new RolloutBatch(none, policy, reference, true, 0, 2);
        assertEquals(List.of(), batch.step(_ -> fail("asked")).parts());
    }

    /// A verifier of one's own, as a lambda: what it says, or why it says nothing.
    @Test
    void aVerifierOfOnesOwnRewards() {
        Scorer scorer = Scorer.of((question, completion) -> {
            if (completion.isEmpty()) {
                throw new IllegalStateException("nothing was said");
            }
            return completion.equals(question.answer()) ? 1 : 0;
        });
        Question question = Question.of("ab", "cd", TOKENIZER);
        assertArrayEquals(TOKENIZER.encode("ab"), question.prompt());
        List<Score> scores = scorer.score(List.of(question, question, question), List.of("cd", "ce", ""));
        assertEquals(
                List.of(1.0, 0.0, Double.NaN),
                scores.stream().map(Score::reward).toList());
        assertEquals("IllegalStateException: nothing was said", scores.getLast().failure());
    }

    /// Rollouts come back from the disk bit for bit.
    @Test
    void rolloutsAreKept(@TempDir Path folder) {
        List<Question> questions = questions(9);
        Sampler sampler = sampler(4, Truncated.JUDGED);
        Rollouts rollouts = sampler.sample(policy, questions.subList(2, 7), 3);
        RolloutFiles files = new RolloutFiles(folder.resolve("rollouts"));
        files.forget(3); // there is nothing yet
        files.write(3, rollouts, questions);
        files.write(4, rollouts.first(1), questions);
        Rollouts read = files.read(3, sampler, questions);
        assertEquals(rollouts.questions(), read.questions());
        assertEquals(rollouts.scores(), read.scores());
        for (int i = 0; i < rollouts.completions().size(); i++) {
            Completion expected = rollouts.completions().get(i);
            Completion actual = read.completions().get(i);
            assertEquals(expected.prompt(), actual.prompt());
            assertArrayEquals(expected.tokens(), actual.tokens());
            assertArrayEquals(expected.logProbs(), actual.logProbs(), 0);
            assertArrayEquals(expected.entropies(), actual.entropies(), 0);
            assertEquals(expected.reason(), actual.reason());
        }
        files.forget(4);
        assertTrue(Files.notExists(folder.resolve("rollouts/rollouts-3.jsonl")));
        assertEquals(1, files.read(4, sampler, questions).questions().size());
    }

    /// Rewards, log-probs and logits of a micro-batch are those of its completions.
    @Test
    void aMicroBatchIsAWindowOnItsBatch() {
        Rollouts rollouts = sampler(3, Truncated.JUDGED).sample(reference, questions(4), 3);
        try (Scope _ = new Scope()) {
            RolloutBatch batch = new RolloutBatch(rollouts, policy, reference, false, 0, 1);
            Tensor now = batch.logProbs();
            Tensor ref = batch.refLogProbs();
            batch.step(_ -> microBatch -> {
                        int width = (int) microBatch.mask().size(1);
                        Tensor logProbs = microBatch.rollout().logProbs();
                        try (var _ = Gradients.off()) {
                            assertClose(microBatch.of(now), logProbs.detach(), 1e-5);
                            assertClose(microBatch.of(ref), microBatch.refLogProbs(), 0);
                            assertClose(
                                    microBatch.of(batch.oldLogProbs()), microBatch.of(ref), 1e-4); // the reference drew
                            Tensor chosen = microBatch
                                    .logits()
                                    .detach()
                                    .logSoftmax(2)
                                    .gather(2, microBatch.tokens().unsqueeze(2))
                                    .squeeze(2)
                                    .whereElse(microBatch.mask(), 0);
                            assertClose(chosen, logProbs.detach(), 1e-9);
                        }
                        assertEquals(3L * width, microBatch.mask().numel());
                        return Loss.of(logProbs.sum());
                    })
                    .gradient();
        }
    }

    private static void assertClose(Tensor expected, Tensor actual, double tolerance) {
        assertArrayEquals(expected.shape(), actual.shape());
        assertArrayEquals(
                expected.to(DType.FLOAT64).toDoubles(), actual.to(DType.FLOAT64).toDoubles(), tolerance);
    }
}

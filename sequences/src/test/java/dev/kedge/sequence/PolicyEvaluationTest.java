package dev.kedge.sequence;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.LabelledSequence;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.Terminal;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Against counts by hand, and against log-probs of one reply after the other. The model has 24 positions.
class PolicyEvaluationTest {
    private static final long SEED = 5;
    private static final Summary BASE = Summary.of("tiny", Summary.Status.FINISHED, 1);
    private static final List<TokenizedPair> PAIRS = List.of(
            TinyModel.pair("ab ", "cd", "efghe"),
            TinyModel.pair("h ", "abcd", "e"),
            TinyModel.pair("gga ", "a", "hh"),
            TinyModel.pair("c ", "dab", "fe"),
            TinyModel.pair("de ", "bb", "gfgf"));

    public record Noted(String text) {}

    @TempDir
    Path folder;

    private Run run;
    private PretrainedModel start;
    private Policy policy;

    @BeforeEach
    void open() {
        run = Run.start(folder.resolve("run"), "tiny", new Noted("nothing"), Terminal.quiet());
        start = PretrainedModel.open(TinyModel.in(folder.resolve("start"), 1), Device.CPU);
        policy = Policy.start(start, run, Optional.empty(), List.of(), Optional.empty(), true, SEED);
        TinyModel.move(policy.decoder(), 3, 0.1);
    }

    @AfterEach
    void close() {
        policy.close();
        start.close();
        run.close();
    }

    private static PolicyEvaluation evaluation(int prompts, int replyTokens, double temperature, int samples) {
        return new PolicyEvaluation(new PolicyEvaluation.Config(prompts, replyTokens, temperature, samples), SEED);
    }

    private static Estimate fact(Summary summary, String name) {
        return summary.facts().stream()
                .filter(fact -> fact.name().equals(name))
                .findFirst()
                .orElseThrow()
                .estimate();
    }

    private static void assertClose(Estimate expected, Estimate actual, double tolerance) {
        assertEquals(expected.value(), actual.value(), tolerance);
        assertEquals(expected.low(), actual.low(), tolerance);
        assertEquals(expected.high(), actual.high(), tolerance);
    }

    private static Estimate mean(double... values) {
        return new Bootstrap(2000, 0.95, Streams.of(SEED, "bootstrap")).bca(values);
    }

    /// Of n successes in n trials Clopper and Pearson's interval begins at the n-th root of 0.025; p is 2 / 2^n.
    @Test
    void accuracyIsTheShareOfPairsWithAPositiveMargin() {
        double end = Math.pow(0.025, 0.2);
        double[] all = {1, 0.5, 2, 1e-9, 3};
        Summary better = evaluation(2, 2, 1, 0).ofPairs(BASE, policy, PAIRS, all);
        assertClose(new Estimate(1, end, 1), fact(better, "held-out preference accuracy"), 1e-6);
        assertEquals(1.0 / 16, fact(better, "p-value against 50 %").value(), 1e-12);
        assertEquals(
                "Held-out preference accuracy is 100.0 % [47.8, 100.0] on 5 pairs; against chance (50 %), p = 0.063:"
                        + " not told apart from chance.",
                better.verdict());
        assertClose(mean(all), fact(better, "reward margin"), 1e-12);
        Summary worse = evaluation(2, 2, 1, 0).ofPairs(BASE, policy, PAIRS, new double[] {-1, 0, -2, -0.5, -1});
        assertEquals(0.1, fact(worse, "held-out preference accuracy").value(), 1e-12, "a tie counts half");
        assertEquals(1.0 / 8, fact(worse, "p-value against 50 %").value(), 1e-12, "of the four that are none");
        Summary between = evaluation(2, 2, 1, 0).ofPairs(BASE, policy, PAIRS, new double[] {1, 0, 2, -0.5, 1});
        assertEquals(0.7, fact(between, "held-out preference accuracy").value(), 1e-12, "a tie counts half");
        assertEquals(0.625, fact(between, "p-value against 50 %").value(), 1e-12);
        assertTrue(between.verdict().endsWith(": not told apart from chance."), between.verdict());
    }

    @Test
    void theVerdictIsThatOfThePValue() {
        List<TokenizedPair> six =
                Stream.concat(PAIRS.stream(), PAIRS.stream().limit(1)).toList();
        double[] margins = {1, 2, 1, 3, 1, 1};
        Summary better = evaluation(2, 2, 1, 0).ofPairs(BASE, policy, six, margins);
        assertEquals(1.0 / 32, better.number("p_value"), 1e-12);
        assertTrue(better.verdict().endsWith(": better than chance."), better.verdict());
        double[] opposite = Arrays.stream(margins).map(m -> -m).toArray();
        String worse =
                evaluation(2, 2, 1, 0).ofPairs(BASE, policy, six, opposite).verdict();
        assertTrue(worse.endsWith(": worse than chance."), worse);
    }

    @Test
    void aPolicyThatHasNotMovedIsNotToldApartFromChance() {
        Summary still = evaluation(2, 2, 1, 0).ofPairs(BASE, policy, PAIRS, new double[5]);
        assertEquals(0.5, still.number("held_out_preference_accuracy"));
        assertEquals(1, still.number("p_value"));
        assertTrue(
                still.verdict()
                        .endsWith("not told apart from chance, as no margin differs from 0: the policy has not moved."),
                still.verdict());
    }

    @Test
    void theReferencesOwnLikelihoodIsAccuracyToo() {
        double right = PAIRS.stream()
                .filter(p -> TinyModel.logProb(policy.reference(), p.chosen(), 1)
                        > TinyModel.logProb(policy.reference(), p.rejected(), 1))
                .count();
        assertTrue(right != 0 && right != 2.5 && right != 5, "nothing to tell by");
        Summary summary = evaluation(2, 2, 1, 0).ofPairs(BASE, policy, PAIRS, new double[] {1, 0, 2, -0.5, 1});
        assertEquals(
                right / 5,
                fact(summary, "accuracy of the reference's likelihood").value(),
                1e-12);
        assertTrue(fact(summary, "accuracy of the reference's likelihood").hasInterval());
    }

    /// Of the desirable ones, 1 is above 0 and equal to 1, 2 is above both, and neither reaches 3.
    @Test
    void desirableRewardsAreComparedWithEachUndesirableOne() {
        List<LabelledSequence> heldOut = new ArrayList<>();
        boolean[] desirable = {true, false, false, true, false};
        for (int i = 0; i < 5; i++) {
            heldOut.add(new LabelledSequence(PAIRS.get(i).chosen(), desirable[i]));
        }
        Summary summary = evaluation(2, 2, 1, 1).ofLabelled(BASE, policy, heldOut, new double[] {1, 0, 1, 2, 3});
        Estimate above = fact(summary, "desirable above undesirable");
        assertClose(mean(0.5, 2 / 3.0), above, 1e-12);
        assertClose(mean(1, 2), fact(summary, "reward, desirable"), 1e-12);
        assertClose(mean(0, 1, 3), fact(summary, "reward, undesirable"), 1e-12);
        assertTrue(summary.verdict().contains(" in 58.3 % [50.0, 66.7] of all cases"), summary.verdict());
        assertEquals("ab ", summary.samples().getFirst().prompt());
        for (boolean label : new boolean[] {true, false}) {
            List<LabelledSequence> alike = List.of(
                    new LabelledSequence(PAIRS.get(0).chosen(), label),
                    new LabelledSequence(PAIRS.get(1).chosen(), label));
            var e = assertThrows(RunFailedException.class, () -> evaluation(2, 2, 1, 1)
                    .ofLabelled(BASE, policy, alike, new double[] {1, 2}));
            assertTrue(e.getMessage().startsWith("of 2 held-out completions " + (label ? 2 : 0)), e.getMessage());
        }
    }

    /// k1 and k3 (r = log-prob less the reference's: r and e^-r - 1 + r) of replies drawn from the policy at its
    /// temperature, each scored by itself.
    @Test
    void theDivergenceIsThatOfThePolicysOwnReplies() {
        double temperature = 1.7;
        List<Tokenized> heldOut = PolicyEvaluation.sequences(PAIRS);
        List<int[]> prompts = heldOut.stream().limit(4).map(Tokenized::prompt).toList();
        Set<Integer> stop = TinyModel.TOKENIZER.stopIds();
        var drawn = Generator.generate(
                policy.decoder(),
                prompts,
                new Generator.Options(Sampling.at(temperature), 6, 1, stop, null, Streams.of(SEED, "replies"), true),
                null);
        double[] k1 = new double[4];
        for (var reply : drawn) {
            Tokenized sequence = Tokenized.ofReply(prompts.get(reply.prompt()), reply.tokens());
            k1[reply.prompt()] = TinyModel.logProb(policy.decoder(), sequence, temperature)
                    - TinyModel.logProb(policy.reference(), sequence, temperature);
        }
        double[] k3 = Arrays.stream(k1).map(r -> Math.exp(-r) - 1 + r).toArray();
        Summary summary = evaluation(4, 6, temperature, 2).moved(BASE, policy, heldOut);
        assertClose(mean(k1), fact(summary, "KL from the reference"), 1e-4);
        assertClose(mean(k3), fact(summary, "KL from the reference, k3"), 1e-4);
        assertTrue(mean(k3).value() > 0.02, "a policy that has hardly moved");
        double difference = fact(summary, "sampler against trainer").value();
        assertTrue(difference >= 0 && difference < 1e-5, difference + " nats");
    }

    @Test
    void samplesAreGreedyRepliesOfBothModels() {
        List<Tokenized> heldOut = PolicyEvaluation.sequences(PAIRS);
        TinyModel.move(policy.decoder(), 4, 0.5);
        Summary summary = evaluation(3, 6, 1, 2).moved(BASE, policy, heldOut);
        assertEquals(
                List.of("ab ", "h "),
                summary.samples().stream().map(Summary.Sample::prompt).toList());
        for (int i = 0; i < 2; i++) {
            int[] prompt = heldOut.get(i).prompt();
            assertEquals(
                    greedy(policy.reference(), prompt, 6),
                    summary.samples().get(i).before());
            assertEquals(
                    greedy(policy.decoder(), prompt, 6),
                    summary.samples().get(i).after());
        }
        assertTrue(
                summary.samples().stream().anyMatch(s -> !s.before().equals(s.after())), "replies too alike to tell");
        assertEquals(
                3, evaluation(3, 6, 1, 9).moved(BASE, policy, heldOut).samples().size());
        assertEquals(
                0, evaluation(3, 6, 1, 0).moved(BASE, policy, heldOut).samples().size());
    }

    /// The likeliest token each time, from all logits.
    static String greedy(Decoder model, int[] prompt, int length) {
        int[] tokens = prompt;
        while (tokens.length < prompt.length + length) {
            try (var _ = Gradients.off();
                    Scope _ = new Scope()) {
                long[] ids = Arrays.stream(tokens).asLongStream().toArray();
                double[] logits = model.logits(model.hidden(Tensor.of(ids, 1, ids.length)))
                        .toDoubles();
                int vocabulary = (int) model.config().vocabularySize();
                int best = 0;
                for (int v = 1; v < vocabulary; v++) {
                    int last = logits.length - vocabulary;
                    best = logits[last + v] > logits[last + best] ? v : best;
                }
                if (TinyModel.TOKENIZER.stopIds().contains(best)) {
                    break;
                }
                tokens = Arrays.copyOf(tokens, tokens.length + 1);
                tokens[tokens.length - 1] = best;
            }
        }
        return TinyModel.TOKENIZER.decode(Arrays.copyOfRange(tokens, prompt.length, tokens.length));
    }

    @Test
    void onlyPromptsThatLeaveRoomAreAnswered() {
        Tokenized none = Tokenized.ofDocument(new int[] {3, 4, 5});
        Tokenized tooLong = Tokenized.ofPrompt(new int[19]);
        Tokenized longest = TinyModel.sequence("abcdabcdabcdabcda", "b"); // 18 tokens with BOS
        Tokenized other = TinyModel.sequence("ab", "c");
        Summary summary = evaluation(4, 6, 1, 9).moved(BASE, policy, List.of(none, tooLong, longest, other));
        assertEquals(
                List.of("abcdabcdabcdabcda", "ab"),
                summary.samples().stream().map(Summary.Sample::prompt).toList());
        var e = assertThrows(RunFailedException.class, () -> evaluation(4, 6, 1, 9)
                .requirePrompts(policy, List.of(none, tooLong, longest)));
        assertEquals(
                "no two held-out prompts leave room for replies of 6 tokens: lower evaluation.reply_tokens or"
                        + " max_length",
                e.getMessage());
        evaluation(4, 6, 1, 9).requirePrompts(policy, List.of(longest, other));
        Tokenized one = Tokenized.ofPrompt(new int[] {3});
        assertDoesNotThrow(() -> evaluation(4, 24, 1, 9).requirePrompts(policy, List.of(one, one)));
    }

    @Test
    void configurationsThatCannotBeAreRefused() {
        evaluation(2, 1, 0.1, 0);
        var e = assertThrows(IllegalArgumentException.class, () -> evaluation(1, 1, 1, 0));
        assertTrue(e.getMessage().endsWith("were 1, 1, 1.0, 0"), e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> evaluation(2, 0, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> evaluation(2, 1, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> evaluation(2, 1, Double.NaN, 0));
        assertThrows(IllegalArgumentException.class, () -> evaluation(2, 1, 1, -1));
    }
}

package dev.kedge.nn.lm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.InScope;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.Options;
import dev.kedge.nn.lm.Generator.StopReason;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(InScope.class)
class GeneratorTest {
    private static final Set<Integer> NEVER = Set.of();

    private static Options options(int maxTokens, int samples, Set<Integer> ends, Predicate<int[]> stop, long seed) {
        return new Options(Sampling.at(1), maxTokens, samples, ends, stop, seed, false);
    }

    private static List<int[]> prompts(int... lengths) {
        Random random = new Random(11);
        return Arrays.stream(lengths).mapToObj(n -> Form.tokens(random, n)).toList();
    }

    private static int[] drawn(Decoder model, List<int[]> prompts, Options options, int row) {
        return Generator.generate(model, prompts, options, null).get(row).tokens();
    }

    /// A decoder that finds every token equally likely, always: all its weights are 0.
    private static Decoder uniform(int vocabulary) {
        DecoderConfig config = DecoderConfig.small(vocabulary, 8, 1, 2, 64);
        return new Decoder(config, Parameters.zeros(DecoderLayout.shapes(config), DType.FLOAT32, Device.CPU));
    }

    @ParameterizedTest
    @EnumSource
    void greedyIsTheArgmaxOfTheFormulas(Form form) {
        List<int[]> prompts = prompts(3, 7, 1, 5);
        try (Decoder model = form.decoder(6)) {
            NaiveDecoder naive = new NaiveDecoder(model);
            List<Completion> all = Generator.generate(model, prompts, Options.greedy(10, NEVER), null);
            for (int p = 0; p < prompts.size(); p++) {
                int[] text = prompts.get(p);
                for (int n = 0; n < 10; n++) {
                    double[] logits = naive.logits(text)[text.length - 1];
                    text = Arrays.copyOf(text, text.length + 1);
                    text[text.length - 1] = IntStream.range(0, 13).reduce(0, (a, b) -> logits[b] > logits[a] ? b : a);
                }
                int[] expected = Arrays.copyOfRange(text, prompts.get(p).length, text.length);
                assertArrayEquals(expected, all.get(p).tokens(), "prompt " + p);
                assertEquals(p, all.get(p).prompt());
                assertEquals(0, all.get(p).logProbs().length);
            }
        }
    }

    @Test
    void everyReasonToStop() {
        try (Decoder model = Form.LLAMA.decoder(7)) {
            List<int[]> prompts = prompts(4, 6);
            Predicate<int[]> sum = tokens -> Arrays.stream(tokens).sum() > 40;
            List<Completion> all = Generator.generate(model, prompts, options(8, 60, Set.of(0, 5), sum, 3), null);
            Set<StopReason> seen = new HashSet<>();
            for (Completion c : all) {
                int[] tokens = c.tokens();
                int last = tokens[tokens.length - 1];
                int[] before = Arrays.copyOf(tokens, tokens.length - 1);
                assertTrue(Arrays.stream(before).noneMatch(t -> t == 0 || t == 5));
                assertFalse(sum.test(before));
                StopReason expected = last == 0 || last == 5
                        ? StopReason.END
                        : sum.test(tokens) ? StopReason.STOP : StopReason.LENGTH;
                assertEquals(expected, c.reason());
                assertTrue(c.reason() != StopReason.LENGTH || tokens.length == 8);
                seen.add(c.reason());
            }
            assertEquals(Set.of(StopReason.END, StopReason.STOP, StopReason.LENGTH), seen);
            assertEquals(120, all.size());
            assertTrue(IntStream.range(0, 120).allMatch(r -> all.get(r).prompt() == r / 60));
        }
    }

    /// Prompt and continuation fill the positions exactly, whatever stands beside it.
    @ParameterizedTest
    @EnumSource(names = {"LLAMA", "GPT2", "NEOX"})
    void everyRowHasAllPositionsOfTheModel(Form form) {
        List<int[]> prompts = prompts(31, 2, 20, 30, 9);
        try (Decoder model = form.decoder(8)) {
            List<Completion> all = Generator.generate(model, prompts, options(1000, 2, NEVER, null, 5), null);
            for (Completion c : all) {
                assertEquals(32, prompts.get(c.prompt()).length + c.tokens().length);
                assertEquals(StopReason.CONTEXT, c.reason());
            }
            List<Completion> ended = Generator.generate(model, prompts, options(1000, 30, Set.of(2), null, 5), null);
            for (Completion c : ended) {
                int[] tokens = c.tokens();
                boolean end = tokens[tokens.length - 1] == 2;
                assertEquals(end ? StopReason.END : StopReason.CONTEXT, c.reason());
                assertTrue(end || prompts.get(c.prompt()).length + tokens.length == 32);
            }
            List<Completion> length = Generator.generate(model, prompts(20), options(12, 1, NEVER, null, 5), null);
            assertEquals(StopReason.LENGTH, length.getFirst().reason());
        }
    }

    @Test
    void aRowDependsOnSeedAndNumberAlone() {
        Random random = new Random(1);
        try (Decoder model = Form.QWEN3.decoder(9)) {
            Set<Integer> ends = Set.of(4);
            List<int[]> prompts = prompts(5, 9, 2, 14);
            List<Completion> all = Generator.generate(model, prompts, options(30, 1, ends, null, 77), null);
            assertArrayEquals(
                    all.getFirst().tokens(), drawn(model, prompts.subList(0, 1), options(30, 1, ends, null, 77), 0));
            for (int trial = 0; trial < 20; trial++) {
                List<int[]> others = new ArrayList<>();
                for (int row = 0; row < 4 + random.nextInt(4); row++) {
                    others.add(Form.tokens(random, 1 + random.nextInt(31)));
                }
                int row = trial % 4;
                others.set(row, prompts.get(row));
                assertArrayEquals(
                        all.get(row).tokens(), drawn(model, others, options(30, 1, ends, null, 77), row), "row " + row);
            }
            // The rows of a prompt's samples are numbered too.
            List<int[]> repeated = List.of(prompts.get(0), prompts.get(0), prompts.get(1), prompts.get(1));
            List<Completion> single = Generator.generate(model, repeated, options(9, 1, ends, null, 3), null);
            List<Completion> sampled =
                    Generator.generate(model, prompts.subList(0, 2), options(9, 2, ends, null, 3), null);
            for (int row = 0; row < 4; row++) {
                assertArrayEquals(single.get(row).tokens(), sampled.get(row).tokens());
            }
        }
    }

    @Test
    void otherSeedsAndOtherRowsDrawOtherTokens() {
        try (Decoder model = uniform(1000)) {
            Set<List<Integer>> starts = new HashSet<>();
            for (long seed = -3; seed < 20; seed++) {
                for (Completion c : Generator.generate(model, prompts(1), options(12, 8, NEVER, null, seed), null)) {
                    int[] tokens = c.tokens();
                    // Nor does one stream run behind another: no three tokens in a row come twice.
                    for (int n = 0; n + 3 <= tokens.length; n++) {
                        List<Integer> run = List.of(tokens[n], tokens[n + 1], tokens[n + 2]);
                        assertTrue(starts.add(run), "seed " + seed + " draws " + run + " again");
                    }
                }
            }
        }
    }

    @Test
    void theListenerHearsExactlyTheTokens() {
        try (Decoder model = Form.GPT2.decoder(10)) {
            List<List<Integer>> heard = new ArrayList<>();
            IntStream.range(0, 12).forEach(_ -> heard.add(new ArrayList<>()));
            List<Completion> all = Generator.generate(
                    model, prompts(3, 1, 4), options(20, 4, Set.of(1), null, 2), (row, token) -> heard.get(row)
                            .add(token));
            for (int row = 0; row < 12; row++) {
                assertEquals(Arrays.stream(all.get(row).tokens()).boxed().toList(), heard.get(row));
            }
        }
    }

    @Test
    void badPromptsAndOptionsAreNamed() {
        try (Decoder model = Form.LLAMA.decoder(1)) {
            Options greedy = Options.greedy(3, NEVER);
            List<int[]> empty = List.of(new int[] {1}, new int[0]);
            var e = assertThrows(IllegalArgumentException.class, () -> Generator.generate(model, empty, greedy, null));
            assertEquals("prompt 1 has 0 tokens; 1 to 31 leave the model room to continue", e.getMessage());
            List<int[]> full = List.of(new int[31], new int[32]);
            e = assertThrows(IllegalArgumentException.class, () -> Generator.generate(model, full, greedy, null));
            assertEquals("prompt 1 has 32 tokens; 1 to 31 leave the model room to continue", e.getMessage());
            assertEquals(1, drawn(model, List.of(new int[31]), greedy, 0).length);
            assertEquals(List.of(), Generator.generate(model, List.of(), greedy, null));
            assertThrows(IllegalArgumentException.class, () -> Options.greedy(0, NEVER));
            assertThrows(IllegalArgumentException.class, () -> options(1, 0, NEVER, null, 0));
        }
    }

    @Test
    void nothingIsLeftBehindEvenWhenAPredicateOrAListenerThrows() throws InterruptedException {
        try (Decoder model = Form.NEOX.decoder(1)) {
            long before = Scope.liveTensors();
            int threads = Engine.threads();
            RuntimeException fault = new RuntimeException("enough");
            List<AssertionError> failed = new ArrayList<>();
            Thread thread = Thread.ofPlatform().start(() -> {
                try {
                    Generator.generate(model, prompts(3, 1, 4), options(20, 4, Set.of(1), null, 2), null);
                    Predicate<int[]> stop = tokens -> {
                        if (tokens.length == 5) {
                            throw fault;
                        }
                        return tokens[0] == 3;
                    };
                    Options throwing = new Options(Sampling.at(1), 20, 4, NEVER, stop, 2, true);
                    assertSame(
                            fault,
                            assertThrows(
                                    RuntimeException.class,
                                    () -> Generator.generate(model, prompts(3, 1), throwing, null)));
                    assertSame(
                            fault,
                            assertThrows(
                                    RuntimeException.class,
                                    () -> Generator.generate(
                                            model, prompts(2, 2), options(9, 2, NEVER, null, 2), (_, _) -> {
                                                throw fault;
                                            })));
                } catch (AssertionError e) {
                    failed.add(e);
                }
            });
            thread.join();
            assertEquals(List.of(), failed);
            assertEquals(before, Scope.liveTensors());
            assertEquals(threads, Engine.threads());
            // And gradients are recorded again.
            model.parameters().trainable();
            assertTrue(model.hidden(Form.batch(new int[] {1, 2})).hasGradientGraph());
        }
    }
}

package dev.kedge.nn.lm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.InScope;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Generator.Options;
import dev.kedge.nn.lm.Generator.WeightedModel;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.CharTokenizer;
import dev.kedge.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Embeddings with more rows than the tokenizer has tokens.
@ExtendWith(InScope.class)
class SpokenIdsTest {
    private static final int ROWS = 19;
    private static final int IDS = 12;
    private static final int HOLE = 7;

    @TempDir
    Path folder;

    /// Ids 0 to 11; as any other's tokenizer.json, without the token of id 7 if there is a hole.
    private Tokenizer tokenizer(boolean hole) throws IOException {
        CharTokenizer letters = CharTokenizer.of("abcdefghi");
        if (!hole) {
            return letters;
        }
        letters.save(folder);
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode json =
                (ObjectNode) mapper.readTree(folder.resolve("tokenizer.json").toFile());
        ((ObjectNode) json.at("/model/vocab")).remove(letters.token(HOLE));
        mapper.writeValue(folder.resolve("tokenizer.json").toFile(), json);
        mapper.writeValue(folder.resolve("tokenizer_config.json").toFile(), mapper.createObjectNode());
        return Tokenizer.load(folder);
    }

    private static Decoder whole(long seed, boolean tied) {
        DecoderConfig c = DecoderConfig.llama(ROWS, 16, 32, 1, 2, 2, 40, 1e-5, 10000, tied);
        try (Rng rng = Rng.seeded(seed)) {
            return Decoder.random(c, 0.5, rng, Device.CPU);
        }
    }

    private static Decoder of(Decoder whole, Tokenizer tokenizer) {
        Parameters copy = Parameters.copyOf(whole.parameters().named(), DType.FLOAT32, Device.CPU);
        return new Decoder(whole.config(), copy, tokenizer);
    }

    private static Set<Integer> drawn(List<WeightedModel> models) {
        Options options = new Options(Sampling.at(1e3), 30, 20, Set.of(), null, 1, true);
        Set<Integer> drawn = new HashSet<>();
        for (Completion c : Generator.generate(models, List.of(new int[] {1, 3}), options, null)) {
            Arrays.stream(c.tokens()).forEach(drawn::add);
            for (int t = 0; t < c.tokens().length; t++) {
                assertTrue(Float.isFinite(c.logProbs()[t]) && Float.isFinite(c.entropies()[t]));
            }
        }
        return drawn;
    }

    /// At a temperature at which all are about as likely, 600 draws meet every id that can be drawn.
    @Test
    void onlyIdsWithATokenAreDrawn() throws IOException {
        for (boolean hole : new boolean[] {false, true}) {
            Set<Integer> expected =
                    new HashSet<>(IntStream.range(0, IDS).boxed().toList());
            if (hole) {
                expected.remove(HOLE);
            }
            try (Tokenizer tokenizer = tokenizer(hole);
                    Decoder padded = whole(1, true);
                    Decoder decoder = of(padded, tokenizer);
                    Decoder copy = decoder.copy();
                    Decoder exact = small(2);
                    Decoder less = of(exact, tokenizer)) {
                assertEquals(expected, drawn(List.of(new WeightedModel(decoder, 1))));
                assertEquals(expected, drawn(List.of(new WeightedModel(copy, 1))), "a reference, too");
                assertEquals(expected, drawn(List.of(new WeightedModel(decoder.withoutAdapter(), 1))));
                assertEquals(
                        expected,
                        drawn(List.of(new WeightedModel(decoder, 1), new WeightedModel(less, -1.5))),
                        "of other padding, and against what it says");
                assertFalse(expected.containsAll(drawn(List.of(new WeightedModel(padded, 1)))), "else no test");
            }
        }
    }

    private static Decoder small(long seed) {
        try (Rng rng = Rng.seeded(seed)) {
            return Decoder.random(DecoderConfig.small(IDS, 8, 1, 2, 40), 0.5, rng, Device.CPU);
        }
    }

    /// The distribution over the tokens alone, and gradients of it: nothing reaches the rows of the others.
    @Test
    void logitsAndGradientsAreOfTheTokensAlone() throws IOException {
        for (boolean tied : new boolean[] {true, false}) {
            for (boolean hole : new boolean[] {false, true}) {
                try (Tokenizer tokenizer = tokenizer(hole);
                        Decoder padded = whole(3, tied);
                        Decoder decoder = of(padded, tokenizer)) {
                    padded.parameters().trainable();
                    decoder.parameters().trainable();
                    Tensor tokens = Tensor.of(new long[] {1, 4, 5, 3}, 1, 4);
                    Tensor all = padded.logits(padded.hidden(tokens));
                    boolean[] said = new boolean[ROWS];
                    Arrays.fill(said, 0, IDS, true);
                    said[HOLE] = !hole;
                    Tensor expected = all.whereElse(Tensor.mask(said, ROWS), Double.NEGATIVE_INFINITY)
                            .logSoftmax(-1)
                            .narrow(1, 3, 2);
                    Tensor found = decoder.logits(decoder.hidden(tokens)).logSoftmax(-1);
                    assertEquals(IDS, found.size(1));
                    assertArrayEquals(expected.toFloats(), found.narrow(1, 3, 2).toFloats(), 1e-6f);
                    expected.sum().backward();
                    found.narrow(1, 3, 2).sum().backward();
                    assertArrayEquals(
                            padded.parameters().gradient().toFloats(),
                            decoder.parameters().gradient().toFloats(),
                            1e-5f);
                    assertTrue(decoder.head().grad().ne(0).anyTrue());
                }
            }
        }
    }

    @Test
    void whereEveryRowHasATokenNothingIsCutOrAdded() {
        try (Decoder whole = small(1);
                Decoder decoder = of(whole, CharTokenizer.of("abcdefghi"))) {
            assertSame(decoder.parameters().get("embedding.weight"), decoder.head());
            assertEquals(null, decoder.absent());
        }
    }

    @Test
    void moreIdsThanRowsAreRefused() {
        try (Decoder whole = small(1)) {
            var e = assertThrows(
                    IllegalArgumentException.class,
                    () -> new Decoder(whole.config(), whole.parameters(), CharTokenizer.of("abcdefghij")));
            assertEquals("the tokenizer has 13 ids, but the embedding only 12 rows", e.getMessage());
        }
    }
}

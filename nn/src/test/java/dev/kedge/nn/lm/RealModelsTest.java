package dev.kedge.nn.lm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.InScope;
import dev.kedge.nn.Parameters;
import dev.kedge.nn.RealData;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.lm.Generator.Options;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Ordering;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Models that others have trained, read from the folder of real data.
@ExtendWith(InScope.class)
class RealModelsTest {
    private static Decoder load(Path path) {
        try (Scope _ = new Scope()) {
            ModelFolder folder = ModelFolder.load(path, DType.FLOAT32, Device.CPU);
            return new Decoder(folder.config(), Parameters.copyOf(folder.parameters(), DType.FLOAT32, Device.CPU));
        }
    }

    /// The text that the makers of llama2.c test their own programs with: 200 positions from BOS, greedily.
    @Test
    void storiesTellsThePublishedStory() throws IOException {
        Path path = RealData.folder("stories260k");
        byte[] expected = Files.readAllBytes(path.resolve("expected_greedy_200_steps.txt"));
        try (Decoder model = load(path);
                Tokenizer tokenizer = Tokenizer.load(path)) {
            int[] bos = {1};
            int[] tokens = Generator.generate(model, List.of(bos), Options.greedy(200, Set.of(1, 2)), null)
                    .getFirst()
                    .tokens();
            assertEquals(200, tokens.length);
            int[] text = new int[201];
            text[0] = 1;
            System.arraycopy(tokens, 0, text, 1, 200);
            byte[] told = tokenizer.decode(text).getBytes(StandardCharsets.UTF_8);
            assertArrayEquals(expected, told);
        }
    }

    @Test
    void tinyStoriesTellsTheSameWithAndWithoutACache() {
        Path path = RealData.folder("tinystories656k");
        try (Decoder model = load(path);
                Tokenizer tokenizer = Tokenizer.load(path)) {
            int[] prompt = {1};
            int[] tokens = Generator.generate(model, List.of(prompt), Options.greedy(100, Set.of()), null)
                    .getFirst()
                    .tokens();
            assertEquals(100, tokens.length);
            int[] text = prompt;
            for (int token : tokens) {
                try (Scope _ = new Scope();
                        Tensor hidden = model.hidden(Form.batch(text))) {
                    Tensor last = model.logits(hidden).select(0, text.length - 1L);
                    assertEquals(Ordering.argmax(last, -1).toLongs()[0], token, "token " + text.length);
                }
                text = Arrays.copyOf(text, text.length + 1);
                text[text.length - 1] = token;
            }
            String story = tokenizer.decode(tokens);
            assertTrue(story.strip().startsWith("Once upon a time"), story);
            assertTrue(story.matches("(?s)[A-Za-z0-9 .,!?'\"\\n:;-]+") && story.contains(" was "), story);
        }
    }
}

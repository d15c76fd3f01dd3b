package dev.kedge.sequence;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.data.Tokenized;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.result.Summary;
import dev.kedge.tensor.Device;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SamplesTest {
    @TempDir
    Path folder;

    /// Prompts as they are; a quarter of a document, at least its first token.
    @Test
    void sequencesBeginWithTheirPromptsOrAQuarter() {
        Samples samples = Samples.of(
                TinyModel.TOKENIZER,
                List.of(
                        Tokenized.ofReply(new int[] {1, 2, 3}, new int[] {4, 5}),
                        Tokenized.ofDocument(new int[] {9, 8, 7, 6, 5, 4, 3, 4, 9}),
                        Tokenized.ofDocument(new int[] {7, 5}),
                        Tokenized.ofReply(new int[] {1}, new int[] {4, 5, 6, 7, 8, 9, 3}),
                        Tokenized.ofPrompt(new int[] {2, 3})),
                4,
                6);
        int[][] expected = {{1, 2, 3}, {9, 8}, {7}, {1, 4}};
        assertEquals(expected.length, samples.prompts().size());
        for (int i = 0; i < expected.length; i++) {
            assertArrayEquals(expected[i], samples.prompts().get(i));
        }
        assertEquals(6, samples.length());
    }

    @Test
    void continuationsAreGreedyAndShownInOrder() {
        Samples samples = Samples.of(
                TinyModel.TOKENIZER, List.of(TinyModel.sequence("ab ", "c"), TinyModel.sequence("h ", "dd")), 2, 5);
        try (Decoder model = Models.load(TinyModel.in(folder, 1), Device.CPU)) {
            assertEquals(
                    samples.prompts().stream()
                            .map(prompt -> PolicyEvaluationTest.greedy(model, prompt, 5))
                            .toList(),
                    samples.continuations(model));
        }
        Summary base = Summary.of("tiny", Summary.Status.FINISHED, 1);
        Summary shown = samples.shown(base, List.of("x", "y"), List.of("u", "v"));
        assertEquals(
                List.of(
                        new Summary.Sample("ab ", "x", "u", Optional.empty(), Optional.empty(), ""),
                        new Summary.Sample("h ", "y", "v", Optional.empty(), Optional.empty(), "")),
                shown.samples());
    }
}

package dev.kedge.sequence;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.config.ConfigException;
import dev.kedge.data.DataException;
import dev.kedge.data.LabelledSequence;
import dev.kedge.data.ReadOptions;
import dev.kedge.data.Split;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.Truncation;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import dev.kedge.tensor.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SequenceReaderTest {
    /// Of these lines the fourth is too long, the fifth no record of the form.
    private static final String LABELLED = """
            {"prompt": "ab ", "completion": "cd", "label": true}
            {"prompt": "a ", "completion": "efg", "label": false}
            {"prompt": "abc ", "completion": "d", "label": true}
            {"prompt": "ab ", "completion": "abcdabcdabcd", "label": true}
            {"prompt": "ab ", "completion": "cd", "label": "yes"}
            {"prompt": "b ", "completion": "ha", "label": false}
            """;

    private static final String PAIRS = """
            {"prompt": "ab ", "chosen": "cd", "rejected": "efg"}
            {"prompt": "a ", "chosen": "d", "rejected": "hh"}
            {"prompt": "abc ", "chosen": "dada", "rejected": "e"}
            """;

    @TempDir
    Path folder;

    private interface Reading<T> {
        T by(SequenceReader reader);
    }

    private <T> T read(int heldOut, Reading<T> reading) throws Exception {
        Path start = TinyModel.in(folder.resolve("start"), 1);
        try (PretrainedModel model = PretrainedModel.open(start, Device.CPU);
                Run run = Run.start(
                        folder.resolve("run" + System.nanoTime()), "dpo", new Noted("nothing"), Terminal.quiet())) {
            T found = reading.by(SequenceReader.of(model, 12, Truncation.DROP, heldOut, run));
            log = Files.readString(run.folder().resolve("log.txt"));
            return found;
        }
    }

    public record Noted(String text) {}

    private String log;

    private static String text(Tokenized sequence) {
        String prompt = TinyModel.TOKENIZER.decode(sequence.prompt());
        String all = TinyModel.TOKENIZER.decode(sequence.tokens());
        return prompt + "|" + all.substring(prompt.length());
    }

    private static List<String> texts(List<LabelledSequence> sequences) {
        return sequences.stream()
                .map(s -> text(s.sequence()) + " " + s.desirable())
                .toList();
    }

    @Test
    void labelledCompletionsKeepTheirLabelsAndPrompts() throws Exception {
        Path file = Files.writeString(folder.resolve("labelled.jsonl"), LABELLED);
        Split<LabelledSequence> split = read(2, r -> r.labelled(file));
        assertEquals(List.of("ab |cd true", "a |efg false", "abc |d true"), texts(split.train()));
        assertEquals(List.of("b |ha false"), texts(split.heldOut()), "the last two, one of which is too long");
        assertTrue(log.contains("left out: 1 x key \"label\": expected true or false, found the string \"yes\""), log);
        assertTrue(log.contains("left out: 1 x longer than 12 tokens"), log);
    }

    @Test
    void aPairIsTwoLabelledCompletionsOnOneSideOfTheSplit() throws Exception {
        Path file = Files.writeString(folder.resolve("pairs.jsonl"), PAIRS);
        Split<LabelledSequence> split = read(1, r -> r.labelled(file));
        assertEquals(List.of("ab |cd true", "ab |efg false", "a |d true", "a |hh false"), texts(split.train()));
        assertEquals(List.of("abc |dada true", "abc |e false"), texts(split.heldOut()));
        Split<TokenizedPair> pairs = read(1, r -> r.pairs(file));
        assertEquals(
                List.of("ab |cd", "a |d"),
                pairs.train().stream().map(p -> text(p.chosen())).toList());
        assertEquals("abc |e", text(pairs.heldOut().getFirst().rejected()));
        assertEquals(4, pairs.heldOut().getFirst().promptLength() - 1, "BOS counts");
    }

    @Test
    void promptsAreSequencesWithoutTargets() throws Exception {
        Path file = Files.writeString(folder.resolve("pairs.jsonl"), PAIRS);
        Split<Tokenized> split = read(1, r -> r.prompts(file));
        assertEquals(
                List.of("ab |", "a |"),
                split.train().stream().map(SequenceReaderTest::text).toList());
        assertEquals(0, split.heldOut().getFirst().targets());
        assertArrayEquals(
                TinyModel.TOKENIZER.encode("abc "), split.heldOut().getFirst().tokens());
    }

    /// Of pairs the chosen reply; those held out are drawn, and none is on both sides.
    @Test
    void whatIsLearntByHeartIsSplitByTheSeed() throws Exception {
        Path file = Files.writeString(
                folder.resolve("labelled.jsonl"), LABELLED.replaceAll("(?m)^.*(abcdabcdabcd|yes).*\\n", ""));
        Set<String> heldOut = new HashSet<>();
        for (int seed = 0; seed < 20; seed++) {
            int s = seed;
            Split<Tokenized> split = read(1, r -> r.sequences(file, ReadOptions.skipping(), s));
            assertEquals(3, split.train().size());
            heldOut.add(text(split.heldOut().getFirst()));
            assertFalse(split.train().contains(split.heldOut().getFirst()));
        }
        assertEquals(Set.of("ab |cd", "a |efg", "abc |d", "b |ha"), heldOut);
        Path pairs = Files.writeString(folder.resolve("pairs.jsonl"), PAIRS);
        Split<Tokenized> chosen = read(1, r -> r.sequences(pairs, ReadOptions.skipping(), 1));
        assertTrue(Set.of("ab |cd", "a |d", "abc |dada")
                .contains(text(chosen.train().getFirst())));
    }

    @Test
    void tooFewExamplesAndOtherFormsAreToldOfInOneLine() throws Exception {
        Path file = Files.writeString(folder.resolve("pairs.jsonl"), PAIRS);
        var few = assertThrows(ConfigException.class, () -> read(3, r -> r.labelled(file)));
        assertEquals("held_out is 3, but " + file + " has only 3 examples", few.getMessage());
        Path labelled = Files.writeString(folder.resolve("labelled.jsonl"), LABELLED);
        var wrong = assertThrows(DataException.class, () -> read(1, r -> r.pairs(labelled)));
        assertEquals(
                labelled + ": no pair is left to learn from; left out: 4 x expected a preference, found a labelled"
                        + " completion (first at example 1)",
                wrong.getMessage());
    }
}

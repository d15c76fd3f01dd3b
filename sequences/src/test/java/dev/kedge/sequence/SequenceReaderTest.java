package dev.kedge.sequence;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.config.ConfigException;
import dev.kedge.data.Content;
import dev.kedge.data.Conversation;
import dev.kedge.data.DataException;
import dev.kedge.data.Document;
import dev.kedge.data.LabelledSequence;
import dev.kedge.data.Preference;
import dev.kedge.data.Prompt;
import dev.kedge.data.PromptCompletion;
import dev.kedge.data.ReadOptions;
import dev.kedge.data.Split;
import dev.kedge.data.Tokenisation;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.Truncation;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import dev.kedge.run.result.Summary;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.text.ChatTemplate;
import dev.kedge.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
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
            run.summarise(Summary.of("dpo", Summary.Status.FINISHED, 1));
            summary = Files.readString(run.folder().resolve("summary.json"));
            return found;
        }
    }

    public record Noted(String text) {}

    private String log;
    private String summary;

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
        assertEquals(List.of("a |efg false", "abc |d true", "b |ha false"), texts(split.train()));
        assertEquals(List.of("ab |cd true"), texts(split.heldOut()), "the two of one prompt, one of them too long");
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

    private static final String LINE = " of 18 records of data.jsonl repeat an earlier prompt: kept on one side";

    /// Six prompts, each of them three times: whichever way a file is read, none is on both sides, and that is said in
    /// the log and in the summary.
    @Test
    void aPromptThatStandsAgainStaysOnOneSide() throws Exception {
        String pairs = record("\"chosen\": \"%sa\", \"rejected\": \"h\"");
        String completions = record("\"completion\": \"%sa\"");
        List<Split<Tokenized>> splits = new ArrayList<>();
        Path file = folder.resolve("data.jsonl");
        for (int heldOut : List.of(1, 3, 5, 8)) {
            Files.writeString(file, pairs);
            Split<TokenizedPair> read = read(heldOut, r -> r.pairs(file));
            splits.add(new Split<>(
                    read.train().stream().map(TokenizedPair::chosen).toList(),
                    read.heldOut().stream().map(TokenizedPair::chosen).toList()));
            splits.add(read(heldOut, r -> r.prompts(file)));
            splits.add(read(heldOut, r -> r.sequences(file, ReadOptions.skipping(), 1)));
            Split<LabelledSequence> labelled = read(heldOut, r -> r.labelled(file));
            splits.add(new Split<>(
                    labelled.train().stream()
                            .map(LabelledSequence::sequence)
                            .filter(s -> text(s).endsWith("a"))
                            .toList(),
                    labelled.heldOut().stream()
                            .map(LabelledSequence::sequence)
                            .filter(s -> text(s).endsWith("a"))
                            .toList()));
            Files.writeString(file, completions);
            splits.add(read(heldOut, r -> r.sequences(file, ReadOptions.skipping(), 1)));
            assertTrue(log.contains("12" + LINE), log);
            assertTrue(summary.contains("12" + LINE), summary);
            for (Split<Tokenized> split : splits) {
                assertEquals(0, Split.shared(split.train(), split.heldOut(), s -> Tokenized.ofPrompt(s.prompt())));
                assertEquals(18, split.train().size() + split.heldOut().size());
                assertEquals(
                        Math.max(3, Math.round(heldOut / 3.0) * 3),
                        split.heldOut().size());
            }
            splits.clear();
        }
    }

    private static String record(String reply) {
        return IntStream.range(0, 18)
                .mapToObj(i -> "{\"prompt\": \"" + "abcdef".charAt(i % 6) + " \", "
                        + reply.formatted("abc".charAt(i / 6)) + "}\n")
                .collect(Collectors.joining());
    }

    /// What counts is what the model reads: a template that trims makes two of these one. What has no prompt counts by
    /// the whole of it.
    @Test
    void promptsAreOneWhereTheirTokensAre() throws Exception {
        ChatTemplate trimming = ChatTemplate.of("{% for m in messages %}{{ m.content | trim }} {% endfor %}", Map.of());
        Tokenisation tokenisation =
                new Tokenisation(TinyModel.TOKENIZER, Optional.of(trimming), 24, Truncation.KEEP_PROMPT_END);
        Content.Messages one = Content.text("ab").asMessages("user");
        Content.Messages spaced = Content.text("ab  ").asMessages("user");
        Content.Messages said = Content.text("a").asMessages("assistant");
        assertEquals(tokenisation.group(new Prompt(one)), tokenisation.group(new Prompt(spaced)));
        assertEquals(
                tokenisation.group(new PromptCompletion(one, said)),
                tokenisation.group(new Preference(spaced, said, one)));
        assertNotEquals(tokenisation.group(Prompt.of("ab")), tokenisation.group(Prompt.of("ab  ")), "without template");
        assertEquals(tokenisation.group(new Document("a b ")), tokenisation.group(new Document("a b")));
        assertNotEquals(tokenisation.group(new Document("a b")), tokenisation.group(new Document("a c")));
        assertNotEquals(
                tokenisation.group(PromptCompletion.of("", "a")), tokenisation.group(PromptCompletion.of("", "b")));
        assertNotEquals(
                tokenisation.group(new Conversation(said.messages())),
                tokenisation.group(new Conversation(
                        Content.text("b").asMessages("assistant").messages())));
    }

    @Test
    void ofOnePromptItIsSaidThatBothSidesHaveIt() throws Exception {
        Path file = Files.writeString(
                folder.resolve("pairs.jsonl"), PAIRS.replaceAll("\"prompt\": \"[a-z ]+\"", "\"prompt\": \"a\""));
        for (Reading<?> reading : List.<Reading<?>>of(
                r -> r.pairs(file), r -> r.labelled(file), r -> r.sequences(file, ReadOptions.skipping(), 1))) {
            read(1, reading);
            assertTrue(
                    log.contains("all 3 records of pairs.jsonl have one prompt: what is held out has the prompt that is"
                            + " learnt from"),
                    log);
        }
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
                        + " completion (first at " + labelled + ", line 1)",
                wrong.getMessage());
    }

    /// Under its own keys; of a text file by its own separator. Windows of 12 tokens begin with the last of the one
    /// before, so that 11 further tokens of the whole are learnt in each.
    @Test
    void filesMayNameTheirKeysAndPartTheirDocuments() throws Exception {
        Path renamed = Files.writeString(
                folder.resolve("renamed.jsonl"),
                LABELLED.lines()
                        .limit(3)
                        .reduce(
                                "",
                                (all, line) -> all
                                        + line.replace("\"prompt\"", "\"ask\"")
                                                .replace("\"completion\"", "\"say\"")
                                                .replaceAll(", \"label\": [a-z]+", "")
                                        + "\n"));
        ReadOptions keys = SequenceReader.options(Optional.of("ask"), Optional.of("say"), Optional.empty());
        Split<Tokenized> split = read(1, r -> r.sequences(renamed, keys, 1));
        Set<String> all = new HashSet<>();
        Stream.concat(split.train().stream(), split.heldOut().stream()).forEach(s -> all.add(text(s)));
        assertEquals(Set.of("ab |cd", "a |efg", "abc |d"), all);
        Path text = Files.writeString(folder.resolve("text.txt"), "abcdefgh#abcd#abcdefghabcdefghabcd");
        ReadOptions parted = SequenceReader.options(Optional.empty(), Optional.empty(), Optional.of("#"));
        Split<Tokenized> documents = read(1, r -> r.sequences(text, parted, 3));
        int tokens = documents.train().stream().mapToInt(Tokenized::targets).sum()
                + documents.heldOut().stream().mapToInt(Tokenized::targets).sum();
        // 32 letters and three BOS, but for the first token of either side.
        assertEquals(32 + 3 - 2, tokens);
        assertEquals(12, documents.train().getFirst().length());
        for (Tokenized window : documents.train()) {
            assertEquals(window.length() - 1, window.targets());
            assertTrue(window.length() <= 12);
        }
    }

    /// A tokenizer with an end but no beginning parts documents by its end.
    @Test
    void documentsArePartedByTheEndWhereNothingBeginsThem() throws Exception {
        Tokenizer letters =
                Tokenizer.load(Path.of(System.getProperty("kedge.root"), "data/src/test/samples/arithmetic_llama"));
        assertTrue(letters.bos().isEmpty());
        Path text = Files.writeString(folder.resolve("text.txt"), "1,#2,#1,");
        ReadOptions parted = SequenceReader.options(Optional.empty(), Optional.empty(), Optional.of("#"));
        int end = letters.eos().orElseThrow();
        try (Run run = Run.start(folder.resolve("run"), "dpo", new Noted("nothing"), Terminal.quiet())) {
            var reader = new SequenceReader(new Tokenisation(letters, Optional.empty(), 12, Truncation.DROP), 1, run);
            Split<Tokenized> split = reader.sequences(text, parted, 3);
            int[] once = letters.encode("1,");
            assertArrayEquals(
                    new int[] {once[0], once[1], end, once[0], once[1], end},
                    split.train().getFirst().tokens());
        }
    }

    @Test
    void aSideWithNothingLeftIsToldOf() throws Exception {
        Path file = Files.writeString(folder.resolve("labelled.jsonl"), """
                {"prompt": "a ", "completion": "cd", "label": true}
                {"prompt": "ab ", "completion": "abcdabcdabcd", "label": true}
                """);
        var e = assertThrows(DataException.class, () -> read(1, r -> r.labelled(file)));
        assertEquals(
                file + ": no completion is left to judge by; left out: 1 x longer than 12 tokens (first at " + file
                        + ", line 2)",
                e.getMessage());
        Path text = Files.writeString(folder.resolve("text.txt"), "abcd##abcd");
        var few = assertThrows(
                ConfigException.class,
                () -> read(
                        2,
                        r -> r.sequences(
                                text,
                                SequenceReader.options(Optional.empty(), Optional.empty(), Optional.of("##")),
                                1)));
        assertEquals("held_out is 2, but " + text + " has only 2 examples", few.getMessage());
    }

    /// What belongs to a model: what fills its batches, its template or the usual one, and nothing after it is closed.
    @Test
    void aModelIsOpenedWithItsTemplateAndFreed() throws Exception {
        long live = Scope.liveTensors();
        Path start = TinyModel.in(folder.resolve("start"), 1);
        try (PretrainedModel model = PretrainedModel.open(start, Device.CPU)) {
            assertSame(ChatTemplate.HUMAN_ASSISTANT, model.template());
            assertEquals(TinyModel.TOKENIZER.pad().orElseThrow(), model.padId());
            assertEquals(9, model.tokenisation(9, Truncation.DROP).maxLength());
            assertEquals(24, model.tokenisation(25, Truncation.CUT_REPLY).maxLength());
            assertSame(
                    model.template(),
                    model.tokenisation(9, Truncation.DROP).template().orElseThrow());
            assertEquals(
                    model.decoder().parameters().named().keySet(),
                    model.found().parameters().keySet());
        }
        Files.writeString(start.resolve("chat_template.jinja"), "{% for m in messages %}{{ m.content }}{% endfor %}");
        try (PretrainedModel model = PretrainedModel.open(start, Device.CPU)) {
            assertNotSame(ChatTemplate.HUMAN_ASSISTANT, model.template());
        }
        assertEquals(live, Scope.liveTensors());
        Files.delete(start.resolve("config.json"));
        assertThrows(InvalidFileException.class, () -> PretrainedModel.open(start, Device.CPU));
        assertEquals(live, Scope.liveTensors());
    }

    /// Blank lines and wrong records before it, gzip and the split do not change where a record stands.
    @Test
    void whatIsTooLongIsToldByItsOwnLine() throws Exception {
        String wrong = "\n{\"prompt\": 3}\n\n";
        for (String key : List.of("completion", "chosen")) {
            String more = key.equals("chosen") ? ", \"rejected\": \"e\"}\n" : ", \"label\": true}\n";
            String good = "{\"prompt\": \"ab \", \"" + key + "\": \"cd\"" + more;
            String tooLong = "{\"prompt\": \"ab \", \"" + key + "\": \"abcdabcdabcd\"" + more;
            Path file = folder.resolve(key + ".jsonl.gz");
            try (var out = new GZIPOutputStream(Files.newOutputStream(file))) {
                String others = (wrong + good + tooLong).replace("\"ab \"", "\"ba \"");
                out.write((wrong + good + tooLong + others).getBytes(StandardCharsets.UTF_8));
            }
            String train = "left out: 1 x longer than 12 tokens (first at " + file + ", line 5)";
            String judged = "left out: 1 x longer than 12 tokens (first at " + file + ", line 10)";
            List<Reading<?>> readings = key.equals("chosen")
                    ? List.of(r -> r.pairs(file), r -> r.labelled(file))
                    : List.of(r -> r.labelled(file));
            for (Reading<?> reading : readings) {
                read(2, reading);
                assertTrue(log.contains(train) && log.contains(judged), log);
            }
            String more8 = good.repeat(4) + good.replace("\"ab \"", "\"ba \"").repeat(4);
            Path moreFile = Files.writeString(folder.resolve(key + ".jsonl"), wrong + more8 + tooLong);
            read(4, r -> r.sequences(moreFile, ReadOptions.skipping(), 3));
            assertTrue(log.contains("12 tokens (first at " + moreFile + ", line 12)"), log);
            assertFalse(log.contains("example "), log);
        }
        Path prompts = Files.writeString(
                folder.resolve("prompts.jsonl"),
                wrong + "{\"prompt\": \"abcdabcdabcdabcd\"}\n" + "{\"prompt\": \"ab\"}\n{\"prompt\": \"b\"}\n");
        read(1, r -> r.prompts(prompts));
        assertTrue(log.contains("tokens (first at " + prompts + ", line 4)"), log);
    }
}

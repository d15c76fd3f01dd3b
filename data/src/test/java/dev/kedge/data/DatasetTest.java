package dev.kedge.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.ReadOptions.Ties;
import dev.kedge.data.ReadOptions.Wrong;
import dev.kedge.text.Message;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DatasetTest {
    @TempDir
    Path folder;

    private Path file(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }

    private Example one(String json) throws IOException {
        return Dataset.read(file("one.jsonl", json + "\n")).examples().getFirst();
    }

    private DataException wrong(String json) throws IOException {
        Path path = file("wrong.jsonl", json);
        return assertThrows(DataException.class, () -> Dataset.read(path));
    }

    private static Message user(String content) {
        return new Message("user", content);
    }

    private static Message assistant(String content) {
        return new Message("assistant", content);
    }

    @Test
    void promptAndCompletionAreTextOrMessages() throws IOException {
        assertEquals(PromptCompletion.of("a", "b"), one("{\"prompt\":\"a\",\"completion\":\"b\",\"more\":[1,{}]}"));
        var messages =
                new PromptCompletion(Content.messages(List.of(user("a"))), Content.messages(List.of(assistant("b"))));
        assertEquals(
                messages,
                one("{\"prompt\":[{\"role\":\"user\",\"content\":\"a\",\"name\":\"x\"}],"
                        + "\"completion\":[{\"role\":\"assistant\",\"content\":\"b\"}]}"));
        assertEquals(messages, one("{\"prompt\":[{\"role\":\"user\",\"content\":\"a\"}],\"completion\":\"b\"}"));
    }

    @Test
    void conversationsPromptsAndTextsAreKnownByTheirKeys() throws IOException {
        assertEquals(
                new Conversation(List.of(user("a"), assistant("b"))),
                one("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\""
                        + "assistant\",\"content\":\"b\"}]}"));
        assertEquals(Prompt.of("a"), one("{\"prompt\":\"a\"}"));
        assertEquals(
                new Prompt(Content.messages(List.of(user("a")))),
                one("{\"prompt\":[{\"role\":\"user\",\"content\":\"a\"}]}"));
        assertEquals(new Document("a"), one("{\"text\":\"a\"}"));
    }

    @Test
    void preferencesMayHoldTheirPromptInFrontOfBothReplies() throws IOException {
        var expected = new Preference(
                Content.messages(List.of(user("a"))),
                Content.messages(List.of(assistant("b"))),
                Content.messages(List.of(assistant("c"))));
        String u = "{\"role\":\"user\",\"content\":\"a\"}";
        String b = "{\"role\":\"assistant\",\"content\":\"b\"}";
        String c = "{\"role\":\"assistant\",\"content\":\"c\"}";
        assertEquals(Preference.of("a", "b", "c"), one("{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\"}"));
        assertEquals(expected, one("{\"prompt\":[" + u + "],\"chosen\":[" + b + "],\"rejected\":[" + c + "]}"));
        assertEquals(expected, one("{\"chosen\":[" + u + "," + b + "],\"rejected\":[" + u + "," + c + "]}"));
        assertEquals(
                expected,
                one("{\"prompt\":\"a\",\"chosen\":[" + u + "," + b + "],\"rejected\":[" + u + "," + c + "]}"));
        assertEquals(expected, one("{\"prompt\":[" + u + "],\"chosen\":\"b\",\"rejected\":\"c\"}"));
    }

    @Test
    void instructionsTakeTheirInputAfterABlankLine() throws IOException {
        assertEquals(
                PromptCompletion.of("do\n\nthis", "x"),
                one("{\"instruction\":\"do\",\"input\":\"this\",\"output\":\"x\"}"));
        assertEquals(PromptCompletion.of("do", "x"), one("{\"instruction\":\"do\",\"input\":\"\",\"output\":\"x\"}"));
        assertEquals(
                Preference.of("do", "y", "z"),
                one("{\"instruction\":\"do\",\"output\":\"x\",\"chosen\":\"y\",\"rejected\":\"z\"}"));
    }

    @Test
    void dialoguePairsSplitAtTheLastReply() throws IOException {
        String shared = "\\n\\nHuman: a\\n\\nAssistant: b\\n\\nHuman: c\\n\\nAssistant:";
        assertEquals(
                Preference.of("\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:", " d", " e\n\nf"),
                one("{\"chosen\":\"" + shared + " d\",\"rejected\":\"" + shared + " e\\n\\nf\"}"));
        DataException other =
                wrong("{\"chosen\":\"" + shared + " d\",\"rejected\":\"\\n\\nHuman: a\\n\\nAssistant: e\"}");
        assertEquals("rejected", other.key());
        assertTrue(other.reason().contains("expected the dialogue of chosen up to its last reply"), other.reason());
        assertTrue(wrong("{\"chosen\":\"" + shared + " \",\"rejected\":\"" + shared + " e\"}")
                .reason()
                .contains("empty"));
        assertTrue(wrong("{\"chosen\":\"" + shared + " d\\n\\nHuman: f\",\"rejected\":\"" + shared + " e\"}")
                .reason()
                .contains("found the human's"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"prompt\":3,\"completion\":\"b\"}|prompt|expected a string or a list of "
                        + "messages, found the number 3",
                "{\"prompt\":\"a\",\"completion\":\" \"}|completion|expected text, found an empty string",
                "{\"prompt\":\"a\",\"chosen\":\"b\"}|rejected|expected a string or a list of messages, found nothing",
                "{\"messages\":[]}|messages|expected at least one message, found an empty list",
                "{\"messages\":[{\"role\":\"user\"}]}|messages[0].content|expected a string, found nothing",
                "{\"messages\":[{\"role\":7,\"content\":\"\"}]}|messages[0].role|expected a string, found the number 7",
                "{\"messages\":[\"hi\"]}|messages[0]|expected a message {role, content}, found the string \"hi\"",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}|messages|expected a "
                        + "message of role assistant that says"
                        + " something, found none",
                "{\"text\":\"\\ud800\"}|text|expected Unicode text, found half of a surrogate pair at character 0",
                "{\"foo\":1}|``|expected the keys prompt and completion, perhaps with label, messages, prompt with "
                        + "chosen and rejected, prompt,"
                        + " instruction and output, or text; found \"foo\"",
                "[1,2]|``|expected a JSON object, found a list of 2",
            })
    void aWrongRecordTellsItsKey(String json, String key, String problem) throws IOException {
        DataException e = wrong("\n" + json + "\n");
        assertEquals(key, e.key());
        assertEquals(2, e.line());
        String place = folder.resolve("wrong.jsonl") + ", line 2" + (key.isEmpty() ? "" : ", key \"" + key + "\"");
        assertEquals(place + ": " + problem, e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"{\"prompt\":\"a\"", "nonsense", "{\"prompt\":\"a\"} {}", "{\"prompt\":\"a\",\"prompt\":\"b\"}"})
    void aLineThatIsNoJsonTellsItsPlace(String json) throws IOException {
        DataException e = wrong("{\"prompt\":\"a\"}\n" + json + "\n");
        assertEquals(2, e.line());
        assertEquals(1, e.getMessage().lines().count());
        assertTrue(e.getMessage().contains("column"), e.getMessage());
    }

    @Test
    void skippingCountsReasonsAndKeepsTheRest() throws IOException {
        Path path = file(
                "some.jsonl",
                "{\"prompt\":1}\n{\"prompt\":\"a\"}\nnonsense\n{\"prompt\":\"\"}\n{\"prompt\":"
                        + "\"b\"}\n{\"prompt\":\" \"}\n");
        Dataset data = Dataset.read(path, ReadOptions.skipping());
        assertEquals(List.of(Prompt.of("a"), Prompt.of("b")), data.examples());
        assertEquals(4, data.skipped().count());
        assertEquals(2, data.skipped().reasons().get("key \"prompt\": expected text, found an empty string"));
        assertTrue(
                data.skipped().lines().getFirst().startsWith("2 x key \"prompt\""),
                "" + data.skipped().lines());
        assertTrue(
                data.skipped().lines().getFirst().endsWith("line 4)"),
                "" + data.skipped().lines());
    }

    @Test
    void theFirstGoodRecordSetsTheForm() throws IOException {
        DataException e = wrong("{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"a\"}\n");
        assertEquals("completion", e.key());
        assertEquals(2, e.line());
    }

    @Test
    void tiesAreLeftOutOrKept() throws IOException {
        Path path = file(
                "ties.jsonl",
                "{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"b\"}\n{\"prompt\":\"a\",\""
                        + "chosen\":\"b\",\"rejected\":\"c\"}\n");
        Dataset without = Dataset.read(path);
        assertEquals(List.of(Preference.of("a", "b", "c")), without.examples());
        assertEquals(
                Map.of("chosen and rejected are the same", 1), without.skipped().reasons());
        assertEquals(
                2,
                Dataset.read(path, ReadOptions.strict().withTies(Ties.KEEP))
                        .examples()
                        .size());
    }

    @Test
    void equalRepliesInMessagesAreATieAndNoPrompt() throws IOException {
        String same = "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]";
        Path path = file("tie.jsonl", "{\"chosen\":" + same + ",\"rejected\":" + same + "}\n");
        var kept = Dataset.read(path, ReadOptions.strict().withTies(Ties.KEEP))
                .examples()
                .getFirst();
        assertEquals(
                new Preference(
                        Content.messages(List.of(user("a"))),
                        Content.messages(List.of(assistant("b"))),
                        Content.messages(List.of(assistant("b")))),
                kept);
    }

    @Test
    void repliesBeginWithTheAssistant() throws IOException {
        DataException e =
                wrong("{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":[{\"role\":\"user\",\"content\":\"c\"}]}");
        assertEquals("rejected", e.key());
        assertTrue(e.reason().endsWith("found role \"user\""), e.reason());
    }

    @Test
    void keysMayBeCalledOtherwise() throws IOException {
        Path path = file("qa.jsonl", "{\"question\":\"a\",\"answer\":\"b\"}\n{\"question\":\"c\"}\n");
        var options = ReadOptions.skipping().withKeys(Map.of("prompt", "question", "completion", "answer"));
        Dataset data = Dataset.read(path, options);
        assertEquals(List.of(PromptCompletion.of("a", "b")), data.examples());
        assertTrue(
                data.skipped().lines().getFirst().contains("key \"answer\""),
                "" + data.skipped().lines());
        var e = assertThrows(IllegalArgumentException.class, () -> options.withKeys(Map.of("promt", "question")));
        assertTrue(
                e.getMessage().startsWith("keys: \"promt\" is no key of a record; allowed: [chosen,"), e.getMessage());
    }

    @Test
    void arraysByteOrderMarksAndGzipAreRead() throws IOException {
        String lines = "\ufeff{\"prompt\":\"ä\"}\r\n\r\n{\"prompt\":\"b\"}";
        var expected = List.of(Prompt.of("ä"), Prompt.of("b"));
        assertEquals(expected, Dataset.read(file("a.jsonl", lines)).examples());
        assertEquals(expected, Dataset.read(file("lines.json", lines)).examples());
        assertEquals(
                expected,
                Dataset.read(file("a.json", "\ufeff [\n{\"prompt\":\"ä\"},\n{\"prompt\":\"b\"}]\n"))
                        .examples());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(lines.getBytes(StandardCharsets.UTF_8));
        }
        Path packed = Files.write(folder.resolve("a.jsonl.gz"), bytes.toByteArray());
        assertEquals(expected, Dataset.read(packed).examples());
        Path unnamed = Files.write(folder.resolve("b.jsonl"), bytes.toByteArray());
        assertEquals(expected, Dataset.read(unnamed).examples());
        Path unpacked = file("c.jsonl.gz", lines);
        assertEquals(expected, Dataset.read(unpacked).examples());
        Path cut = Files.write(
                folder.resolve("cut.jsonl.gz"), java.util.Arrays.copyOf(bytes.toByteArray(), bytes.size() - 9));
        var e = assertThrows(DataException.class, () -> Dataset.read(cut, ReadOptions.skipping()));
        assertTrue(e.getMessage().contains("gzip"), e.getMessage());
    }

    @Test
    void arraysTellTheirRecord() throws IOException {
        Path path = file("a.json", "[{\"prompt\":\"a\"},\n\n{\"prompt\":1},{\"prompt\":\"c\"}]");
        var e = assertThrows(DataException.class, () -> Dataset.read(path));
        assertEquals(
                path + ", record 2, key \"prompt\": expected a string or a list of messages, found the number 1",
                e.getMessage());
        assertEquals(2, Dataset.read(path, ReadOptions.skipping()).examples().size());
        for (String broken : List.of(
                "[{\"prompt\":\"a\"}",
                "[{\"prompt\":\"a\"},",
                "[{\"prompt\":\"a\"}]x",
                "[",
                "[{\"prompt\":\"a\"} {}]")) {
            Path brokenPath = file("broken.json", broken);
            var problem = assertThrows(DataException.class, () -> Dataset.read(brokenPath, ReadOptions.skipping()));
            assertEquals(1, problem.getMessage().lines().count());
        }
    }

    @Test
    void bytesThatAreNotUtf8AreToldByLine() throws IOException {
        byte[] good = "{\"prompt\":\"a\"}\n".getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(good);
        bytes.write("{\"prompt\":\"".getBytes(StandardCharsets.UTF_8));
        bytes.write(0xff);
        bytes.write("\"}\n".getBytes(StandardCharsets.UTF_8));
        bytes.write(good);
        Path path = Files.write(folder.resolve("latin.jsonl"), bytes.toByteArray());
        var e = assertThrows(DataException.class, () -> Dataset.read(path));
        assertEquals(path + ", line 2: expected UTF-8, found byte 0xff at byte 12 of the line", e.getMessage());
        assertEquals(2, Dataset.read(path, ReadOptions.skipping()).examples().size());
    }

    @Test
    void longRecordsAreBounded() throws IOException {
        String big = "{\"prompt\":\"" + "x".repeat(100_000) + "\"}";
        var options = ReadOptions.skipping().withMaxRecordBytes(1000);
        Dataset lines = Dataset.read(file("a.jsonl", "{\"prompt\":\"a\"}\n" + big + "\n{\"prompt\":\"b\"}\n"), options);
        assertEquals(List.of(Prompt.of("a"), Prompt.of("b")), lines.examples());
        Path array = file("a.json", "[" + big + "]");
        var e = assertThrows(DataException.class, () -> Dataset.read(array, options));
        assertEquals(1, e.line());
        Path text = file("a.txt", "x".repeat(600) + "\n" + "x".repeat(600) + "\n\nb\n");
        assertEquals(List.of(new Document("b")), Dataset.read(text, options).examples());
        Path cut = file("b.txt", "aa#" + ("x".repeat(600) + "\n").repeat(5) + "#b");
        assertEquals(
                List.of(new Document("aa"), new Document("b")),
                Dataset.read(cut, options.withSeparator("#")).examples());
    }

    @Test
    void textsAreCutAtBlankLinesOrASeparator() throws IOException {
        Path path = file("a.txt", "\ufeffone\r\ntwo\r\n \r\n\r\nthree<end>four\n");
        assertEquals(
                List.of(new Document("one\ntwo"), new Document("three<end>four")),
                Dataset.read(path).examples());
        assertEquals(
                List.of(new Document("one\ntwo\n \n\nthree"), new Document("four")),
                Dataset.read(path, ReadOptions.strict().withSeparator("<end>")).examples());
        assertEquals(
                List.of(Prompt.of("one"), Prompt.of("two"), Prompt.of("three<end>four")),
                Dataset.read(path, ReadOptions.strict().withSeparator("\n").withForm(Form.PROMPT))
                        .examples());
        assertEquals(
                List.of(new Document("one\ntwo\n \n\nthree<end>four")),
                Dataset.read(path, ReadOptions.strict().withSeparator("")).examples());
    }

    @Test
    void filesThatAreNoneAreToldInOneLine() throws IOException {
        Path missing = folder.resolve("missing.jsonl");
        assertEquals(
                missing + ": no such file",
                assertThrows(DataException.class, () -> Dataset.read(missing)).getMessage());
        assertEquals(
                folder + ": expected a file, found a folder",
                assertThrows(DataException.class, () -> Dataset.read(folder)).getMessage());
        Path empty = file("empty.jsonl", "\n");
        assertEquals(
                empty + ": expected records, found none",
                assertThrows(DataException.class, () -> Dataset.read(empty)).getMessage());
        Path other = file("a.csv", "a,b\n");
        assertTrue(assertThrows(DataException.class, () -> Dataset.read(other))
                .getMessage()
                .contains("expected a file .jsonl"));
        Path parquet = file("a.parquet", "PAR1 not really");
        DataException e = assertThrows(DataException.class, () -> Dataset.read(parquet));
        assertEquals(1, e.getMessage().lines().count());
        Path none = file("none.jsonl", "{\"prompt\":1}\n");
        assertTrue(assertThrows(DataException.class, () -> Dataset.read(none, ReadOptions.skipping()))
                .getMessage()
                .contains("no record can be used; 1 left out, most often: 1 x key \"prompt\""));
    }

    @Test
    void messagesOfErrorsHoldNoControlCharacters() throws IOException {
        DataException e = wrong("{\"\\u001b[31m\\n\":1,\"prompt\":{}}");
        assertTrue(e.getMessage().chars().noneMatch(Character::isISOControl), e.getMessage());
        e = wrong("{\"\\u001b[31m\\n\":1}");
        assertTrue(e.getMessage().chars().noneMatch(Character::isISOControl), e.getMessage());
        assertTrue(e.getMessage().contains("\\u001b"), e.getMessage());
    }

    @Test
    void wrongIsAskedFor() {
        assertEquals(Wrong.FAIL, ReadOptions.strict().wrong());
        assertEquals(Wrong.SKIP, ReadOptions.skipping().wrong());
    }
}

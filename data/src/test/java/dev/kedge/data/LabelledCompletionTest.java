package dev.kedge.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.text.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LabelledCompletionTest {
    @TempDir
    Path folder;

    private Path file(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }

    private Example one(String json) throws IOException {
        return Dataset.read(file("one.jsonl", json + "\n")).examples().getFirst();
    }

    @Test
    void aCompletionWithALabelIsDesirableOrNot() throws IOException {
        assertEquals(
                LabelledCompletion.of("a", "b", true), one("{\"prompt\":\"a\",\"completion\":\"b\",\"label\":true}"));
        assertEquals(
                LabelledCompletion.of("a", "b", false), one("{\"prompt\":\"a\",\"completion\":\"b\",\"label\":false}"));
        assertEquals(
                new LabelledCompletion(
                        Content.messages(List.of(new Message("user", "a"))),
                        Content.messages(List.of(new Message("assistant", "b"))),
                        false),
                one("{\"prompt\":[{\"role\":\"user\",\"content\":\"a\"}],\"completion\":\"b\",\"label\":false}"));
        assertEquals(
                PromptCompletion.of("a", "b"),
                one("{\"prompt\":\"a\",\"completion\":\"b\",\"label\":\"news\"}"),
                "a label of another kind is a key like any other");
    }

    @Test
    void onceLabelledEveryRecordNeedsALabel() throws IOException {
        Path path = file("labels.jsonl", """
                {"prompt":"a","completion":"b","good":true}
                {"prompt":"a","completion":"b","good":1}
                {"prompt":"a","completion":"b"}
                {"prompt":"a","completion":" ","good":false}
                {"prompt":"c","completion":"d","good":false}
                """);
        Dataset data = Dataset.read(path, ReadOptions.skipping().withKeys(Map.of("label", "good")));
        assertEquals(
                List.of(LabelledCompletion.of("a", "b", true), LabelledCompletion.of("c", "d", false)),
                data.examples());
        assertEquals(
                List.of(
                        "1 x key \"good\": expected true or false, found the number 1 (first at " + path + ", line 2)",
                        "1 x key \"good\": expected true or false, found nothing (first at " + path + ", line 3)",
                        "1 x key \"completion\": expected text, found an empty string (first at " + path + ", line 4)"),
                data.skipped().lines());
    }
}

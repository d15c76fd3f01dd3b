package dev.kedge.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RealDataTest {
    /// Of 2,312 pairs 5 differ before their last reply and 4 have an empty one, counted apart from this code by
    /// splitting both dialogues at the last "\n\nAssistant:".
    @Test
    void humanPreferencesAreReadOrCounted() throws IOException {
        Path path = RealData.file("hh_rlhf/harmless-base-test.jsonl.gz");
        Dataset data = Dataset.read(path, ReadOptions.skipping());
        assertEquals(2303, data.examples().size());
        assertEquals(
                Map.of(
                        "key \"rejected\": expected the dialogue of chosen up to its last reply, found another", 5,
                        "key \"chosen\": expected a last reply, found an empty one", 4),
                data.skipped().reasons());
        String first;
        try (var lines = new BufferedReader(
                new InputStreamReader(new GZIPInputStream(Files.newInputStream(path)), StandardCharsets.UTF_8))) {
            first = lines.readLine();
        }
        Preference pair = (Preference) data.examples().getFirst();
        String whole = ((Content.Text) pair.prompt()).text() + ((Content.Text) pair.chosen()).text();
        assertTrue(first.contains(whole.replace("\n", "\\n").replace("\"", "\\\"")), whole);
        for (Example example : data.examples()) {
            Preference preference = (Preference) example;
            assertTrue(((Content.Text) preference.prompt()).text().endsWith("\n\nAssistant:"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"train", "test"})
    void parquetEqualsJsonLines(String name) {
        var lines = Dataset.read(RealData.file("arithmetic_llama/" + name + ".jsonl"));
        var parquet = Dataset.read(RealData.file("arithmetic_llama/" + name + ".parquet"));
        assertEquals(name.equals("train") ? 800 : 200, lines.examples().size());
        assertEquals(lines.examples(), parquet.examples());
    }

    @Test
    void instructionsWithPreferencesAreRead() {
        var data = Dataset.read(RealData.file("instruction_preference/instruction-data-with-preference.json"));
        assertEquals(1094, data.examples().size());
        assertEquals(
                Map.of("chosen and rejected are the same", 6), data.skipped().reasons());
        assertTrue(data.examples().stream().allMatch(e -> e instanceof Preference));
        Preference first = (Preference) data.examples().getFirst();
        assertEquals(
                Content.text("Evaluate the following phrase by transforming it into the spelling giv"
                        + "en.\n\nfreind --> friend"),
                first.prompt());
    }

    @ParameterizedTest
    @CsvSource({"ten, 10, 18", "test, 1319, 18", "train, 7473, 72"})
    void questionsAndAnswersAreReadByTheirOwnKeys(String name, int count, String firstNumber) {
        var options = ReadOptions.strict().withKeys(Map.of("prompt", "question", "completion", "answer"));
        var data = Dataset.read(RealData.file("gsm8k/" + name + ".jsonl"), options);
        assertEquals(count, data.examples().size());
        assertTrue(((PromptCompletion) data.examples().getFirst()).completion() instanceof Content.Text(String text)
                && text.endsWith("#### " + firstNumber));
    }

    @Test
    void storiesAreReadAsDocuments() {
        Path path = RealData.file("tinystories/tinystories_sample.txt");
        List<Example> paragraphs = Dataset.read(path).examples();
        List<Example> lines =
                Dataset.read(path, ReadOptions.strict().withSeparator("\n")).examples();
        long characters = paragraphs.stream()
                .mapToLong(e -> ((Document) e).text().replace("\n", "").length())
                .sum();
        assertEquals(
                characters,
                lines.stream().mapToLong(e -> ((Document) e).text().length()).sum());
        assertEquals(4667, paragraphs.size());
        assertEquals(5758, lines.size());
        assertEquals(932_209, characters);
    }
}

package dev.kedge.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Whatever a file holds, reading it gives examples or one line that names the file.
class HostileRecordsTest {
    private static final List<String> SEEDS = List.of(
            "{\"prompt\":\"a\",\"completion\":\"b\"}",
            "{\"prompt\":[{\"role\":\"user\",\"content\":\"a\"}],\"chosen\":\"b\",\"rejected\":"
                    + "[{\"role\":\"assistant\",\"content\":\"c\"}]}",
            "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]}",
            "{\"chosen\":\"\\n\\nHuman: a\\n\\nAssistant: b\",\"rejected\":\"\\n\\nHuman: a\\n\\nAssistant: c\"}",
            "{\"instruction\":\"a\",\"input\":\"\",\"output\":\"b\"}",
            "{\"text\":\"a\"}");
    private static final List<String> SCRAPS = List.of(
            "null",
            "{}",
            "[]",
            "3",
            "1e999",
            "-",
            "NaN",
            "\"",
            "\\ud800",
            "\\u0000",
            "\u0000",
            "\n",
            ",",
            ":",
            "{",
            "}",
            "[",
            "]",
            "true",
            "\"role\"",
            "\"prompt\":",
            "\"chosen\":",
            "\"rejected\":",
            "\"\"",
            "[[[[",
            "\ufeff",
            "é",
            "\u001b[2J");

    @TempDir
    Path folder;

    private void assertOneLineOrExamples(Path path, ReadOptions options, String content) {
        try {
            Dataset data = Dataset.read(path, options);
            assertTrue(data.examples().stream().allMatch(e -> e.promptText() != null));
        } catch (DataException e) {
            assertEquals(path, e.file());
            assertTrue(e.getMessage().startsWith(path.toString()), e.getMessage());
            assertTrue(e.getMessage().chars().noneMatch(Character::isISOControl), content);
            assertTrue(e.getMessage().length() < 1000, content);
        } catch (RuntimeException e) {
            throw new AssertionError(options.form() + " of " + content, e);
        }
    }

    private static byte[] mutated(SplittableRandom random) {
        StringBuilder text = new StringBuilder();
        int records = 1 + random.nextInt(3);
        for (int r = 0; r < records; r++) {
            StringBuilder record = new StringBuilder(SEEDS.get(random.nextInt(SEEDS.size())));
            for (int edits = random.nextInt(4); edits > 0; edits--) {
                int from = random.nextInt(record.length());
                int to = Math.min(record.length(), from + random.nextInt(12));
                record.replace(from, to, SCRAPS.get(random.nextInt(SCRAPS.size())));
                if (record.isEmpty()) {
                    record.append('x');
                }
            }
            text.append(record).append('\n');
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        if (random.nextInt(4) == 0) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        return bytes;
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void linesArraysAndTexts(Form form) throws IOException {
        SplittableRandom random = new SplittableRandom(form.ordinal());
        for (int i = 0; i < 60; i++) {
            byte[] bytes = mutated(random);
            String content = new String(bytes, StandardCharsets.UTF_8);
            for (ReadOptions options : List.of(ReadOptions.strict(), ReadOptions.skipping())) {
                Path lines = Files.write(folder.resolve("a.jsonl"), bytes);
                assertOneLineOrExamples(lines, options.withForm(form), content);
                String array = "[" + content.strip().replace("\n", ",\n") + "]";
                assertOneLineOrExamples(
                        Files.writeString(folder.resolve("a.json"), array), options.withForm(form), array);
                Path text = Files.write(folder.resolve("a.txt"), bytes);
                assertOneLineOrExamples(text, options.withForm(form).withSeparator("\n"), content);
            }
        }
    }

    @Test
    void deepNestingAndLongNames() throws IOException {
        for (String content : List.of(
                "[".repeat(200_000),
                "{\"prompt\":" + "[".repeat(200_000),
                "{\"a\":".repeat(100_000),
                "{\"prompt\":" + "9".repeat(100_000) + "}",
                "{\"" + "k".repeat(100_000) + "\":1}",
                "{\"prompt\":{\"" + "k".repeat(40_000) + "\":1}}")) {
            for (String name : List.of("a.jsonl", "a.json")) {
                assertOneLineOrExamples(Files.writeString(folder.resolve(name), content), ReadOptions.skipping(), name);
            }
        }
    }

    @Test
    void damagedGzip() throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            for (int i = 0; i < 50; i++) {
                gzip.write((SEEDS.getFirst() + "\n").getBytes(StandardCharsets.UTF_8));
            }
        }
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 200; i++) {
            byte[] bytes = packed.toByteArray();
            bytes[2 + random.nextInt(bytes.length - 2)] ^= (byte) (1 << random.nextInt(8));
            Path path = Files.write(folder.resolve("a.jsonl.gz"), bytes);
            assertOneLineOrExamples(path, ReadOptions.skipping(), "damaged gzip " + i);
        }
    }
}

package dev.kedge.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaCTokenizerTest {
    /// The format's description word by word: scan all pairs for the best, merge, repeat.
    private static int[] naive(Path file, String text) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        in.getInt();
        List<String> pieces = new ArrayList<>();
        List<Float> scores = new ArrayList<>();
        while (in.hasRemaining()) {
            scores.add(in.getFloat());
            byte[] piece = new byte[in.getInt()];
            in.get(piece);
            pieces.add(new String(piece, StandardCharsets.UTF_8));
        }
        Map<String, Integer> ids = new HashMap<>();
        for (int i = pieces.size() - 1; i >= 0; i--) {
            ids.put(pieces.get(i), i);
        }
        List<Integer> out = new ArrayList<>(List.of(ids.get(" ")));
        for (int c : text.codePoints().toArray()) {
            String character = Character.toString(c);
            if (ids.containsKey(character)) {
                out.add(ids.get(character));
            } else {
                for (byte b : character.getBytes(StandardCharsets.UTF_8)) {
                    out.add(3 + (b & 0xFF));
                }
            }
        }
        while (true) {
            int best = -1;
            float bestScore = -1e10f;
            for (int i = 0; i + 1 < out.size(); i++) {
                Integer joined = ids.get(pieces.get(out.get(i)) + pieces.get(out.get(i + 1)));
                if (joined != null && scores.get(joined) > bestScore) {
                    best = i;
                    bestScore = scores.get(joined);
                }
            }
            if (best < 0) {
                return out.stream().mapToInt(i -> i).toArray();
            }
            out.set(best, ids.get(pieces.get(out.get(best)) + pieces.get(out.remove(best + 1))));
        }
    }

    /// Dialogues of another domain offer merges that fall through since a neighbour was swallowed, which stories
    /// seldom do.
    @Test
    void dialoguesComeBackWhole() throws IOException {
        Path file = RealData.folder("stories260k/tok512.bin");
        Path dialogues = RealData.folder("hh_rlhf/harmless-base-test.jsonl.gz");
        try (Tokenizer tokenizer = Tokenizer.load(file);
                var lines = new java.io.BufferedReader(new java.io.InputStreamReader(
                        new java.util.zip.GZIPInputStream(Files.newInputStream(dialogues)), StandardCharsets.UTF_8))) {
            int n = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                assertEquals(line, tokenizer.decode(tokenizer.encode(line)));
                if (n++ % 20 == 0) {
                    String text = line.substring(0, Math.min(line.length(), 600));
                    assertArrayEquals(naive(file, text), tokenizer.encodeOrdinary(text), text);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"stories260k/expected_greedy_200_steps.txt", "tinystories/tinystories_sample.txt"})
    void idsEqualThoseOfTheNaiveMerging(String name) throws IOException {
        Path file = RealData.folder("stories260k/tok512.bin");
        String whole = Files.readString(RealData.folder(name));
        String story = whole.substring(0, Math.min(whole.length(), 6000));
        try (Tokenizer tokenizer = Tokenizer.load(file)) {
            for (int start = 0; start < story.length(); start += 500) {
                String text = story.substring(start, Math.min(start + 500, story.length())) + "é😀";
                assertArrayEquals(naive(file, text), tokenizer.encodeOrdinary(text));
                assertEquals(text, tokenizer.decode(tokenizer.encode(text)));
            }
        }
    }

    @Test
    void onceUponATime() {
        try (Tokenizer tokenizer = Tokenizer.load(RealData.folder("stories260k/stories260K.bin"))) {
            assertEquals(512, tokenizer.vocabularySize());
            int[] ids = tokenizer.encode("Once upon a time");
            assertEquals(1, ids[0]);
            List<String> pieces =
                    Arrays.stream(ids).skip(1).mapToObj(tokenizer::token).toList();
            assertEquals(" Once upon a time", String.join("", pieces));
            assertTrue(pieces.contains(" time"), pieces.toString());
            assertArrayEquals(new int[] {1}, tokenizer.encode(""));
        }
    }

    @Test
    void savedIsTheSameFile(@TempDir Path folder) throws IOException {
        Path file = RealData.folder("stories260k/tok512.bin");
        try (Tokenizer tokenizer = Tokenizer.load(file)) {
            tokenizer.save(folder);
        }
        assertEquals(-1, Files.mismatch(file, folder.resolve("tok512.bin")));
        try (Tokenizer tokenizer = Tokenizer.load(folder)) {
            assertEquals(512, tokenizer.vocabularySize());
        }
    }

    @Test
    void damagedFilesAreRefused(@TempDir Path folder) throws IOException {
        byte[] good = Files.readAllBytes(RealData.folder("stories260k/tok512.bin"));
        byte[] badLength = good.clone();
        badLength[8] = (byte) 0xFF;
        for (byte[] bytes : List.of(
                new byte[0],
                Arrays.copyOf(good, 3),
                Arrays.copyOf(good, 2000),
                Arrays.copyOf(good, good.length - 1),
                badLength,
                new byte[6227])) {
            Path file = folder.resolve("tok512.bin");
            Files.write(file, bytes);
            var e = assertThrows(IllegalArgumentException.class, () -> Tokenizer.load(folder));
            assertTrue(e.getMessage().contains("tok512.bin: "), e.getMessage());
        }
    }
}

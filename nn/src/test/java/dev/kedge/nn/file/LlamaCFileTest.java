package dev.kedge.nn.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LlamaCFileTest {
    @TempDir
    Path folder;

    Scope scope;

    @BeforeEach
    void open() {
        scope = new Scope();
    }

    @AfterEach
    void close() {
        scope.close();
    }

    /// A file of random weights: dim 16, hidden 12, 2 layers, 4 heads of size 4, 2 for keys, 9 tokens, 6 positions.
    static byte[] random(boolean tied) {
        int[] header = {16, 12, 2, 4, 2, tied ? 9 : -9, 6};
        int floats = 9 * 16 + 2 * (2 * 16 + 2 * 16 * 16 + 2 * 8 * 16 + 3 * 12 * 16) + 16 + 6 * 4 + (tied ? 0 : 9 * 16);
        ByteBuffer bytes = ByteBuffer.allocate(28 + 4 * floats).order(ByteOrder.LITTLE_ENDIAN);
        for (int value : header) {
            bytes.putInt(value);
        }
        Random random = new Random(5);
        while (bytes.hasRemaining()) {
            bytes.putFloat((float) random.nextGaussian() / 2);
        }
        return bytes.array();
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void halvesGiveTheLogitsThatNeighboursGave(boolean tied) throws IOException {
        Path path = folder.resolve("m.bin");
        Files.write(path, random(tied));
        int[] tokens = {3, 1, 4, 1, 8};
        double[][] expected = PlainLlama.interleaved(path).logits(tokens);
        ModelFolder model = ModelFolder.load(path, DType.FLOAT32, Device.CPU);
        assertEquals(tied, model.config().tiedHead());
        double[][] actual = PlainLlama.halves(model).logits(tokens);
        for (int t = 0; t < tokens.length; t++) {
            assertArrayEquals(expected[t], actual[t], 1e-12);
        }
    }

    @Test
    void aSavedLlamaCModelIsALlama() throws IOException {
        Path path = folder.resolve("m.bin");
        Files.write(path, random(false));
        Files.writeString(folder.resolve("tok9.bin"), "pieces");
        ModelFolder model = ModelFolder.load(folder);
        model.save(folder.resolve("hf"));
        assertEquals("pieces", Files.readString(folder.resolve("hf/tok9.bin")));
        ModelFolder again = ModelFolder.load(folder.resolve("hf"));
        assertEquals(model.config(), again.config());
        assertEquals(model.generation(), again.generation());
        ModelFolderTest.assertSame(model.parameters(), again.parameters());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            0 | 0           | header: dim is 0
            1 | -12         | header: hidden_dim is -12
            3 | 3           | n_heads must divide dim
            3 | 16          | even head size
            4 | 3           | n_kv_heads must divide n_heads
            5 | -2147483648 | header: vocab_size is
            5 | -9          | bytes, its header promises
            2 | 3           | bytes, its header promises
            2 | 2147483647  | its header promises
            1 | 2147483647  | its header promises
            0 | 1634415666  | version 12 of the llama2.c format
            """)
    void badHeadersAreNamed(int field, int value, String message) throws IOException {
        byte[] bytes = random(true);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(4 * field, value);
        refused(bytes, message);
    }

    @Test
    void lengthsThatDoNotFitAreNamed() throws IOException {
        byte[] whole = random(true);
        refused(Arrays.copyOf(whole, 27), "too short");
        refused(Arrays.copyOf(whole, whole.length - 1), "its header promises " + whole.length);
        refused(Arrays.copyOf(whole, whole.length + 1), "its header promises " + whole.length);
        ByteBuffer huge = ByteBuffer.wrap(whole.clone()).order(ByteOrder.LITTLE_ENDIAN);
        huge.putInt(0, 1 << 30).putInt(4, 1 << 30).putInt(8, 1 << 30).putInt(12, 4);
        refused(huge.array(), "sizes overflow");
    }

    private void refused(byte[] bytes, String message) throws IOException {
        Path path = folder.resolve("m.bin");
        Files.write(path, bytes);
        InvalidFileException e =
                assertThrows(InvalidFileException.class, () -> ModelFolder.load(path, DType.FLOAT32, Device.CPU));
        assertTrue(e.getMessage().startsWith(path + ": ") && e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void aFolderWithTwoModelsIsRefused() throws IOException {
        Files.write(folder.resolve("a.bin"), random(true));
        Files.write(folder.resolve("b.bin"), random(true));
        InvalidFileException e = assertThrows(InvalidFileException.class, () -> ModelFolder.load(folder));
        assertTrue(e.getMessage().contains("more than one"), e.getMessage());
    }
}

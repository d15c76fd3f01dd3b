package dev.kedge.nn.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.kedge.tensor.DType;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Damaged files either load, to tensors as large as they say, or are refused by the one exception.
class SafetensorsFuzzTest {
    private static final int MUTANTS = 2000;
    private static final String[] EDITS = {
        "-1",
        "0",
        "9223372036854775807",
        "18446744073709551616",
        "1e9",
        "null",
        "[]",
        "{}",
        "\"F64\"",
        "\"BOOL\"",
        "true",
        "[0,4611686018427387904]",
        "\\u0000",
        "\ud83d\ude00",
        "[[[[[[",
        "__metadata__"
    };

    @TempDir
    Path folder;

    @Test
    void noMutationGetsPastTheReader() throws IOException {
        byte[] valid = validFile();
        Path path = folder.resolve("mutant");
        long live = Scope.liveTensors();
        int loaded = 0;
        for (int seed = 0; seed < MUTANTS; seed++) {
            byte[] mutant = mutate(valid, new Random(seed));
            Files.write(path, mutant);
            try (Scope _ = new Scope()) {
                for (Tensor tensor : Safetensors.read(path).values()) {
                    assertTrue(Safetensors.bytes(tensor) <= mutant.length);
                    double[] values = tensor.toDoubles();
                    assertEquals(tensor.numel(), values.length);
                }
                loaded++;
            } catch (InvalidFileException e) {
                assertEquals(1, e.getMessage().lines().count(), "seed " + seed);
            } catch (Throwable e) {
                fail("seed " + seed, e);
            }
        }
        assertEquals(live, Scope.liveTensors());
        assertTrue(loaded > MUTANTS / 20 && loaded < MUTANTS / 2, loaded + " of " + MUTANTS + " loaded");
    }

    private byte[] validFile() throws IOException {
        Path path = folder.resolve("valid");
        try (Scope _ = new Scope()) {
            Map<String, Tensor> tensors = new TreeMap<>();
            tensors.put("layer.weight", Tensor.of(new double[120], 40, 3));
            tensors.put("half", Tensor.of(1, 2, 3).to(DType.BFLOAT16));
            tensors.put("flags", Tensor.mask(new boolean[] {true, false}, 2, 1));
            tensors.put("empty", Tensor.of(new double[0], 0, 3));
            tensors.put("scalar", Tensor.scalarOf(3));
            Safetensors.write(path, tensors, Map.of("format", "pt"));
        }
        return Files.readAllBytes(path);
    }

    private static byte[] mutate(byte[] valid, Random random) {
        int headerLength =
                (int) ByteBuffer.wrap(valid).order(ByteOrder.LITTLE_ENDIAN).getLong();
        return switch (random.nextInt(6)) {
            case 0 -> flipBits(valid, random, 8);
            case 1 -> flipBits(valid, random, 8 + headerLength);
            case 2 -> flipBits(valid, random, valid.length);
            case 3 -> Arrays.copyOf(valid, random.nextInt(valid.length + 20));
            case 4 -> splice(valid, random);
            default -> editHeader(valid, headerLength, random);
        };
    }

    private static byte[] flipBits(byte[] valid, Random random, int within) {
        byte[] mutant = valid.clone();
        for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
            mutant[random.nextInt(within)] ^= (byte) (1 << random.nextInt(8));
        }
        return mutant;
    }

    private static byte[] splice(byte[] valid, Random random) {
        byte[] mutant = valid.clone();
        int length = 1 + random.nextInt(40);
        int from = random.nextInt(valid.length - length);
        System.arraycopy(valid, from, mutant, random.nextInt(valid.length - length), length);
        return mutant;
    }

    /// Replaces a number or string of the header by something else, and corrects the header's length.
    private static byte[] editHeader(byte[] valid, int headerLength, Random random) {
        String header = new String(valid, 8, headerLength, StandardCharsets.UTF_8);
        String[] tokens = header.split("(?<=[\\[\\]{}:,])|(?=[\\[\\]{}:,])");
        tokens[random.nextInt(tokens.length)] = EDITS[random.nextInt(EDITS.length)];
        byte[] edited = String.join("", tokens).getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(valid.length - headerLength + edited.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(edited.length)
                .put(edited)
                .put(valid, 8 + headerLength, valid.length - 8 - headerLength)
                .array();
    }
}

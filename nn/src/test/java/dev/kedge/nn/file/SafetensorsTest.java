package dev.kedge.nn.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SafetensorsTest {
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

    /// A file of the given header and this many bytes of data, counted from 0.
    static byte[] file(String header, int dataLength) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + text.length + dataLength).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(text.length).put(text);
        for (int i = 0; i < dataLength; i++) {
            bytes.put((byte) i);
        }
        return bytes.array();
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void everyTypeComesBackAsItWas(DType dtype) {
        double[] values = dtype == DType.BOOL ? new double[] {0, 1, 1, 0, 1, 0} : new double[] {0, 1, 2, 3, 100, 7};
        Tensor tensor = Tensor.of(values, 2, 3).to(dtype);
        Safetensors.write(folder.resolve("x"), Map.of("a", tensor), Map.of());
        Tensor back = Safetensors.read(folder.resolve("x")).get("a");
        assertEquals(dtype, back.dtype());
        assertArrayEquals(new long[] {2, 3}, back.shape());
        assertArrayEquals(values, back.toDoubles());
    }

    @Test
    void bytesFollowThePublishedFormat() throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("b", Tensor.of(new float[] {1, -2}, 2));
        tensors.put("wide", Tensor.of(new long[] {3}, 1, 1));
        tensors.put("a", Creation.zeros(DType.FLOAT32, Device.CPU, 0, 5));
        Safetensors.write(folder.resolve("x"), tensors, Map.of("format", "pt"));
        ByteBuffer bytes =
                ByteBuffer.wrap(Files.readAllBytes(folder.resolve("x"))).order(ByteOrder.LITTLE_ENDIAN);
        byte[] header = new byte[(int) bytes.getLong()];
        bytes.get(header);
        String expected = "{\"__metadata__\":{\"format\":\"pt\"},"
                + "\"wide\":{\"dtype\":\"I64\",\"shape\":[1,1],\"data_offsets\":[0,8]},"
                + "\"a\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[8,8]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}";
        assertEquals(expected, new String(header, StandardCharsets.UTF_8).stripTrailing());
        assertEquals(0, bytes.position() % 8);
        assertEquals(3, bytes.getLong());
        assertEquals(1f, bytes.getFloat());
        assertEquals(-2f, bytes.getFloat());
        assertEquals(0, bytes.remaining());
    }

    @Test
    void viewsAreWrittenRowByRow() {
        Tensor tensor = Tensor.of(new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Safetensors.write(folder.resolve("x"), Map.of("t", tensor.t(), "n", tensor.narrow(1, 1, 2)), Map.of());
        Map<String, Tensor> back = Safetensors.read(folder.resolve("x"));
        assertArrayEquals(new double[] {1, 4, 2, 5, 3, 6}, back.get("t").toDoubles());
        assertArrayEquals(new double[] {2, 3, 5, 6}, back.get("n").toDoubles());
    }

    @Test
    void theOrderOfTheMapsDoesNotShowInTheBytes() throws IOException {
        Map<String, Tensor> one = new LinkedHashMap<>();
        one.put("a", Tensor.of(1, 2));
        one.put("b", Tensor.of(new float[] {3}, 1));
        Map<String, Tensor> other = new LinkedHashMap<>(one).reversed();
        Map<String, String> metadata = new LinkedHashMap<>(Map.of("k", "v", "j", "w"));
        Safetensors.write(folder.resolve("x"), one, metadata);
        Safetensors.write(folder.resolve("y"), other, new LinkedHashMap<>(metadata).reversed());
        assertArrayEquals(Files.readAllBytes(folder.resolve("x")), Files.readAllBytes(folder.resolve("y")));
    }

    @Test
    void tensorsOutliveTheFileAndAFailedWriteLeavesTheOldFile() throws IOException {
        Path path = folder.resolve("x");
        Safetensors.write(path, Map.of("ä\"", Tensor.of(1, 2)), Map.of("k", "v"));
        Tensor tensor;
        try (SafetensorsFile file = Safetensors.open(path)) {
            assertEquals(Map.of("k", "v"), file.metadata());
            assertThrows(InvalidFileException.class, () -> file.read("b"));
            tensor = file.read("ä\"");
        }
        Tensor closed = Tensor.of(1);
        closed.close();
        assertThrows(IllegalStateException.class, () -> Safetensors.write(path, Map.of("a", closed), Map.of()));
        assertArrayEquals(new double[] {1, 2}, tensor.toDoubles());
        assertArrayEquals(new double[] {1, 2}, Safetensors.read(path).get("ä\"").toDoubles());
        try (var left = Files.list(folder)) {
            assertEquals(List.of(path), left.toList());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            [1]                                                                          | 0 | does not begin with {
            {"a":1}                                                                      | 0 | must be a JSON object
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}                        | 4 | not valid JSON
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} {}                    | 4 | goes on after
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{}}                | 4 | Duplicate field 'a'
            {"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}         | 4 | Duplicate field 'dtype'
            {"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}                   | 4 | "a": dtype "F8_E4M3" is not supported
            {"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}                      | 4 | "a" shape: "-1" is not
            {"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}                     | 4 | "a" shape: "1.0" is not
            {"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}                     | 4 | "a" shape: "1" is not
            {"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}     | 4 | is not an integer
            {"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}   | 0 | overflows
            {"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}} | 0 | overflows
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}                       | 4 | needs 8 bytes, data_offsets give 4
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}                     | 4 | more than 2
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}                         | 4 | two data_offsets
            {"a":{"dtype":"F32","shape":[1]}}                                            | 4 | two data_offsets
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}                 | 4 | unknown key "x"
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}                       | 4 | after its end
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}                      | 4 | "a": ends at byte 12 of 4
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}                       | 8 | gap
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}} | 6 | "b": begins at byte 2, not 4: overlaps
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}                       | 5 | 1 bytes after the last tensor
            {"__metadata__":{"a":1}}                                                     | 0 | __metadata__ "a" must be a string
            {"__metadata__":[]}                                                          | 0 | __metadata__ must be a JSON object
            """)
    void damageIsNamed(String header, int dataLength, String message) throws IOException {
        Path path = folder.resolve("x.safetensors");
        Files.write(path, file(header, dataLength));
        InvalidFileException e = assertThrows(InvalidFileException.class, () -> Safetensors.open(path));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertTrue(
                e.getMessage().startsWith(path + ": ") && e.getMessage().lines().count() == 1, e.getMessage());
    }

    @Test
    void lengthsThatDoNotFitAreNamed() throws IOException {
        byte[] whole = file("{}", 0);
        refused(new byte[7], "too short");
        whole[0] = 3;
        refused(whole, "header length 3 exceeds the file");
        whole[4] = 1;
        refused(whole, "exceeds the limit");
        whole[7] = -1;
        refused(whole, "exceeds the limit");
        refused(file("", 0), "does not begin with {");
    }

    @Test
    void textThatIsNotUtf8AndBooleansThatAreNotAreNamed() throws IOException {
        byte[] broken = file("{\"aaa\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0);
        broken[11] = (byte) 0xff;
        refused(broken, "not UTF-8");
        Path path = folder.resolve("b");
        Files.write(path, file("{\"a\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[0,3]}}", 3));
        try (SafetensorsFile file = Safetensors.open(path)) {
            InvalidFileException e = assertThrows(InvalidFileException.class, () -> file.read("a"));
            assertTrue(e.getMessage().contains("boolean 2 is 2"), e.getMessage());
        }
    }

    private void refused(byte[] bytes, String message) throws IOException {
        Path path = folder.resolve("x");
        Files.write(path, bytes);
        InvalidFileException e = assertThrows(InvalidFileException.class, () -> Safetensors.open(path));
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }
}

package dev.kedge.nn.file;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.kedge.tensor.Bytes;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The safetensors format: eight bytes of header length, a JSON header, then the tensors' bytes, little-endian.
public final class Safetensors {
    private static final JsonFactory JSON = new JsonFactory();

    private Safetensors() {}

    /// Maps a file and checks its header; tensors are read when asked for.
    ///
    /// @throws InvalidFileException if the header is damaged or does not describe the data exactly
    /// @throws java.io.UncheckedIOException if the file cannot be read
    public static SafetensorsFile open(Path path) {
        return SafetensorsFile.open(path);
    }

    /// Reads all tensors of a file, in the order of their bytes, in their stored types, to the processor's memory.
    ///
    /// @throws InvalidFileException if the file is damaged
    /// @throws java.io.UncheckedIOException if the file cannot be read
    public static Map<String, Tensor> read(Path path) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (SafetensorsFile file = open(path)) {
            for (String name : file.entries().sequencedKeySet()) {
                tensors.put(name, file.read(name));
            }
        } catch (RuntimeException e) {
            tensors.values().forEach(Tensor::close);
            throw e;
        }
        return tensors;
    }

    /// Writes tensors to a file that replaces the one at `path` at once, when all of it is on the disk.
    ///
    /// The same tensors and metadata give the same bytes, whatever the order of the maps: wider types stand first,
    /// so that every tensor is aligned, then names are sorted.
    ///
    /// @throws IllegalArgumentException if a tensor is named `__metadata__`
    /// @throws java.io.UncheckedIOException if the file cannot be written
    public static void write(Path path, Map<String, Tensor> tensors, Map<String, String> metadata) {
        List<Map.Entry<String, Tensor>> ordered = new ArrayList<>(tensors.entrySet());
        ordered.sort(Comparator.comparingInt(
                        (Map.Entry<String, Tensor> e) -> -e.getValue().dtype().bytes())
                .thenComparing(Map.Entry::getKey));
        AtomicFile.write(path, channel -> {
            byte[] header = header(ordered, metadata);
            ByteBuffer head = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN);
            AtomicFile.write(channel, head.putLong(header.length).put(header).flip());
            for (var e : ordered) {
                writeData(channel, e.getValue());
            }
        });
    }

    /// The number of bytes that a tensor takes in a file.
    static long bytes(Tensor tensor) {
        return tensor.numel() * tensor.dtype().bytes();
    }

    private static void writeData(FileChannel channel, Tensor tensor) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(bytes(tensor));
            Bytes.write(tensor, bytes);
            AtomicFile.write(channel, bytes);
        }
    }

    /// The header, with spaces at its end so that the data begins at a multiple of eight bytes.
    private static byte[] header(List<Map.Entry<String, Tensor>> tensors, Map<String, String> metadata)
            throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectFieldStart(SafetensorsHeader.METADATA);
                for (var e : new TreeMap<>(metadata).entrySet()) {
                    json.writeStringField(e.getKey(), e.getValue());
                }
                json.writeEndObject();
            }
            long begin = 0;
            for (var e : tensors) {
                begin = writeEntry(json, e.getKey(), e.getValue(), begin);
            }
            json.writeEndObject();
        }
        while (bytes.size() % 8 != 0) {
            bytes.write(' ');
        }
        return bytes.toByteArray();
    }

    private static long writeEntry(JsonGenerator json, String name, Tensor tensor, long begin) throws IOException {
        if (name.equals(SafetensorsHeader.METADATA)) {
            throw new IllegalArgumentException("a tensor cannot be named " + name);
        }
        long end = begin + bytes(tensor);
        long[] shape = tensor.shape();
        json.writeObjectFieldStart(name);
        json.writeStringField("dtype", name(tensor.dtype()));
        json.writeFieldName("shape");
        json.writeArray(shape, 0, shape.length);
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {begin, end}, 0, 2);
        json.writeEndObject();
        return end;
    }

    private static String name(DType dtype) {
        for (var e : SafetensorsHeader.DTYPES.entrySet()) {
            if (e.getValue() == dtype) {
                return e.getKey();
            }
        }
        throw new IllegalArgumentException("the safetensors format has no name for " + dtype);
    }
}

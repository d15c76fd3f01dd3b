package dev.kedge.nn.file;

import static dev.kedge.nn.file.InvalidFileException.quoted;

import dev.kedge.tensor.Bytes;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.SequencedMap;

/// An open safetensors file: its header is checked in full, its data is mapped and read tensor by tensor.
///
/// The file must not be shortened by another process while it is open. Tensors that were read are copies: they outlive
/// the closing of the file.
public final class SafetensorsFile implements AutoCloseable {
    private static final long MAX_HEADER = 100_000_000;
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final Arena arena;
    private final SafetensorsHeader header;
    private final MemorySegment data;

    private SafetensorsFile(Path path, Arena arena, SafetensorsHeader header, MemorySegment data) {
        this.path = path;
        this.arena = arena;
        this.header = header;
        this.data = data;
    }

    /// Maps a file and checks its header.
    ///
    /// @throws InvalidFileException if the header is damaged or does not describe the data exactly
    /// @throws UncheckedIOException if the file cannot be read
    static SafetensorsFile open(Path path) {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return open(path, arena, all);
        } catch (IOException e) {
            arena.close();
            throw new UncheckedIOException(path + ": cannot be read: " + e, e);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    private static SafetensorsFile open(Path path, Arena arena, MemorySegment all) {
        if (all.byteSize() < 8) {
            throw new InvalidFileException(path, "too short for a safetensors file: " + all.byteSize() + " bytes");
        }
        long length = all.get(LENGTH, 0);
        if (length < 0 || length > MAX_HEADER) {
            throw new InvalidFileException(
                    path, "header length " + Long.toUnsignedString(length) + " exceeds the limit of " + MAX_HEADER);
        }
        if (length > all.byteSize() - 8) {
            throw new InvalidFileException(
                    path, "header length " + length + " exceeds the file, which has " + all.byteSize() + " bytes");
        }
        byte[] text = all.asSlice(8, length).toArray(ValueLayout.JAVA_BYTE);
        MemorySegment data = all.asSlice(8 + length);
        return new SafetensorsFile(path, arena, SafetensorsHeader.parse(path, text, data.byteSize()), data);
    }

    /// Where the file lies.
    public Path path() {
        return path;
    }

    /// The free strings of the header, such as `format` = `pt`.
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /// What the file holds, by name, in the order of the bytes.
    public SequencedMap<String, TensorEntry> entries() {
        return header.entries();
    }

    /// Reads a tensor to the processor's memory, in its stored type; the caller's scope owns it.
    ///
    /// @throws InvalidFileException if there is none of this name, or a boolean is neither 0 nor 1
    public Tensor read(String name) {
        TensorEntry entry = entries().get(name);
        if (entry == null) {
            throw new InvalidFileException(path, "holds no tensor " + quoted(name));
        }
        MemorySegment bytes = data.asSlice(entry.begin(), entry.bytes());
        if (entry.dtype() == DType.BOOL) {
            for (long i = 0; i < bytes.byteSize(); i++) {
                byte value = bytes.get(ValueLayout.JAVA_BYTE, i);
                if (value != 0 && value != 1) {
                    throw new InvalidFileException(
                            path, "tensor " + quoted(name) + ": boolean " + i + " is " + value + ", neither 0 nor 1");
                }
            }
        }
        return Bytes.read(entry.dtype(), bytes, entry.shape());
    }

    /// Unmaps the file; it can no longer be read from. Closing twice does nothing.
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}

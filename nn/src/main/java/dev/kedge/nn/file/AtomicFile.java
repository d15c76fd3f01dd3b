package dev.kedge.nn.file;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;

/// Writes files that are either whole or not there: under a temporary name, synced, then renamed.
final class AtomicFile {
    private static final AtomicLong COUNT = new AtomicLong();
    private static final int CHUNK = 1 << 26;

    private AtomicFile() {}

    interface Content {
        void writeTo(FileChannel channel) throws IOException;
    }

    /// Replaces `file` by what `content` writes.
    static void write(Path file, Content content) {
        Path whole = file.toAbsolutePath();
        Path folder = whole.getParent();
        String name = "." + whole.getFileName() + "." + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet();
        Path temporary = folder.resolve(name + ".tmp");
        try {
            Files.createDirectories(folder);
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                content.writeTo(channel);
                channel.force(true);
            }
            Files.move(temporary, whole, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            sync(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be written: " + e, e);
        } finally {
            remove(temporary);
        }
    }

    static void write(Path file, byte[] bytes) {
        write(file, channel -> write(channel, ByteBuffer.wrap(bytes)));
    }

    static void write(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    static void write(FileChannel channel, MemorySegment segment) throws IOException {
        for (long at = 0; at < segment.byteSize(); at += CHUNK) {
            write(
                    channel,
                    segment.asSlice(at, Math.min(CHUNK, segment.byteSize() - at))
                            .asByteBuffer());
        }
    }

    /// Makes the renaming itself durable, where the system lets a folder be opened.
    private static void sync(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException _) {
            // Windows: the rename is then as durable as the file system makes it.
        }
    }

    private static void remove(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException _) {
            // It is of no use and does no harm.
        }
    }
}

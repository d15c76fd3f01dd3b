package dev.kedge.data.fetch;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// Files that have the right bytes, or are not there.
final class WholeFile {
    private WholeFile() {}

    /// Whether a file has the item's size and sum.
    static boolean is(Path file, Entry.Item item) throws IOException {
        return Files.isRegularFile(file)
                && Files.size(file) == item.bytes()
                && sha256(file).equals(item.sha256());
    }

    /// Gives a temporary file beside `target` its final name, synced, if it has the item's bytes; else removes it.
    ///
    /// @param source where the bytes came from, for the message
    /// @throws FetchException if size or sum are others
    static void keep(Path temporary, Entry.Item item, Path target, String source) throws IOException {
        long bytes = Files.size(temporary);
        String sum = sha256(temporary);
        if (bytes != item.bytes() || !sum.equals(item.sha256())) {
            Files.delete(temporary);
            throw new FetchException(target + ": expected " + item.bytes() + " bytes with sha256 " + item.sha256()
                    + ", " + source + " gave " + bytes + " bytes with sha256 " + sum + "; nothing of it was kept");
        }
        try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        syncFolder(target.toAbsolutePath().getParent());
    }

    /// Copies a mirror's file.
    static void copy(Path from, Entry.Item item, Path target) throws IOException {
        Files.createDirectories(target.toAbsolutePath().getParent());
        Path temporary = target.resolveSibling("." + target.getFileName() + "."
                + ProcessHandle.current().pid() + "-" + Thread.currentThread().threadId() + ".tmp");
        try {
            Files.deleteIfExists(temporary);
            try (InputStream in = Files.newInputStream(from)) {
                Files.copy(in, temporary);
            }
            keep(temporary, item, target, from.toString());
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static String sha256(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[1 << 20];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static void syncFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException _) {
            // Windows opens no folders: the new name is then as durable as the file system makes it.
        }
    }
}

package dev.kedge.data;

import dev.kedge.data.DataException.Place;
import dev.kedge.data.fetch.FetchException;
import dev.kedge.data.fetch.Fetched;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/// A file of records: its format by its name, its compression by its first bytes.
final class Source {
    enum Format {
        JSON_LINES,
        JSON,
        PARQUET,
        TEXT
    }

    private Source() {}

    static Format format(Path path) {
        String name =
                path.getFileName() == null ? "" : path.getFileName().toString().toLowerCase(Locale.ROOT);
        String plain = name.endsWith(".gz") ? name.substring(0, name.length() - 3) : name;
        int dot = plain.lastIndexOf('.');
        return switch (dot < 0 ? "" : plain.substring(dot)) {
            case ".jsonl", ".ndjson" -> Format.JSON_LINES;
            case ".json" -> Format.JSON;
            case ".parquet" -> Format.PARQUET;
            case ".txt" -> Format.TEXT;
            default ->
                throw new DataException(
                        Place.file(path), "expected a file .jsonl, .json, .txt (or one of these .gz) or .parquet");
        };
    }

    /// @throws FetchException if `./kedge fetch` would bring the file
    static void requireFile(Path path) {
        Fetched.resolve(path);
        if (!Files.exists(path)) {
            throw new DataException(Place.file(path), "no such file");
        }
        if (!Files.isRegularFile(path)) {
            throw new DataException(Place.file(path), "expected a file, found a folder");
        }
    }

    /// The bytes of a file, unpacked where it begins as gzip does.
    static InputStream open(Path path) throws IOException {
        InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 16);
        try {
            in.mark(2);
            boolean gzip = in.read() == 0x1f && in.read() == 0x8b;
            in.reset();
            return gzip ? new BufferedInputStream(new GZIPInputStream(in, 1 << 16), 1 << 16) : in;
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    static DataException unreadable(Path path, IOException e) {
        return new DataException(
                Place.file(path),
                switch (e) {
                    case ZipException _ -> "the gzip stream is damaged: " + e.getMessage();
                    case EOFException _ -> "the gzip stream is cut short";
                    default -> "cannot be read: " + e;
                });
    }
}

package dev.kedge.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.kedge.data.DataException.Place;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/// The documents of a plain text file. Line ends become LF; line ends around a document and empty documents are
/// dropped.
final class TextRows {
    private final Path path;
    private final ReadOptions options;
    private final Rows rows;
    private final String key;
    private final boolean blankLines;
    private final boolean separated;
    private final StringBuilder document = new StringBuilder();
    private long start = 1;
    private long bytes;

    private TextRows(Path path, ReadOptions options, Rows rows) {
        this.path = path;
        this.options = options;
        this.rows = rows;
        this.key = options.key(options.form() == Form.PROMPT ? "prompt" : "text");
        this.blankLines = options.separator().equals(ReadOptions.BLANK_LINES);
        this.separated = !blankLines && !options.separator().isEmpty();
    }

    static void documents(InputStream in, Path path, ReadOptions options, Rows rows) throws IOException {
        new TextRows(path, options, rows).read(in);
    }

    private void read(InputStream in) throws IOException {
        Lines lines = new Lines(in, path, options.maxRecordBytes());
        while (true) {
            String line;
            try {
                line = lines.next();
            } catch (DataException e) {
                rows.wrong(e);
                continue;
            }
            if (line == null) {
                break;
            }
            if (blankLines && line.isBlank()) {
                end(lines.number() + 1);
                continue;
            }
            add(line);
            if (separated) {
                cutAtSeparators(lines.number());
            }
        }
        end(lines.number());
    }

    private void add(String line) {
        bytes += line.length() + 1L;
        if (bytes <= options.maxRecordBytes() || separated) {
            document.append(line).append('\n');
        }
    }

    private void cutAtSeparators(long line) {
        String separator = options.separator();
        int from = 0;
        for (int at; (at = document.indexOf(separator, from)) >= 0; from = at + separator.length()) {
            emit(document.substring(from, at));
            start = at + separator.length() < document.length() ? line : line + 1;
            bytes = 0;
        }
        if (from > 0) {
            document.delete(0, from);
            bytes = document.length();
        } else if (bytes > options.maxRecordBytes()) {
            // What is too long is not kept, but its end must still be found.
            document.delete(0, Math.max(0, document.length() - separator.length() + 1));
        }
    }

    private void end(long next) {
        emit(document.toString());
        document.setLength(0);
        bytes = 0;
        start = next;
    }

    private void emit(String text) {
        Place place = new Place(path, "line", start);
        if (bytes > options.maxRecordBytes()) {
            rows.wrong(new DataException(
                    place,
                    "expected at most " + options.maxRecordBytes() + " characters in a document, found " + bytes));
            return;
        }
        String trimmed = withoutOuterLineEnds(text);
        if (!trimmed.isBlank()) {
            JsonNode record = JsonNodeFactory.instance.objectNode().put(key, trimmed);
            rows.row(place, record);
        }
    }

    private static String withoutOuterLineEnds(String text) {
        int from = 0;
        int to = text.length();
        while (from < to && text.charAt(from) == '\n') {
            from++;
        }
        while (to > from && text.charAt(to - 1) == '\n') {
            to--;
        }
        return text.substring(from, to);
    }
}

package dev.kedge.data;

import java.nio.file.Path;
import java.util.Locale;

/// Data that cannot be used as it is: one line that says which file, which record, which key, what was expected and
/// what was found.
///
/// `prefs.jsonl, line 12, key "chosen": expected a string or a list of messages, found the number 3`
public final class DataException extends RuntimeException {
    /// Where in a file a record stands.
    ///
    /// @param path   the file; the empty path for examples that come from none
    /// @param unit   what `number` counts: `line`, `record`, `row` or `example`
    /// @param number from 1; 0 for the file as a whole
    public record Place(Path path, String unit, long number) {
        public static Place file(Path path) {
            return new Place(path, "line", 0);
        }

        @Override
        public String toString() {
            String name = path.toString();
            return number == 0 ? name : (name.isEmpty() ? "" : name + ", ") + unit + " " + number;
        }
    }

    private final transient Place place;
    private final String key;
    private final String problem;

    /// @param place   the record
    /// @param key     the key inside it, as in `messages[0].role`; empty for the record as a whole
    /// @param problem what was expected and what was found
    public DataException(Place place, String key, String problem) {
        super(oneLine(place + (key.isEmpty() ? "" : ", key \"" + key + "\"") + ": " + problem));
        this.place = place;
        this.key = oneLine(key);
        this.problem = oneLine(problem);
    }

    DataException(Place place, String problem) {
        this(place, "", problem);
    }

    Place place() {
        return place;
    }

    public Path file() {
        return place.path();
    }

    /// The line, record or row, from 1; 0 for the file as a whole.
    public long line() {
        return place.number();
    }

    /// The key inside the record; empty for the record as a whole.
    public String key() {
        return key;
    }

    /// The message without its place, so that equal mistakes can be counted together.
    public String reason() {
        return key.isEmpty() ? problem : "key \"" + key + "\": " + problem;
    }

    /// Control characters, line breaks among them, are written as escapes: data never reaches a terminal raw.
    static String oneLine(String text) {
        StringBuilder line = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            if (Character.isISOControl(c)
                    || c == 0x2028
                    || c == 0x2029
                    || Character.getType(c) == Character.SURROGATE) {
                line.append(String.format(Locale.ROOT, "\\u%04x", c));
            } else {
                line.appendCodePoint(c);
            }
        });
        return line.toString();
    }
}

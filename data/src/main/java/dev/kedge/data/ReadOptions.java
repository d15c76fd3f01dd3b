package dev.kedge.data;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// How a file of records is read.
///
/// @param form           what the records are
/// @param keys           for a key of [Form], the key that the file has in its place, as in `prompt: question`
/// @param wrong          what happens to a record that cannot be used
/// @param ties           what happens to a preference whose two replies are the same
/// @param separator      what stands between the documents of a text file; [#BLANK_LINES], or empty for one document
/// @param maxRecordBytes the longest record, bytes of UTF-8; longer ones are wrong
public record ReadOptions(
        Form form, Map<String, String> keys, Wrong wrong, Ties ties, String separator, int maxRecordBytes) {
    /// Documents end where one or more blank lines stand.
    public static final String BLANK_LINES = "\n\n";

    static final Set<String> KNOWN_KEYS = Set.of(
            "prompt",
            "completion",
            "label",
            "messages",
            "chosen",
            "rejected",
            "text",
            "instruction",
            "input",
            "output",
            "role",
            "content");

    /// What happens to a record that cannot be used.
    public enum Wrong {
        /// Reading ends with a [DataException].
        FAIL,
        /// It is left out and counted, with its reason, in [Skipped].
        SKIP
    }

    /// What happens to a preference whose two replies are the same. It is well formed, and no method can learn from it
    /// which reply is better; kept, its margin is always 0.
    public enum Ties {
        /// It is left out and counted in [Skipped], also where wrong records fail.
        SKIP,
        KEEP
    }

    public ReadOptions {
        keys = Map.copyOf(keys);
        for (String key : keys.keySet()) {
            if (!KNOWN_KEYS.contains(key)) {
                throw new IllegalArgumentException(
                        "keys: \"" + key + "\" is no key of a record; allowed: " + new TreeSet<>(KNOWN_KEYS));
            }
        }
        if (maxRecordBytes < 1) {
            throw new IllegalArgumentException("maxRecordBytes must be at least 1, was " + maxRecordBytes);
        }
    }

    /// The form is found from the keys, a wrong record fails, ties are left out, text documents end at blank lines, a
    /// record has at most 16 MiB.
    public static ReadOptions strict() {
        return new ReadOptions(Form.DETECT, Map.of(), Wrong.FAIL, Ties.SKIP, BLANK_LINES, 1 << 24);
    }

    /// As [#strict], but wrong records are left out and counted.
    public static ReadOptions skipping() {
        return strict().withWrong(Wrong.SKIP);
    }

    public ReadOptions withForm(Form form) {
        return new ReadOptions(form, keys, wrong, ties, separator, maxRecordBytes);
    }

    public ReadOptions withKeys(Map<String, String> keys) {
        return new ReadOptions(form, keys, wrong, ties, separator, maxRecordBytes);
    }

    public ReadOptions withWrong(Wrong wrong) {
        return new ReadOptions(form, keys, wrong, ties, separator, maxRecordBytes);
    }

    public ReadOptions withTies(Ties ties) {
        return new ReadOptions(form, keys, wrong, ties, separator, maxRecordBytes);
    }

    public ReadOptions withSeparator(String separator) {
        return new ReadOptions(form, keys, wrong, ties, separator, maxRecordBytes);
    }

    public ReadOptions withMaxRecordBytes(int maxRecordBytes) {
        return new ReadOptions(form, keys, wrong, ties, separator, maxRecordBytes);
    }

    /// The key that the file has in place of a known one.
    String key(String known) {
        return keys.getOrDefault(known, known);
    }
}

package dev.kedge.config;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/// How names are spelled in YAML, and which valid one somebody may have meant.
public final class Names {
    private Names() {}

    /// `learningRate`, `LearningRate` and `LEARNING_RATE` as `learning_rate`; `GSM8K` as `gsm8k`.
    static String snake(String name) {
        if (name.equals(name.toUpperCase(Locale.ROOT))) {
            return name.toLowerCase(Locale.ROOT);
        }
        return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2")
                .replaceAll("([A-Z])([A-Z][a-z])", "$1_$2")
                .toLowerCase(Locale.ROOT);
    }

    /// What the key `kind` calls a record of a sealed interface: what its [Kind] says.
    static String kind(Class<?> type) {
        Kind kind = type.getAnnotation(Kind.class);
        if (kind == null) {
            throw new IllegalStateException(type.getName() + " has no @Kind: YAML cannot name it");
        }
        return kind.value();
    }

    /// "; did you mean `beta`? Valid here: `beta`, `steps`", the question only where a name is near.
    public static String advice(String wrong, Collection<String> valid) {
        String all = valid.isEmpty() ? "no key is valid here" : "valid here: `" + String.join("`, `", valid) + "`";
        return nearest(wrong, valid)
                .map(name -> "; did you mean `" + name + "`? " + all)
                .orElse("; " + all);
    }

    /// The valid name that somebody may have meant; empty where none is near.
    public static Optional<String> nearest(String wrong, Collection<String> valid) {
        String nearest = null;
        int least = Math.max(2, wrong.length() / 3) + 1;
        for (String name : valid) {
            int distance = distance(wrong.toLowerCase(Locale.ROOT), name);
            if (distance < least) {
                least = distance;
                nearest = name;
            }
        }
        return Optional.ofNullable(nearest);
    }

    /// Insertions, deletions and substitutions that turn one text into the other (Levenshtein 1966).
    static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}

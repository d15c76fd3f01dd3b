package dev.kedge.text;

import java.util.List;

/// Texts at whose first appearance a continuation ends, itself left out; they are looked for in text, so that the
/// borders of tokens do not matter.
///
/// @param texts none of them empty
public record StopTexts(List<String> texts) {
    public StopTexts {
        texts = List.copyOf(texts);
        if (texts.contains("")) {
            throw new IllegalArgumentException("a stop text must not be empty: every text holds it");
        }
    }

    /// Whether a text holds one.
    public boolean endIn(String text) {
        return texts.stream().anyMatch(text::contains);
    }

    /// A text up to the first of them.
    public String cut(String text) {
        return text.substring(0, first(text));
    }

    /// As [#cut], of a text that goes on: what may yet become a stop text is left out too.
    public String certain(String text) {
        int end = first(text);
        int longest = texts.stream().mapToInt(String::length).max().orElse(0);
        for (int from = Math.max(0, text.length() - longest); from < end; from++) {
            String rest = text.substring(from);
            if (texts.stream().anyMatch(stop -> stop.startsWith(rest))) {
                return text.substring(0, from);
            }
        }
        return text.substring(0, end);
    }

    private int first(String text) {
        return texts.stream().mapToInt(text::indexOf).filter(i -> i >= 0).min().orElse(text.length());
    }
}

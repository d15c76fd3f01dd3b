package dev.kedge.data;

/// A prompt alone, for methods that sample their own replies.
///
/// @param prompt not blank
public record Prompt(Content prompt) implements Example {
    public Prompt {
        if (prompt.isBlank()) {
            throw new IllegalArgumentException("the prompt is empty");
        }
    }

    public static Prompt of(String prompt) {
        return new Prompt(Content.text(prompt));
    }
}

package dev.kedge.data;

/// A prompt and the reply to learn.
///
/// @param completion not blank
public record PromptCompletion(Content prompt, Content completion) implements Example {
    public PromptCompletion {
        Example.requireReplies(prompt, completion);
    }

    public static PromptCompletion of(String prompt, String completion) {
        return new PromptCompletion(Content.text(prompt), Content.text(completion));
    }
}

package dev.kedge.data;

/// A prompt and a reply that somebody found desirable or not: a preference without a second reply.
///
/// @param completion not blank
public record LabelledCompletion(Content prompt, Content completion, boolean desirable) implements Example {
    public LabelledCompletion {
        Example.requireReplies(prompt, completion);
    }

    public static LabelledCompletion of(String prompt, String completion, boolean desirable) {
        return new LabelledCompletion(Content.text(prompt), Content.text(completion), desirable);
    }

    /// The same without its label.
    public PromptCompletion unlabelled() {
        return new PromptCompletion(prompt, completion);
    }
}

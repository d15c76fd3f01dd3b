package dev.kedge.data;

/// One record of a data set, in one of the forms that training knows.
///
/// Prompt and replies of one example are all text or all messages; where a file mixes them, the reader turns text into
/// a message (`user` for the prompt, `assistant` for replies).
public sealed interface Example
        permits PromptCompletion, LabelledCompletion, Conversation, Preference, Prompt, Document {

    /// What the model is given before it speaks, for the search of duplicates: messages as `role: content`, one a
    /// line. Of a conversation, all before the first reply; of a document, the whole text.
    default String promptText() {
        return switch (this) {
            case PromptCompletion(Content prompt, Content _) -> prompt.plain();
            case LabelledCompletion(Content prompt, Content _, boolean _) -> prompt.plain();
            case Preference(Content prompt, Content _, Content _) -> prompt.plain();
            case Prompt(Content prompt) -> prompt.plain();
            case Document(String text) -> text;
            case Conversation(var messages) ->
                messages.getFirst().role().equals(Conversation.ASSISTANT)
                        ? ""
                        : Content.messages(messages.stream()
                                        .takeWhile(m -> !m.role().equals(Conversation.ASSISTANT))
                                        .toList())
                                .plain();
        };
    }

    /// The same example with every text as a message, so that a chat template applies; documents stay as they are.
    default Example asChat() {
        String user = Conversation.USER;
        String assistant = Conversation.ASSISTANT;
        return switch (this) {
            case PromptCompletion(Content prompt, Content completion) ->
                new PromptCompletion(prompt.asMessages(user), completion.asMessages(assistant));
            case LabelledCompletion(Content prompt, Content completion, boolean desirable) ->
                new LabelledCompletion(prompt.asMessages(user), completion.asMessages(assistant), desirable);
            case Preference(Content prompt, Content chosen, Content rejected) ->
                new Preference(prompt.asMessages(user), chosen.asMessages(assistant), rejected.asMessages(assistant));
            case Prompt(Content prompt) -> new Prompt(prompt.asMessages(user));
            case Conversation conversation -> conversation;
            case Document document -> document;
        };
    }

    /// Prompt and replies are of one kind, and each reply says something.
    static void requireReplies(Content prompt, Content... replies) {
        for (Content reply : replies) {
            if (reply.getClass() != prompt.getClass()) {
                throw new IllegalArgumentException("prompt and replies must be all text or all messages");
            }
            if (reply.isBlank()) {
                throw new IllegalArgumentException("a reply is empty");
            }
        }
    }
}

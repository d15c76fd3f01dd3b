package dev.kedge.data;

import dev.kedge.text.Message;

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
            case PromptCompletion(Content prompt, Content _) -> plain(prompt);
            case LabelledCompletion(Content prompt, Content _, boolean _) -> plain(prompt);
            case Preference(Content prompt, Content _, Content _) -> plain(prompt);
            case Prompt(Content prompt) -> plain(prompt);
            case Document(String text) -> text;
            case Conversation(var messages) ->
                plain(messages.stream()
                        .takeWhile(m -> !m.role().equals(Conversation.ASSISTANT))
                        .toList());
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

    private static String plain(Content content) {
        return switch (content) {
            case Content.Text(String text) -> text;
            case Content.Messages(var messages) -> plain(messages);
        };
    }

    private static String plain(Iterable<Message> messages) {
        StringBuilder text = new StringBuilder();
        for (Message message : messages) {
            text.append(message.role()).append(": ").append(message.content()).append('\n');
        }
        return text.toString();
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

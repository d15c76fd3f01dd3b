package dev.kedge.data;

import dev.kedge.text.Message;
import java.util.List;
import java.util.stream.Collectors;

/// A prompt or a reply: plain text, trained on as it stands, or messages, which a chat template turns into text.
public sealed interface Content {
    /// Text as it stands; no template is applied.
    record Text(String text) implements Content {}

    /// At least one message, oldest first.
    record Messages(List<Message> messages) implements Content {
        public Messages {
            messages = List.copyOf(messages);
            if (messages.isEmpty()) {
                throw new IllegalArgumentException("at least one message is needed");
            }
        }
    }

    static Content text(String text) {
        return new Text(text);
    }

    static Content messages(List<Message> messages) {
        return new Messages(messages);
    }

    /// Whether there is nothing but white space: a reply that teaches nothing.
    default boolean isBlank() {
        return switch (this) {
            case Text(String text) -> text.isBlank();
            case Messages(List<Message> messages) ->
                messages.stream().allMatch(m -> m.content().isBlank());
        };
    }

    /// Text as it stands, messages as `role: content`, one a line.
    default String plain() {
        return switch (this) {
            case Text(String text) -> text;
            case Messages(List<Message> messages) ->
                messages.stream().map(m -> m.role() + ": " + m.content() + '\n').collect(Collectors.joining());
        };
    }

    /// Messages as they are; text becomes one message of the given role.
    default Messages asMessages(String role) {
        return switch (this) {
            case Text(String text) -> new Messages(List.of(new Message(role, text)));
            case Messages messages -> messages;
        };
    }
}

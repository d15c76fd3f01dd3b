package dev.kedge.data;

import dev.kedge.text.Message;
import java.util.List;

/// A dialogue in which every reply of the assistant is to be learnt.
///
/// @param messages oldest first; at least one of the assistant's is not blank
public record Conversation(List<Message> messages) implements Example {
    /// The role whose messages are learnt.
    public static final String ASSISTANT = "assistant";

    static final String USER = "user";

    public Conversation {
        messages = List.copyOf(messages);
        if (messages.stream()
                .noneMatch(m -> m.role().equals(ASSISTANT) && !m.content().isBlank())) {
            throw new IllegalArgumentException("no message of the assistant says anything");
        }
    }
}

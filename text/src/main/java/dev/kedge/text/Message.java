package dev.kedge.text;

import java.util.Objects;

/// One turn of a conversation.
///
/// @param role    who speaks: `system`, `user`, `assistant`, or what else a template knows
/// @param content what is said
public record Message(String role, String content) {
    public Message {
        Objects.requireNonNull(role, "role");
        Objects.requireNonNull(content, "content");
    }
}

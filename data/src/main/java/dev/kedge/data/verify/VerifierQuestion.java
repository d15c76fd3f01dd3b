package dev.kedge.data.verify;

import dev.kedge.data.Content;
import dev.kedge.data.Content.Messages;
import dev.kedge.text.Message;
import java.util.List;

/// What a verifier knows about a prompt.
///
/// @param question what the model was asked, as its record has it: text, or messages with their roles
/// @param answer   the reference answer; empty where there is none, as for a [Majority] vote
public record VerifierQuestion(Content question, String answer) {
    public VerifierQuestion(String question, String answer) {
        this(Content.text(question), answer);
    }

    /// The question as text: of a single message its content, of several `role: content`, one a line.
    public String prompt() {
        return question instanceof Messages(List<Message> messages) && messages.size() == 1
                ? messages.getFirst().content()
                : question.plain();
    }

    /// The question as messages, oldest first: text is one of the user's.
    public List<Message> messages() {
        return question.asMessages("user").messages();
    }
}

package dev.kedge.recipe.policy;

import dev.kedge.data.Content;
import dev.kedge.data.Tokenisation;
import dev.kedge.data.verify.VerifierQuestion;
import dev.kedge.text.Tokenizer;
import java.util.Optional;

/// What a policy is asked.
///
/// @param prompt token ids
/// @param asked  the same for people and verifiers
public record Question(int[] prompt, VerifierQuestion asked) {
    public Question(int[] prompt, String text, String answer) {
        this(prompt, new VerifierQuestion(text, answer));
    }

    /// One whose prompt is its text alone.
    public static Question of(String text, String answer, Tokenizer tokenizer) {
        Tokenisation tokenisation = Tokenisation.ofPrompts(tokenizer, Optional.empty());
        return new Question(tokenisation.prompt(Content.text(text)), text, answer);
    }

    /// As text.
    public String text() {
        return asked.prompt();
    }

    /// What the verifier compares with, as it needs it; empty where it knows.
    public String answer() {
        return asked.answer();
    }
}

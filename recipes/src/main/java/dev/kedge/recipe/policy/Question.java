package dev.kedge.recipe.policy;

import dev.kedge.text.Tokenizer;

/// What a policy is asked.
///
/// @param prompt token ids
/// @param text   the same as text, for people and verifiers
/// @param answer what the verifier compares with, as it needs it; empty where it knows
public record Question(int[] prompt, String text, String answer) {
    /// One whose prompt is its text alone.
    public static Question of(String text, String answer, Tokenizer tokenizer) {
        return new Question(tokenizer.encode(text), text, answer);
    }
}

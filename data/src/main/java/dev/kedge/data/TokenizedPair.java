package dev.kedge.data;

/// A preference as tokens: two sequences that begin with the same prompt.
///
/// @param promptLength the tokens of the prompt, the same in both
public record TokenizedPair(Tokenized chosen, Tokenized rejected, int promptLength) {
    public TokenizedPair {
        for (int i = 0; i < promptLength; i++) {
            if (chosen.tokens()[i] != rejected.tokens()[i]) {
                throw new IllegalArgumentException("chosen and rejected have different prompts at token " + i);
            }
        }
    }

    /// The longer of the two, tokens.
    public int length() {
        return Math.max(chosen.length(), rejected.length());
    }
}

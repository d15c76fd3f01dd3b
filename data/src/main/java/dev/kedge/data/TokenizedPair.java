package dev.kedge.data;

/// A preference as tokens: two sequences that begin with the same prompt.
public record TokenizedPair(Tokenized chosen, Tokenized rejected) {
    public TokenizedPair {
        if (chosen.promptLength() != rejected.promptLength()) {
            throw new IllegalArgumentException("chosen and rejected have prompts of different lengths: "
                    + chosen.promptLength() + " and " + rejected.promptLength());
        }
        for (int i = 0; i < chosen.promptLength(); i++) {
            if (chosen.tokens()[i] != rejected.tokens()[i]) {
                throw new IllegalArgumentException("chosen and rejected have different prompts at token " + i);
            }
        }
    }

    /// Two sequences of which so many tokens are the prompt.
    public TokenizedPair(Tokenized chosen, Tokenized rejected, int promptLength) {
        this(chosen.withPromptLength(promptLength), rejected.withPromptLength(promptLength));
    }

    /// The tokens of the prompt, the same in both.
    public int promptLength() {
        return chosen.promptLength();
    }

    /// The longer of the two, tokens.
    public int length() {
        return Math.max(chosen.length(), rejected.length());
    }

    /// Tokens of both together.
    public int tokens() {
        return chosen.length() + rejected.length();
    }
}

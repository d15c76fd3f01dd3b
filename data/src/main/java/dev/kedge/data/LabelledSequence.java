package dev.kedge.data;

import java.util.List;

/// A completion as tokens, and whether it is desirable.
public record LabelledSequence(Tokenized sequence, boolean desirable) {
    /// A pair as two: the chosen reply is desirable, the rejected one is not.
    public static List<LabelledSequence> of(TokenizedPair pair) {
        return List.of(new LabelledSequence(pair.chosen(), true), new LabelledSequence(pair.rejected(), false));
    }

    /// Tokens.
    public int length() {
        return sequence.length();
    }
}

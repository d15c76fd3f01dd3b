package dev.kedge.data.verify;

import dev.kedge.config.Kind;
import java.util.Optional;

/// 1 if what the last `\boxed{...}` of the completion holds is the reference answer, else 0: the form of MATH
/// (Hendrycks et al. 2021, arXiv:2103.03874). Both are brought to the normal form of [MathAnswer] first, which
/// says what counts as equal.
///
/// A reference answer is the answer alone, or a solution with a `\boxed{...}` of its own.
@Kind("boxed")
public record Boxed() implements Verification, Verifier {
    private static final String BOX = "\\boxed";
    private static final String FRAMED = "\\fbox";

    @Override
    public Verifier verifier() {
        return this;
    }

    @Override
    public double reward(VerifierQuestion question, String completion) {
        MathAnswer right = content(question.answer())
                .or(() -> Optional.of(question.answer()))
                .flatMap(MathAnswer::read)
                .orElseThrow(() -> Extraction.noAnswer(question));
        return content(completion)
                        .flatMap(MathAnswer::read)
                        .filter(right::agrees)
                        .isPresent()
                ? 1
                : 0;
    }

    /// What the last box of a text holds; empty if there is none, it is not closed, or it holds too much to be an
    /// answer.
    static Optional<String> content(String text) {
        int at = Math.max(text.lastIndexOf(BOX), text.lastIndexOf(FRAMED));
        if (at < 0) {
            return Optional.empty();
        }
        int start = at + (text.startsWith(BOX, at) ? BOX : FRAMED).length();
        while (start < text.length() && Character.isWhitespace(text.charAt(start))) {
            start++;
        }
        if (start == text.length()) {
            return Optional.empty();
        }
        if (text.charAt(start) != '{') {
            return Optional.of(text.substring(start, text.offsetByCodePoints(start, 1)));
        }
        int open = 0;
        int last = Math.min(text.length(), start + MathAnswer.MAX_CHARACTERS + 2);
        for (int i = start; i < last; i++) {
            switch (text.charAt(i)) {
                case '\\' -> i++;
                case '{' -> open++;
                case '}' -> {
                    if (--open == 0) {
                        return Optional.of(text.substring(start + 1, i));
                    }
                }
                default -> {}
            }
        }
        return Optional.empty();
    }
}

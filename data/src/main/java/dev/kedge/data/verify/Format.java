package dev.kedge.data.verify;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.kedge.config.Kind;

/// 1 if the whole completion has the form of a regular expression, else 0: `<think>.*</think>\s*<answer>.*</answer>`.
///
/// The syntax is RE2's, in which there are no back-references and no look-around, so that matching takes time linear in
/// the text whatever the pattern. A dot matches line breaks too. A completion of more than [#MAX_CHARACTERS] gets 0.
///
/// @param pattern of the whole completion, at most 1,000 characters
@Kind("format")
public record Format(String pattern) implements Verification {
    static final int MAX_CHARACTERS = 1 << 18;
    private static final int MAX_PATTERN = 1000;

    public Format {
        if (pattern.length() > MAX_PATTERN) {
            throw new IllegalArgumentException(
                    "pattern must have at most " + MAX_PATTERN + " characters, had " + pattern.length());
        }
        compile(pattern);
    }

    private static Pattern compile(String pattern) {
        try {
            return Pattern.compile(pattern, Pattern.DOTALL);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    "pattern must be a regular expression of RE2: " + e.getDescription() + ": " + e.getPattern(), e);
        }
    }

    @Override
    public Verifier verifier() {
        return new Compiled(compile(pattern));
    }

    /// The pattern at work.
    record Compiled(Pattern pattern) implements Verifier {
        @Override
        public double reward(VerifierQuestion question, String completion) {
            return completion.length() <= MAX_CHARACTERS && pattern.matches(completion) ? 1 : 0;
        }
    }
}

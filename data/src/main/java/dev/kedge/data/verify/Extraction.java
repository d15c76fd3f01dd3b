package dev.kedge.data.verify;

import java.math.BigDecimal;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How the answer is read off a completion, in a form in which equal answers are equal strings.
public enum Extraction {
    /// The whole completion, without white space at its ends; a blank one is no answer.
    TEXT,
    /// The last number of the text.
    NUMBER,
    /// The first number after the last `####`, or without that mark the last number of the text.
    GSM8K,
    /// What the last `\boxed{...}` holds, in the normal form of [MathAnswer].
    BOXED;

    static final String MARK = "####";

    /// Longer runs of digits are no numbers that anyone meant.
    private static final int MAX_NUMBER = 400;

    /// A minus sign counts where it does not stand between two terms.
    private static final Pattern NUM = Pattern.compile("(?:(?<![\\w)\\]}])[-\u2212]\\s?)?(?:\\\\?\\$-?)?"
            + "(?:(?:[0-9]{1,3}(?:,[0-9]{3})++(?![0-9])|[0-9]++)(?:\\.[0-9]++)?|\\.[0-9]++)"
            + "(?:[eE][+-]?[0-9]{1,3}(?![0-9A-Za-z]))?");

    /// @return empty if the completion holds no answer
    public Optional<String> of(String completion) {
        return switch (this) {
            case TEXT -> Optional.of(completion.strip()).filter(text -> !text.isEmpty());
            case NUMBER, GSM8K ->
                number(completion).map(n -> n.stripTrailingZeros().toPlainString());
            case BOXED -> Boxed.content(completion).flatMap(MathAnswer::read).map(MathAnswer::canonical);
        };
    }

    /// The number that a text holds; of a text without numbers nothing.
    Optional<BigDecimal> number(String text) {
        int mark = this == GSM8K ? text.lastIndexOf(MARK) : -1;
        Matcher matcher = NUM.matcher(text);
        if (mark >= 0) {
            return matcher.region(mark + MARK.length(), text.length()).find()
                    ? value(matcher.group())
                    : Optional.empty();
        }
        String last = null;
        while (matcher.find()) {
            last = matcher.end() - matcher.start() > MAX_NUMBER ? null : matcher.group();
        }
        return Optional.ofNullable(last).flatMap(Extraction::value);
    }

    private static Optional<BigDecimal> value(String written) {
        if (written.length() > MAX_NUMBER) {
            return Optional.empty();
        }
        String plain = written.replace('\u2212', '-').replaceAll("[\\\\$,\\s]", "");
        return Optional.of(new BigDecimal(plain.startsWith("--") ? plain.substring(1) : plain));
    }

    static IllegalArgumentException noAnswer(VerifierQuestion question) {
        String answer = question.answer();
        return new IllegalArgumentException("the reference answer \""
                + answer.substring(0, Math.min(40, answer.length())) + "\" cannot be read; one that this verifier reads"
                + " would be right");
    }
}

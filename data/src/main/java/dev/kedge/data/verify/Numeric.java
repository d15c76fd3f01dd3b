package dev.kedge.data.verify;

import dev.kedge.config.Kind;
import java.math.BigDecimal;
import java.util.Optional;

/// 1 if the last number of the completion is near the last number of the reference answer, else 0.
///
/// `|a - b| <= max(tolerance |b|, absolute)` for the number `a` against the reference's `b`. Both are read
/// exactly, with thousands separators, a dollar sign and an exponent of up to three digits; a percent sign is
/// passed over.
///
/// @param tolerance relative to the reference's number, in [0, 1)
/// @param absolute  in the number's own unit, finite and >= 0; 0 where absent
@Kind("numeric")
public record Numeric(double tolerance, Optional<Double> absolute) implements Verification, Verifier {
    public Numeric {
        if (!(tolerance >= 0 && tolerance < 1)) {
            throw new IllegalArgumentException("tolerance must be in [0, 1), was " + tolerance);
        }
        double floor = absolute.orElse(0.0);
        if (!(floor >= 0 && floor < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("absolute must be finite and >= 0, was " + floor);
        }
    }

    @Override
    public Verifier verifier() {
        return this;
    }

    @Override
    public double reward(VerifierQuestion question, String completion) {
        BigDecimal right = Extraction.NUMBER.number(question.answer()).orElseThrow(() -> Extraction.noAnswer(question));
        BigDecimal relative = right.abs().multiply(new BigDecimal(tolerance));
        BigDecimal allowed = relative.max(new BigDecimal(absolute.orElse(0.0)));
        return Extraction.NUMBER
                        .number(completion)
                        .filter(found -> found.subtract(right).abs().compareTo(allowed) <= 0)
                        .isPresent()
                ? 1
                : 0;
    }
}

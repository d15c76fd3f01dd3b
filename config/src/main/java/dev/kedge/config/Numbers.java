package dev.kedge.config;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Optional;
import java.util.regex.Pattern;

/// Numbers as YAML 1.2 writes them (core schema), with `_` allowed between digits.
final class Numbers {
    private static final Pattern DECIMAL =
            Pattern.compile("[-+]?(\\.\\d[\\d_]*|\\d[\\d_]*(\\.[\\d_]*)?)([eE][-+]?\\d{1,9})?");
    private static final Pattern HEXADECIMAL = Pattern.compile("0x[0-9a-fA-F]{1,16}");
    private static final Pattern INFINITE = Pattern.compile("[-+]?\\.(inf|Inf|INF)");
    private static final Pattern NAN = Pattern.compile("\\.(nan|NaN|NAN)");

    private Numbers() {}

    /// The nearest double; empty if the text is not a number.
    static Optional<Double> real(String text) {
        if (NAN.matcher(text).matches()) {
            return Optional.of(Double.NaN);
        }
        if (INFINITE.matcher(text).matches()) {
            return Optional.of(text.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY);
        }
        if (HEXADECIMAL.matcher(text).matches()) {
            return Optional.of(new BigInteger(text.substring(2), 16).doubleValue());
        }
        return DECIMAL.matcher(text).matches() && !text.endsWith("_")
                ? Optional.of(Double.parseDouble(text.replace("_", "")))
                : Optional.empty();
    }

    /// The exact whole number; empty if the text is not one, or it is beyond 64 bits.
    static Optional<Long> whole(String text) {
        try {
            if (HEXADECIMAL.matcher(text).matches()) {
                return Optional.of(new BigInteger(text.substring(2), 16).longValueExact());
            }
            if (!DECIMAL.matcher(text).matches() || text.endsWith("_")) {
                return Optional.empty();
            }
            BigDecimal value = new BigDecimal(text.replace("_", ""));
            if (value.signum() == 0) {
                return Optional.of(0L);
            }
            // Far exponents would be written out digit by digit before they are refused.
            long digits = (long) value.precision() - value.scale();
            return digits > 19 ? Optional.empty() : Optional.of(value.longValueExact());
        } catch (ArithmeticException _) {
            return Optional.empty();
        }
    }
}

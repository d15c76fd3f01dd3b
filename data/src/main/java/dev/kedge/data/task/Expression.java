package dev.kedge.data.task;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A written calculation with whole numbers, read and evaluated exactly; nothing of it is ever executed.
///
/// `sum = product (('+' | '-') product)*`, `product = factor (('*' | '/') factor)*`, `factor = number | '(' sum ')'`.
/// Numbers are written in one way only: no sign, no leading zero, no space.
///
/// @param value   what it comes to; every quotient in it is whole
/// @param numbers those it uses, in their order
record Expression(long value, List<Long> numbers) {
    /// Longer texts are not read.
    static final int MAX_LENGTH = 100;
    /// Deeper parentheses are not read.
    static final int MAX_DEPTH = 16;

    private static final int MAX_DIGITS = 9;

    /// Empty where a text is no expression, is too long or too deep, has a quotient that is not whole or has no value,
    /// or leaves 64 bits on the way.
    static Optional<Expression> parse(String text) {
        if (text.length() > MAX_LENGTH) {
            return Optional.empty();
        }
        Parser parser = new Parser(text);
        try {
            long value = parser.sum();
            return parser.at == text.length()
                    ? Optional.of(new Expression(value, List.copyOf(parser.numbers)))
                    : Optional.empty();
        } catch (ArithmeticException _) {
            return Optional.empty();
        }
    }

    /// Everything that cannot be read or evaluated is an [ArithmeticException] here, as overflows are.
    private static final class Parser {
        private final String text;
        private final List<Long> numbers = new ArrayList<>();
        private int at;
        private int depth;

        private Parser(String text) {
            this.text = text;
        }

        private long sum() {
            long value = product();
            while (true) {
                if (take('+')) {
                    value = Math.addExact(value, product());
                } else if (take('-')) {
                    value = Math.subtractExact(value, product());
                } else {
                    return value;
                }
            }
        }

        private long product() {
            long value = factor();
            while (true) {
                if (take('*')) {
                    value = Math.multiplyExact(value, factor());
                } else if (take('/')) {
                    value = quotient(value, factor());
                } else {
                    return value;
                }
            }
        }

        private static long quotient(long a, long b) {
            if (b == 0 || a % b != 0) {
                throw new ArithmeticException("not whole");
            }
            return Math.divideExact(a, b);
        }

        private long factor() {
            if (!take('(')) {
                return number();
            }
            if (++depth > MAX_DEPTH) {
                throw new ArithmeticException("too deep");
            }
            long value = sum();
            if (!take(')')) {
                throw new ArithmeticException("not closed");
            }
            depth--;
            return value;
        }

        private long number() {
            int from = at;
            while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
                at++;
            }
            int digits = at - from;
            if (digits == 0 || digits > MAX_DIGITS || (digits > 1 && text.charAt(from) == '0')) {
                throw new ArithmeticException("no number");
            }
            numbers.add(Long.parseLong(text, from, at, 10));
            return numbers.getLast();
        }

        private boolean take(char c) {
            boolean here = at < text.length() && text.charAt(at) == c;
            at += here ? 1 : 0;
            return here;
        }
    }
}

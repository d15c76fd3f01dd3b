package dev.kedge.data.verify;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// A rational number times factors, with nothing worked out between the factors.
///
/// @param above  numerator, which carries the sign
/// @param below  denominator, > 0
/// @param top    factors
/// @param bottom divisors
record LatexTerm(BigInteger above, BigInteger below, List<String> top, List<String> bottom) {
    static LatexTerm number(BigInteger above, BigInteger below) {
        if (below.signum() == 0) {
            throw new MathAnswer.Unread();
        }
        BigInteger gcd = above.gcd(below).multiply(BigInteger.valueOf(below.signum()));
        return new LatexTerm(above.divide(gcd), below.divide(gcd), List.of(), List.of());
    }

    static LatexTerm symbol(String symbol) {
        return new LatexTerm(BigInteger.ONE, BigInteger.ONE, List.of(symbol), List.of());
    }

    boolean isNumber() {
        return top.isEmpty() && bottom.isEmpty();
    }

    boolean isInteger() {
        return isNumber() && below.equals(BigInteger.ONE);
    }

    boolean isUnit() {
        return above.abs().equals(BigInteger.ONE) && below.equals(BigInteger.ONE);
    }

    LatexTerm signed(int sign) {
        return sign < 0 ? new LatexTerm(above.negate(), below, top, bottom) : this;
    }

    LatexTerm scaled(LatexTerm number) {
        LatexTerm scale = number(above.multiply(number.above), below.multiply(number.below));
        return new LatexTerm(scale.above, scale.below, top, bottom);
    }

    /// A product of two numbers stays one: of the second only the sign is taken out.
    LatexTerm times(LatexTerm other) {
        boolean whole = isUnit() || other.isUnit();
        LatexTerm scale = whole
                ? number(above.multiply(other.above), below.multiply(other.below))
                : number(above.multiply(BigInteger.valueOf(other.above.signum())), below);
        List<String> factors = joined(top, other.top);
        if (!whole) {
            factors.add(ratio(other.above.abs(), other.below));
        }
        return new LatexTerm(scale.above, scale.below, factors, joined(bottom, other.bottom));
    }

    LatexTerm over(LatexTerm other) {
        LatexTerm scale = number(above.multiply(other.below), below.multiply(other.above));
        return new LatexTerm(scale.above, scale.below, joined(top, other.bottom), joined(bottom, other.top));
    }

    private static List<String> joined(List<String> a, List<String> b) {
        List<String> both = new ArrayList<>(a);
        both.addAll(b);
        return both;
    }

    @Override
    public String toString() {
        String number = ratio(above, below);
        return number
                + top.stream().sorted().map(f -> "*" + f).collect(Collectors.joining())
                + bottom.stream().sorted().map(f -> "/" + f).collect(Collectors.joining());
    }

    static String ratio(BigInteger above, BigInteger below) {
        BigInteger gcd = above.gcd(below);
        BigInteger a = gcd.signum() == 0 ? above : above.divide(gcd);
        BigInteger b = gcd.signum() == 0 ? below : below.divide(gcd);
        return b.equals(BigInteger.ONE) ? a.toString() : a + "/" + b;
    }
}

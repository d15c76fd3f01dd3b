package dev.kedge.lab.plot;

import dev.kedge.statistics.Estimate;
import java.math.BigDecimal;
import java.math.MathContext;

/// Numbers as a reader wants them: counts in full, else three or four
/// significant digits; the unit after; shares in percent.
public final class Quantity {
    /// What sums of doubles leave where nothing is.
    private static final double ROUNDING = 1e-13;

    private Quantity() {}

    /// A value with its unit; "%" takes a share.
    public static String text(double value, String unit) {
        return unit.isEmpty() ? number(scaled(value, unit)) : number(scaled(value, unit)) + "\u202f" + unit;
    }

    /// An interval without the unit, as "38 to 44"; empty where none is known.
    public static String interval(Estimate e, String unit) {
        return e.hasInterval() ? number(scaled(e.low(), unit)) + " to " + number(scaled(e.high(), unit)) : "";
    }

    /// A duration as "1 h 2 min", "3 min 5 s" or "4.2 s".
    public static String duration(double seconds) {
        if (seconds < 60) {
            return number(seconds) + " s";
        }
        long whole = Math.round(seconds);
        return whole < 3600
                ? parts(whole / 60, "min", whole % 60, "s")
                : parts(whole / 3600, "h", whole % 3600 / 60, "min");
    }

    private static String parts(long large, String largeUnit, long small, String smallUnit) {
        return large + " " + largeUnit + (small == 0 ? "" : " " + small + " " + smallUnit);
    }

    private static double scaled(double value, String unit) {
        return unit.equals("%") ? 100 * value : value;
    }

    /// A number without a unit.
    public static String number(double v) {
        if (!Double.isFinite(v)) {
            return Double.isNaN(v) ? "NaN" : v > 0 ? "∞" : "\u2212∞";
        }
        double size = Math.abs(v);
        if (size < ROUNDING) {
            return "0";
        }
        if (v == Math.rint(v) && size < 1e12) {
            // A count is exact.
            return grouped(Long.toString((long) v)).replace('-', '\u2212');
        }
        var rounded = BigDecimal.valueOf(v).round(new MathContext(size >= 1000 ? 4 : 3));
        if (size >= 1e7 || size < 1e-4) {
            int exponent = rounded.precision() - rounded.scale() - 1;
            var mantissa = rounded.movePointLeft(exponent).stripTrailingZeros().toPlainString();
            return (mantissa + "e" + exponent).replace('-', '\u2212');
        }
        var plain = rounded.stripTrailingZeros().toPlainString();
        return grouped(plain).replace('-', '\u2212');
    }

    /// Thin spaces between thousands from five digits on.
    private static String grouped(String plain) {
        int digits = plain.startsWith("-") ? plain.length() - 1 : plain.length();
        return plain.contains(".") || digits < 5 ? plain : plain.replaceAll("(?<=\\d)(?=(\\d{3})+$)", "\u202f");
    }

    /// The beginning of a text too long for a message.
    public static String shortened(String text) {
        return text.length() <= 60 ? text : text.substring(0, 60) + "…";
    }
}

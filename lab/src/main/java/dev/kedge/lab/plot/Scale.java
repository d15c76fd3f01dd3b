package dev.kedge.lab.plot;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;

/// A linear axis: values from `low` to `high` onto pixels from `start` to `end`.
record Scale(double low, double high, double start, double end) {
    /// The scale for those values; non-finite ones are left out, a single value gets room on both sides.
    ///
    /// @param margin room beyond the outermost values, as a share of their range
    static Scale over(double[] values, double margin, double start, double end) {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (double v : values) {
            if (Double.isFinite(v)) {
                low = Math.min(low, v);
                high = Math.max(high, v);
            }
        }
        if (low > high) {
            return new Scale(0, 1, start, end);
        }
        // Too small a range would be rounding drawn large.
        double least = Math.max(Math.abs(low), Math.abs(high)) * 1e-6;
        if (high - low <= least) {
            double room = low == 0 ? 1 : Math.abs(low) * 0.1;
            return new Scale(low - room, high + room, start, end);
        }
        double room = (high - low) * margin;
        // Room never crosses zero: a loss or a divergence has no negative side to show.
        return new Scale(
                low >= 0 ? Math.max(0, low - room) : low - room,
                high <= 0 ? Math.min(0, high + room) : high + room,
                start,
                end);
    }

    /// The pixel of a value.
    double at(double value) {
        return start + (value - low) / (high - low) * (end - start);
    }

    /// Round values within the scale, a multiple of 1, 2 or 5 times a power of ten, about `pixels` apart.
    List<Double> ticks(double pixels) {
        double step = step(pixels);
        var ticks = new ArrayList<Double>();
        for (long k = (long) Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
            ticks.add(k * step);
        }
        return ticks;
    }

    private double step(double pixels) {
        double raw = (high - low) / Math.max(1, Math.abs(end - start) / pixels);
        double power = Math.pow(10, Math.floor(Math.log10(raw)));
        double lead = raw / power;
        return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
    }

    /// The text of a tick: as many decimals as the step needs, thousands as k, powers of ten where zeros would pile up.
    String label(double tick, double pixels) {
        double step = step(pixels);
        double largest = Math.max(Math.abs(low), Math.abs(high));
        if (Math.abs(tick) < step * 1e-6) {
            return "0";
        }
        if (largest >= 1e6 || largest < 1e-3) {
            return power(tick, step);
        }
        return largest >= 1e4 ? rounded(tick / 1000, step / 1000) + "k" : rounded(tick, step);
    }

    private static String power(double tick, double step) {
        int exponent = (int) Math.floor(Math.log10(Math.abs(tick)) + 1e-9);
        double unit = Math.pow(10, exponent);
        var mantissa = rounded(tick / unit, step / unit);
        return (mantissa.contains(".") ? mantissa.replaceAll("\\.?0+$", "") : mantissa) + "e" + exponent;
    }

    private static String rounded(double value, double step) {
        int decimals = Math.max(0, (int) -Math.floor(Math.log10(step) + 1e-9));
        return BigDecimal.valueOf(value)
                .setScale(decimals, RoundingMode.HALF_EVEN)
                .toPlainString()
                .replace('-', '\u2212');
    }
}

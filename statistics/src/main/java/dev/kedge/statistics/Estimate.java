package dev.kedge.statistics;

/// A measured value with its interval; `low` and `high` are NaN where no interval is known.
public record Estimate(double value, double low, double high) {
    public Estimate {
        if (Double.isNaN(low) != Double.isNaN(high) || low > high) {
            throw new IllegalArgumentException("an interval needs low <= high, got [" + low + ", " + high + "]");
        }
    }

    /// A value without an interval.
    public static Estimate of(double value) {
        return new Estimate(value, Double.NaN, Double.NaN);
    }

    /// Whether an interval is known.
    public boolean hasInterval() {
        return !Double.isNaN(low);
    }
}

package dev.kedge.recipe.policy;

/// What numbers of a configuration may be.
final class Range {
    private Range() {}

    /// @throws IllegalArgumentException unless 0 < value < 1
    static void requireShare(String name, double value) {
        if (!(value > 0 && value < 1)) {
            throw new IllegalArgumentException(name + " must be in (0, 1), was " + value);
        }
    }

    /// @throws IllegalArgumentException unless 0 <= value < infinity
    static void requireFinite(String name, double value) {
        if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(name + " must be finite and >= 0, was " + value);
        }
    }

    /// @throws IllegalArgumentException unless 0 <= value <= 1
    static void requireProbability(String name, double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException(name + " must be in [0, 1], was " + value);
        }
    }
}

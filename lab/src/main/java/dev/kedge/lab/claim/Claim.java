package dev.kedge.lab.claim;

/// A statement of a paper as a comparison that can be measured: a method against a baseline on the same seeds, or
/// against a threshold.
///
/// Its verdict is never written down: see [Finding].
///
/// @param name       short, told apart from the paper's other claims: lower-case letters, digits and dashes
/// @param statement  what the paper says, in our words
/// @param experiment what is run
/// @param measure    what of it is compared
/// @param unit       of the measure: "%" for a share, empty where there is none
/// @param method     the arm that the statement is about
/// @param direction  which way the method is said to differ
/// @param against    what the method is held against
/// @param asked      the smallest effect that counts as what the paper says, in the measure's unit, >= 0
public record Claim(
        String name,
        String statement,
        Experiment experiment,
        String measure,
        String unit,
        Arm method,
        Direction direction,
        Against against,
        double asked) {
    /// @throws IllegalArgumentException if the name is malformed, or `asked` is negative or not finite
    public Claim {
        if (!name.matches("[a-z0-9]+(-[a-z0-9]+)*")) {
            throw new IllegalArgumentException("a claim's name is lower-case words and dashes, was " + name);
        }
        if (!(asked >= 0 && asked < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(name + ": the effect asked for must be finite and >= 0, was " + asked);
        }
    }

    /// The same, if the effect is larger than this.
    public Claim by(double effect) {
        return new Claim(name, statement, experiment, measure, unit, method, direction, against, effect);
    }

    /// What a method is held against.
    public sealed interface Against permits Arm, Threshold {}

    /// An arm of the experiment.
    ///
    /// @param name   as the field writes it
    /// @param number the name of its number in the [Outcome]
    public record Arm(String name, String number) implements Against {}

    /// A value that needs no measurement.
    public record Threshold(double value) implements Against {}

    /// Which way a method is said to differ.
    public enum Direction {
        MORE("more", 1),
        LESS("less", -1);

        private final String word;
        private final int sign;

        Direction(String word, int sign) {
            this.word = word;
            this.sign = sign;
        }

        @Override
        public String toString() {
            return word;
        }
    }

    /// By how much an outcome is as claimed, in the measure's unit; negative where it is the opposite.
    public double margin(Outcome outcome) {
        double baseline =
                switch (against) {
                    case Arm arm -> outcome.number(arm.number);
                    case Threshold threshold -> threshold.value;
                };
        return direction.sign * (outcome.number(method.number) - baseline);
    }
}

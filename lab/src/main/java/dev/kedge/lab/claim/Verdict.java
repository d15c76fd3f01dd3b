package dev.kedge.lab.claim;

import dev.kedge.statistics.Estimate;

/// What a measurement says about a claim.
public enum Verdict {
    /// The whole interval of the effect is above what the claim asks for.
    REPRODUCED("reproduced"),
    /// The interval leaves it open: nothing follows about other scales.
    NOT_SEEN("not seen at this scale"),
    /// The whole interval is on the other side of 0: here the opposite holds.
    CONTRADICTED("contradicted");

    private final String words;

    Verdict(String words) {
        this.words = words;
    }

    /// The verdict that follows from an effect.
    ///
    /// @param effect with its interval; above 0 as claimed
    /// @param asked  the smallest effect that counts, >= 0
    /// @throws IllegalArgumentException if the effect has no interval
    public static Verdict of(Estimate effect, double asked) {
        if (!effect.hasInterval()) {
            throw new IllegalArgumentException(
                    "a verdict needs an interval, got the value " + effect.value() + " alone");
        }
        if (effect.low() > asked) {
            return REPRODUCED;
        }
        return effect.high() < 0 ? CONTRADICTED : NOT_SEEN;
    }

    @Override
    public String toString() {
        return words;
    }
}

package dev.kedge.lab.claim;

import dev.kedge.statistics.Estimate;
import java.util.EnumMap;
import java.util.List;
import java.util.stream.Collectors;

/// What a measurement says about a claim.
public enum Verdict {
    /// The whole interval of the effect is above what the claim asks for.
    REPRODUCED("reproduced"),
    /// The interval leaves it open: nothing follows about other scales.
    NOT_SEEN("not seen at this scale"),
    /// The whole interval is on the other side of 0: here the opposite holds.
    CONTRADICTED("contradicted"),
    /// Measured with other kernels the verdict is another: the last bits of sums decide it. See [Recorded].
    WITHIN_ROUNDING("within rounding");

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

    /// The verdict that two measurements share, which differ in nothing but rounding.
    Verdict and(Verdict other) {
        return this == other ? this : WITHIN_ROUNDING;
    }

    /// The verdicts counted, as "3 claims: 2 reproduced, 1 contradicted."
    static String sentence(List<Verdict> verdicts) {
        var counts = new EnumMap<Verdict, Integer>(Verdict.class);
        verdicts.forEach(verdict -> counts.merge(verdict, 1, Integer::sum));
        var words = counts.entrySet().stream().map(c -> c.getValue() + " " + c.getKey());
        return verdicts.size() + (verdicts.size() == 1 ? " claim: " : " claims: ")
                + words.collect(Collectors.joining(", ")) + ".";
    }

    @Override
    public String toString() {
        return words;
    }
}

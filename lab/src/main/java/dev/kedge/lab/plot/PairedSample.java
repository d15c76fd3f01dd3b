package dev.kedge.lab.plot;

import dev.kedge.statistics.Estimate;
import java.util.List;
import java.util.OptionalDouble;

/// What a comparison gave, seed by seed.
///
/// @param measure   what was measured, with its unit
/// @param arms      one, held against a threshold, or two, held against each other; index i is the same seed in both
/// @param threshold what a single arm is held against
/// @param margins   for each seed, by how much it is as claimed; negative where it is the opposite
/// @param effect    the mean of the margins
/// @param asked     the smallest effect that counts, >= 0
public record PairedSample(
        String measure, List<Arm> arms, OptionalDouble threshold, double[] margins, Estimate effect, double asked) {
    public PairedSample {
        arms = List.copyOf(arms);
        if (arms.isEmpty() || arms.size() > 2 || threshold.isPresent() != (arms.size() == 1)) {
            throw new IllegalArgumentException("two arms are needed, or one and a threshold, got " + arms.size());
        }
        for (var arm : arms) {
            if (arm.values.length != margins.length) {
                throw new IllegalArgumentException(
                        arm.name + " has " + arm.values.length + " values for " + margins.length + " seeds");
            }
        }
    }

    /// One arm's values by seed.
    public record Arm(String name, double[] values) {}
}

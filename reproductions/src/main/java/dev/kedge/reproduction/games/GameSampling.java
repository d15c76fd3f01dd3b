package dev.kedge.reproduction.games;

/// What is drawn for an update.
///
/// @param samples         pairs, or answers, in each game, >= 1
/// @param regressionSteps gradient steps on them by methods that fit, >= 1
/// @param seed            of all draws
public record GameSampling(int samples, int regressionSteps, long seed) {
    /// @throws IllegalArgumentException if a number is out of range
    public GameSampling {
        if (samples < 1 || regressionSteps < 1) {
            throw new IllegalArgumentException(
                    "samples and regressionSteps must be at least 1, were " + samples + " and " + regressionSteps);
        }
    }
}

package dev.kedge.lab.compare;

import dev.kedge.lab.tabular.Bandit;

/// A way to train a policy that trades reward against divergence.
///
/// @param name        lower-case words and dashes, as a command takes it
/// @param description what it is, in a few words
/// @param symbol      of its strength, such as β
/// @param strengths   from the one that holds the policy most to the one that holds it least
/// @param training    the training itself
public record Method(String name, String description, String symbol, double[] strengths, Training training) {
    /// @throws IllegalArgumentException if the name is malformed or there is no strength
    public Method {
        if (!name.matches("[a-z0-9]+(-[a-z0-9]+)*")) {
            throw new IllegalArgumentException("a method's name is lower-case words and dashes, was " + name);
        }
        if (strengths.length == 0) {
            throw new IllegalArgumentException(name + " needs strengths");
        }
    }

    /// Trains from the task's reference.
    @FunctionalInterface
    public interface Training {
        /// @param seed of whatever is random in it; methods that are given the same see the same pairs
        /// @return log-probabilities, normalised, nats, [X, n]; NaN where training diverged
        double[][] policy(Bandit task, double strength, long seed);
    }
}

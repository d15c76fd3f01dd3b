package dev.kedge.lab.compare;

import dev.kedge.lab.compare.ComparisonTask.Arena;

/// A way to train a policy that trades what a task measures against divergence.
///
/// @param name        lower-case words and dashes, as a command takes it
/// @param description what it is, in a few words, with what it learns from
/// @param symbol      of its strength, such as β
/// @param strengths   from the one that holds the policy most to the one that holds it least
/// @param aim         what it takes preferences for
/// @param training    the training itself
public record ComparedMethod(
        String name, String description, String symbol, double[] strengths, Aim aim, Training training) {
    /// What a method takes preferences for.
    public enum Aim {
        /// Rankings by reward: it needs a task that has rewards.
        RANKING,
        /// Differences of rewards, whether there are any or not.
        REWARD,
        /// Win rates: its strength is the β of the regularised game.
        WIN_RATE
    }

    /// @throws IllegalArgumentException if the name is malformed or there is no strength
    public ComparedMethod {
        if (!name.matches("[a-z0-9]+(-[a-z0-9]+)*")) {
            throw new IllegalArgumentException("a method's name is lower-case words and dashes, was " + name);
        }
        if (strengths.length == 0) {
            throw new IllegalArgumentException(name + " needs strengths");
        }
    }

    /// Whether it can be trained on a task.
    public boolean isFor(ComparisonTask task) {
        return aim != Aim.RANKING || task == ComparisonTask.BANDIT;
    }

    /// Trains from the task's reference.
    @FunctionalInterface
    public interface Training {
        /// @param seed of whatever is random in it; methods that are given the same see the same pairs
        /// @return log-probabilities, normalised, nats, `[X, n]`; NaN where training diverged
        double[][] policy(Arena arena, double strength, long seed);
    }
}

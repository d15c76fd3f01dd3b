package dev.kedge.recipe.policy;

import java.util.Optional;

/// What a verifier says of a completion, or a reward that was learned, and then what the verifier would have said.
///
/// @param reward  what is learnt from, finite; NaN where there is none
/// @param answer  the final answer that was read off the completion, as a vote counts it; empty where none was found
/// @param failure why there is no reward, in one line; empty where there is one
/// @param truth   the true reward where `reward` is a proxy of it, which no method sees; NaN where there is none
public record Score(double reward, Optional<String> answer, String failure, double truth) {
    /// One that is no proxy.
    public Score(double reward, Optional<String> answer, String failure) {
        this(reward, answer, failure, Double.NaN);
    }

    /// Whether there is a reward.
    public boolean hasReward() {
        return Double.isFinite(reward);
    }

    /// Whether the reward is a proxy of a true one that is known.
    public boolean isProxy() {
        return Double.isFinite(truth);
    }

    /// Whether the completion has the whole reward, the true one where there are two.
    public boolean isRight() {
        return (isProxy() ? truth : reward) >= 1;
    }
}

package dev.kedge.recipe.policy;

import java.util.Optional;
import java.util.OptionalDouble;

/// What a verifier says of a completion, or a reward that was learned, and then what the verifier would have said.
///
/// @param reward  what is learnt from, finite; NaN where there is none
/// @param answer  the final answer that was read off the completion, as a vote counts it; empty where none was found
/// @param failure why there is no reward, or no true one, in one line; empty where there is
/// @param truth   the true reward where `reward` is a proxy of it, which no method sees, NaN where that could not be
///                judged; empty where `reward` is no proxy
public record Score(double reward, Optional<String> answer, String failure, OptionalDouble truth) {
    /// One that is no proxy.
    public Score(double reward, Optional<String> answer, String failure) {
        this(reward, answer, failure, OptionalDouble.empty());
    }

    /// Whether there is a reward.
    public boolean hasReward() {
        return Double.isFinite(reward);
    }

    /// Whether the reward is a proxy of a true one.
    public boolean isProxy() {
        return truth.isPresent();
    }

    /// Whether it is known if the completion is right: of a proxy the truth decides.
    public boolean isJudged() {
        return Double.isFinite(truth.orElse(reward));
    }

    /// Whether the completion has the whole reward, the true one where there are two.
    public boolean isRight() {
        return truth.orElse(reward) >= 1;
    }
}

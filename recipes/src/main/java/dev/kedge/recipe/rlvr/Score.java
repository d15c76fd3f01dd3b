package dev.kedge.recipe.rlvr;

import java.util.Optional;

/// What a verifier says of a completion.
///
/// @param reward  finite; NaN where there is none
/// @param answer  the final answer that was read off the completion, as a vote counts it; empty where none was found
/// @param trouble why there is no reward, in one line; empty where there is one
public record Score(double reward, Optional<String> answer, String trouble) {
    /// Whether the verifier came to a reward.
    public boolean isThere() {
        return Double.isFinite(reward);
    }
}

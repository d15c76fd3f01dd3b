package dev.kedge.recipe.policy;

/// What a completion counts that was cut off at the longest length allowed.
public enum Truncated {
    /// What the verifier says of the part that is there.
    JUDGED,
    /// Reward 0, whatever the verifier says.
    WRONG,
    /// Its reward counts in its group, but none of its tokens is learnt from (overlong filtering, arXiv:2503.14476).
    MASKED
}

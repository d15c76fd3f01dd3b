package dev.kedge.data;

/// What happens to an example of more tokens than are allowed. A reply is never cut to nothing: where a rule would do
/// that, the example is left out and counted.
public enum Truncation {
    /// The prompt loses its first tokens, but keeps BOS where it has one. Left out if the reply alone fills the length.
    KEEP_PROMPT_END,
    /// The prompt loses its last tokens. Left out if the reply alone fills the length.
    KEEP_PROMPT_START,
    /// Left out.
    DROP,
    /// The reply loses its last tokens, the end-of-sequence token among them, so that no false end is learnt. Of a pair
    /// each reply is cut by itself; if nothing then tells them apart, the pair is left out.
    CUT_REPLY
}

package dev.kedge.data.verify;

/// What a verifier knows about a prompt.
///
/// @param prompt what the model was given
/// @param answer the reference answer; empty where there is none, as for a [Majority] vote
public record VerifierQuestion(String prompt, String answer) {}

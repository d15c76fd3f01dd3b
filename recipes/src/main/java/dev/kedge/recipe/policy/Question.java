package dev.kedge.recipe.policy;

/// What a policy is asked.
///
/// @param prompt token ids
/// @param text   the same as text, for people and verifiers
/// @param answer what the verifier compares with, as it needs it; empty where it knows
public record Question(int[] prompt, String text, String answer) {}

/// Verifiers: rewards for completions that a program can check, for reinforcement learning with verifiable rewards.
///
/// A [Verification] is what a recipe names, [Verification#verifier] makes the [Verifier] of it, and
/// [VerifierBatch#verify] runs it over a batch of completions such that nothing a verifier does can stop the step.
///
/// What a model writes is only ever read: it is never executed, never compiled, never taken for a pattern and never
/// deserialised into objects. Answers are brought to a normal form by own code whose time and depth are bounded by
/// constants, and patterns run in time linear in the text (RE2).
///
/// ```java
/// Verifier verifier = new Numeric(0, Optional.empty()).verifier();
/// System.out.println(verifier.reward(new VerifierQuestion("6 * 7?", "42"), "It is 42.")); // 1.0
/// ```
package dev.kedge.data.verify;

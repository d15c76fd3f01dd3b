package dev.kedge.data.verify;

/// A verifier as a recipe names it, by the key `kind`: `verifier: {kind: numeric, tolerance: 1e-6}`.
public sealed interface Verification
        permits Exact, Numeric, Boxed, Gsm8k, Format, Length, Majority, Program, WeightedSum, Custom, Endpoint {
    /// The verifier at work. Most are it themselves; a [Custom] class is loaded here and nowhere else.
    ///
    /// @throws IllegalArgumentException in one line, if there is no such verifier
    Verifier verifier();
}

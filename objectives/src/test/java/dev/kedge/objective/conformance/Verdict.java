package dev.kedge.objective.conformance;

import java.util.List;

/// How a case came out.
sealed interface Verdict {
    /// Every expected value came out.
    record Passed() implements Verdict {}

    /// Something differed, was missing or threw; one line each.
    record Failed(List<String> lines) implements Verdict {}

    /// Every name came out, but the case keeps values back, so that nothing could be compared.
    record Unchecked() implements Verdict {}

    /// No adapter knows the method or the signature yet.
    record Pending() implements Verdict {}
}

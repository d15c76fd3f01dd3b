package dev.kedge.data.verify;

import dev.kedge.data.verify.VerifierResult.Status;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// What became of a batch of completions.
///
/// @param each in the order of the completions
public record VerifierResults(List<VerifierResult> each) {
    public VerifierResults {
        each = List.copyOf(each);
    }

    /// How many had each status; a status that did not occur is not there.
    public Map<Status, Integer> counts() {
        Map<Status, Integer> counts = new EnumMap<>(Status.class);
        each.forEach(result -> counts.merge(result.status(), 1, Integer::sum));
        return Collections.unmodifiableMap(counts);
    }

    /// One line for each way to fail, such as `3 of 64 completions: TIMED_OUT (first: no reward within 10 s)`.
    public List<String> failures() {
        return counts().entrySet().stream()
                .filter(entry -> entry.getKey() != Status.OK)
                .map(entry -> entry.getValue() + " of " + each.size() + " completions: " + entry.getKey() + " (first: "
                        + first(entry.getKey()) + ")")
                .toList();
    }

    private String first(Status status) {
        return each.stream()
                .filter(result -> result.status() == status)
                .findFirst()
                .orElseThrow()
                .reason();
    }
}

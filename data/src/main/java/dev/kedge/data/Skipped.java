package dev.kedge.data;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// How many records were left out, and why.
///
/// @param reasons counts by reason, in the order of their first appearance
/// @param first   for each reason the place where it first appeared
public record Skipped(Map<String, Integer> reasons, Map<String, String> first) {
    /// Different reasons kept apart; more are counted together, so that hostile data cannot fill memory.
    static final int MAX_REASONS = 50;

    static final String OTHER = "other reasons";

    public static final Skipped NONE = new Skipped(Map.of(), Map.of());

    public Skipped {
        reasons = Collections.unmodifiableMap(new LinkedHashMap<>(reasons));
        first = Collections.unmodifiableMap(new LinkedHashMap<>(first));
    }

    public int count() {
        return reasons.values().stream().mapToInt(Integer::intValue).sum();
    }

    /// Both together.
    public Skipped plus(Skipped other) {
        Counter counter = new Counter();
        for (Skipped part : List.of(this, other)) {
            part.reasons.forEach((reason, n) -> counter.add(reason, part.first.get(reason), n));
        }
        return counter.skipped();
    }

    /// One line for each reason, the most frequent first: `3 x the reply is empty (first at prefs.jsonl, line 7)`.
    public List<String> lines() {
        List<Map.Entry<String, Integer>> entries = new ArrayList<>(reasons.entrySet());
        entries.sort(Map.Entry.<String, Integer>comparingByValue().reversed());
        return entries.stream()
                .map(e -> e.getValue() + " x " + e.getKey() + " (first at " + first.get(e.getKey()) + ")")
                .toList();
    }

    /// Counts while records pass by.
    static final class Counter {
        private final Map<String, Integer> reasons = new LinkedHashMap<>();
        private final Map<String, String> first = new LinkedHashMap<>();

        void add(String reason, String place) {
            add(reason, place, 1);
        }

        private void add(String reason, String place, int n) {
            String kept = reasons.containsKey(reason) || reasons.size() < MAX_REASONS ? reason : OTHER;
            reasons.merge(kept, n, Integer::sum);
            first.putIfAbsent(kept, place);
        }

        Skipped skipped() {
            return reasons.isEmpty() ? NONE : new Skipped(reasons, first);
        }
    }
}

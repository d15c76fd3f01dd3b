package dev.kedge.objective.conformance;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/// Rows of a batch by the question that they answer; groups may differ in size, and their rows be anywhere.
final class Groups {
    private Groups() {}

    /// The rows of each question, in their order.
    static Map<Long, int[]> of(long[] questions) {
        Map<Long, int[]> groups = new LinkedHashMap<>();
        for (long q : questions) {
            groups.computeIfAbsent(q, _ -> IntStream.range(0, questions.length)
                    .filter(i -> questions[i] == q)
                    .toArray());
        }
        return groups;
    }

    static double[] pick(double[] values, int[] rows) {
        return Arrays.stream(rows).mapToDouble(i -> values[i]).toArray();
    }
}

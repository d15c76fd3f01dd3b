package dev.kedge.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What a benchmark found: a table and a sentence for people, one JSON object for programs.
///
/// @param json keys in snake case; units in the key where it is not a ratio
public record BenchReport(List<String> lines, ObjectNode json) {
    private static final ObjectMapper JSON = new ObjectMapper();

    static ObjectNode object() {
        return JSON.createObjectNode();
    }

    /// Columns of a table: the first to the left, the others to the right.
    static List<String> table(List<List<String>> rows) {
        int columns = rows.getFirst().size();
        int[] widths = new int[columns];
        rows.forEach(row -> {
            for (int c = 0; c < columns; c++) {
                widths[c] = Math.max(widths[c], row.get(c).length());
            }
        });
        List<String> lines = new ArrayList<>();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder(row.getFirst())
                    .repeat(' ', widths[0] - row.getFirst().length());
            for (int c = 1; c < columns; c++) {
                line.repeat(' ', widths[c] - row.get(c).length() + 2).append(row.get(c));
            }
            lines.add(line.toString());
        }
        return lines;
    }

    static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    static String mebibytes(long bytes) {
        return bytes < 0 ? "?" : text("%.0f MiB", bytes / 1048576.0);
    }

    static void progress(String message) {
        System.err.println("bench: " + message);
    }

    /// The middle of a list of times, or the mean of the two in the middle.
    static double median(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(v -> v).sorted().toArray();
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    static double least(List<Double> values) {
        return values.stream().mapToDouble(v -> v).min().orElseThrow();
    }

    /// Processes that wanted a processor, averaged over the last minute; -1 where the system does not tell.
    static double load() {
        return java.lang.management.ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }
}

package dev.kedge.lab.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.lab.plot.Quantity;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// What a run measured: per phase, in order of first appearance, one series for each metric.
///
/// @param truncated whether an unfinished last line, as a killed run leaves, was left out
public record Metrics(List<Phase> phases, boolean truncated) {
    private static final Set<String> COORDINATES = Set.of("step", "time_s", "phase");
    private static final ObjectMapper JSON = new ObjectMapper();

    public Metrics {
        phases = List.copyOf(phases);
    }

    /// One phase of a run, which counts its own steps; the name is empty where the run names none.
    public record Phase(String name, Map<String, Series> series) {}

    /// A metric over the steps of its phase; values may be NaN or infinite.
    public record Series(double[] steps, double[] values) {}

    /// The series of a metric.
    ///
    /// @throws IllegalArgumentException if the phase has none of this name, or the run no such phase
    public Series series(String phase, String metric) {
        return phases.stream()
                .filter(p -> p.name().equals(phase))
                .findFirst()
                .map(p -> p.series().get(metric))
                .orElseThrow(() -> new IllegalArgumentException("no " + metric + " of " + phase));
    }

    /// Parses lines of JSON: `step` is a number, `phase` a text that may be absent, and every other key but `time_s`
    /// a metric. Where the step of a metric falls back, the run had been resumed: later lines replace what they
    /// repeat.
    ///
    /// @param file the name to put before the line number in a message
    /// @throws IllegalArgumentException naming file and line, where a line but an unfinished last one is malformed
    public static Metrics parse(String text, String file) {
        var phases = new LinkedHashMap<String, Map<String, TreeMap<Double, Double>>>();
        var lines = text.split("\n", -1);
        boolean truncated = false;
        for (int i = 0; i < lines.length; i++) {
            var line = lines[i].strip();
            if (line.isEmpty()) {
                continue;
            }
            var where = file + ":" + (i + 1);
            boolean unfinished = i == lines.length - 1;
            var row = row(line, where, unfinished);
            if (row == null) {
                truncated = true;
            } else {
                add(phases, row, where);
            }
        }
        var result = new ArrayList<Phase>();
        phases.forEach((name, series) -> result.add(new Phase(name, arrays(series))));
        return new Metrics(result, truncated);
    }

    /// Null for an unfinished line.
    private static JsonNode row(String line, String where, boolean unfinished) {
        try {
            var row = JSON.readTree(line);
            if (row.isObject()) {
                return row;
            }
        } catch (JsonProcessingException e) {
            if (unfinished) {
                return null;
            }
            throw new IllegalArgumentException(
                    where + ": not valid JSON (" + e.getOriginalMessage() + "); one object a line is expected", e);
        }
        throw new IllegalArgumentException(
                where + ": one JSON object a line is expected, got " + Quantity.shortened(line));
    }

    private static void add(Map<String, Map<String, TreeMap<Double, Double>>> phases, JsonNode row, String where) {
        if (!row.path("step").isNumber()) {
            throw new IllegalArgumentException(where + ": 'step' must be a number, got " + shown(row.get("step")));
        }
        double step = row.get("step").doubleValue();
        var phase = phases.computeIfAbsent(row.path("phase").asText(""), _ -> new LinkedHashMap<>());
        for (var entry : row.properties()) {
            if (!COORDINATES.contains(entry.getKey())) {
                var series = phase.computeIfAbsent(entry.getKey(), _ -> new TreeMap<>());
                series.tailMap(step, true).clear();
                series.put(step, number(entry.getValue(), entry.getKey(), where));
            }
        }
    }

    private static double number(JsonNode value, String key, String where) {
        if (value.isNumber()) {
            return value.doubleValue();
        }
        return switch (value.asText()) {
            case "NaN" -> Double.NaN;
            case "Infinity" -> Double.POSITIVE_INFINITY;
            case "-Infinity" -> Double.NEGATIVE_INFINITY;
            default ->
                throw new IllegalArgumentException(where + ": '" + key
                        + "' must be a number, \"NaN\", \"Infinity\" or \"-Infinity\", got " + shown(value));
        };
    }

    private static String shown(JsonNode value) {
        return value == null ? "none" : Quantity.shortened(value.toString());
    }

    private static Map<String, Series> arrays(Map<String, TreeMap<Double, Double>> series) {
        var arrays = new LinkedHashMap<String, Series>();
        series.forEach((name, values) -> arrays.put(name, new Series(array(values.keySet()), array(values.values()))));
        return arrays;
    }

    private static double[] array(java.util.Collection<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }
}

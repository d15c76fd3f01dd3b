package dev.kedge.objective.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.objective.conformance.Verdict.Failed;
import dev.kedge.objective.conformance.Verdict.Passed;
import dev.kedge.objective.conformance.Verdict.Pending;
import dev.kedge.objective.conformance.Verdict.Unchecked;
import dev.kedge.tensor.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Runs every case of every `*.json` in a folder and keeps the verdicts, by file.
public final class ConformanceRun {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SHOWN = 3;

    private final Map<String, Tally> byMethod = new LinkedHashMap<>();
    private final List<String> failures = new ArrayList<>();
    private final Map<String, List<String>> pending = new LinkedHashMap<>();
    private final Map<String, List<String>> unchecked = new LinkedHashMap<>();

    private ConformanceRun() {}

    /// How many cases passed, failed, await an adapter, or were computed without values to compare with.
    public record Tally(int passed, int failed, int pending, int unchecked) {
        static final Tally NONE = new Tally(0, 0, 0, 0);

        Tally plus(Tally other) {
            return new Tally(
                    passed + other.passed, failed + other.failed, pending + other.pending, unchecked + other.unchecked);
        }

        /// Pending and unchecked together.
        public int skipped() {
            return pending + unchecked;
        }

        /// All cases.
        public int cases() {
            return passed + failed + skipped();
        }
    }

    /// Runs the cases of a folder, files in the order of their names.
    public static ConformanceRun of(Path folder) {
        var run = new ConformanceRun();
        try (var files = Files.list(folder)) {
            files.filter(f -> f.getFileName().toString().endsWith(".json"))
                    .sorted()
                    .forEach(run::file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return run;
    }

    private void file(Path path) {
        String file = path.getFileName().toString();
        try {
            JsonNode json = JSON.readTree(path.toFile());
            String method = json.path("method").asText();
            if (method.isEmpty() || !json.path("cases").isArray()) {
                throw new IllegalArgumentException("not a conformance file: needs \"method\" and a list \"cases\"");
            }
            for (JsonNode one : json.get("cases")) {
                Case c = Case.of(file, method, one);
                record(c, verdict(c));
            }
        } catch (IOException | IllegalArgumentException e) {
            failures.add(file + ": " + firstLine(e));
            byMethod.merge(file.replaceFirst("\\.json$", ""), new Tally(0, 1, 0, 0), Tally::plus);
        }
    }

    private void record(Case c, Verdict verdict) {
        Tally tally =
                switch (verdict) {
                    case Passed() -> new Tally(1, 0, 0, 0);
                    case Failed(var lines) -> {
                        lines.forEach(line -> failures.add(c.file() + ": " + c.name() + ": " + line));
                        yield new Tally(0, 1, 0, 0);
                    }
                    case Pending() -> {
                        pending.computeIfAbsent(c.file(), _ -> new ArrayList<>())
                                .add(c.name());
                        yield new Tally(0, 0, 1, 0);
                    }
                    case Unchecked() -> {
                        unchecked
                                .computeIfAbsent(c.file(), _ -> new ArrayList<>())
                                .add(c.name());
                        yield new Tally(0, 0, 0, 1);
                    }
                };
        byMethod.merge(c.method(), tally, Tally::plus);
    }

    private static Verdict verdict(Case c) {
        try (var _ = new Scope()) {
            Optional<Map<String, Object>> outputs = Adapters.outputs(c);
            if (outputs.isEmpty()) {
                return new Pending();
            }
            List<String> lines = new ArrayList<>();
            c.names().forEach(name -> check(c, name, outputs.get(), lines));
            if (!lines.isEmpty()) {
                return new Failed(lines);
            }
            return c.expected().isEmpty() ? new Unchecked() : new Passed();
        } catch (RuntimeException e) {
            return new Failed(
                    List.of("every field: expected values, got " + e.getClass().getSimpleName() + ": " + firstLine(e)));
        }
    }

    private static void check(Case c, String name, Map<String, Object> outputs, List<String> lines) {
        JsonNode expected = c.expected().get(name);
        Object got = outputs.get(name);
        if (expected != null && expected.isNull()) {
            return;
        }
        if (got == null) {
            lines.add(name + ": expected a value, got nothing of that name");
        } else if (expected != null) {
            var differences = Comparison.differences(name, expected, got);
            differences.stream()
                    .limit(SHOWN)
                    .forEach(d -> lines.add(d.place() + ": expected " + d.expected() + ", got " + d.got()));
            if (differences.size() > SHOWN) {
                lines.add(name + ": and " + (differences.size() - SHOWN) + " more");
            }
        }
    }

    private static String firstLine(Exception e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    /// One line a failure: file, case, place, expected, got.
    public List<String> failures() {
        return List.copyOf(failures);
    }

    /// Tallies by the files' `method`.
    public Map<String, Tally> byMethod() {
        return Map.copyOf(byMethod);
    }

    /// The sum over all methods.
    public Tally total() {
        return byMethod.values().stream().reduce(Tally.NONE, Tally::plus);
    }

    /// What to print: failures, then what was not compared and why, then the count, which is the last line.
    public List<String> report() {
        List<String> lines = new ArrayList<>();
        failures.forEach(f -> lines.add("FAILED " + f));
        pending.forEach(
                (file, names) -> lines.add("PENDING, no adapter yet: " + file + ": " + String.join("; ", names)));
        unchecked.forEach((file, names) ->
                lines.add("UNCHECKED, computed but values kept back: " + file + ": " + String.join("; ", names)));
        Tally total = total();
        lines.add("%d of the skipped are pending, %d unchecked".formatted(total.pending(), total.unchecked()));
        lines.add("%d passed, %d failed, %d skipped".formatted(total.passed(), total.failed(), total.skipped()));
        return lines;
    }

    /// Writes the tallies by method as JSON.
    public void write(Path summary) {
        var counts = JSON.createObjectNode();
        byMethod.forEach((method, t) -> counts.putObject(method)
                .put("passed", t.passed())
                .put("failed", t.failed())
                .put("pending", t.pending())
                .put("unchecked", t.unchecked()));
        try {
            Files.createDirectories(summary.getParent());
            JSON.writerWithDefaultPrettyPrinter().writeValue(summary.toFile(), counts);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

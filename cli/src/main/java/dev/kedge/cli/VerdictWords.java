package dev.kedge.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Locale;

/// What a run found, for the terminal.
final class VerdictWords {
    private VerdictWords() {}

    /// VerdictWords and before-after comparisons of a run's summary.
    static String of(Path run) {
        try {
            JsonNode summary =
                    new ObjectMapper().readTree(run.resolve("summary.json").toFile());
            StringBuilder text = new StringBuilder(summary.path("verdict").asText());
            for (JsonNode comparison : summary.path("comparisons")) {
                String unit = comparison.path("unit").asText();
                text.append(String.format(
                        Locale.ROOT,
                        "%n%-28s %s -> %s",
                        comparison.path("name").asText(),
                        number(comparison.path("before"), unit),
                        number(comparison.path("after"), unit)));
            }
            return text.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(run + ": summary.json cannot be read", e);
        }
    }

    private static String number(JsonNode estimate, String unit) {
        double value = estimate.path("value").asDouble();
        return unit.equals("%")
                ? String.format(Locale.ROOT, "%.1f %%", 100 * value)
                : String.format(Locale.ROOT, "%.4g %s", value, unit).strip();
    }
}

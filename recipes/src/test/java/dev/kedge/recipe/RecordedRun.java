package dev.kedge.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What a run left in its folder.
public record RecordedRun(Path folder) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// The lines of metrics.jsonl of a phase, without what the clock says.
    public List<ObjectNode> metrics(String phase) throws IOException {
        List<ObjectNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve("metrics.jsonl"))) {
            ObjectNode metrics = (ObjectNode) JSON.readTree(line);
            metrics.remove(List.of("time_s", "tokens_per_s"));
            metrics.properties().removeIf(metric -> metric.getKey().startsWith("seconds/"));
            if (metrics.get("phase").asText().equals(phase)) {
                lines.add(metrics);
            }
        }
        return lines;
    }

    public JsonNode summary() throws IOException {
        return JSON.readTree(folder.resolve("summary.json").toFile());
    }

    public JsonNode fact(String key) throws IOException {
        for (JsonNode fact : summary().get("facts")) {
            if (fact.get("key").asText().equals(key)) {
                return fact;
            }
        }
        throw new AssertionError("no fact " + key + " in " + summary().get("facts"));
    }

    /// Everything that a finished run of a recipe leaves behind is there.
    public void assertComplete(String recipe) throws IOException {
        assertTrue(Files.readString(folder.resolve("config.yaml")).startsWith("recipe: "), "config.yaml");
        assertEquals("finished", summary().get("status").asText());
        assertEquals(recipe, summary().get("recipe").asText());
        try (var checkpoints = Files.list(folder.resolve("checkpoints"))) {
            assertTrue(checkpoints.anyMatch(Files::isDirectory), "no checkpoint");
        }
    }

    /// Two runs logged the same numbers, up to rounding. How many margins are above 0 is no such number: where
    /// a policy has hardly left its reference, their signs are rounding.
    public static void assertClose(RecordedRun one, RecordedRun other, String phase, double tolerance)
            throws IOException {
        List<ObjectNode> expected = one.metrics(phase);
        List<ObjectNode> actual = other.metrics(phase);
        assertEquals(expected.size(), actual.size());
        assertTrue(expected.size() > 1);
        for (int i = 0; i < expected.size(); i++) {
            for (var metric : expected.get(i).properties()) {
                if (metric.getValue().isNumber() && !metric.getKey().equals("reward/accuracy")) {
                    double value = metric.getValue().asDouble();
                    assertEquals(
                            value,
                            actual.get(i).get(metric.getKey()).asDouble(),
                            tolerance * Math.max(1, Math.abs(value)),
                            metric.getKey() + " at step " + (i + 1));
                }
            }
        }
    }
}

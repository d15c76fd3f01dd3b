package dev.kedge.lab.claim;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.lab.catalogue.Paper;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.run.Durable;
import dev.kedge.run.result.PlatformJson;
import dev.kedge.run.result.SummaryJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Results as JSON. What was measured is read back; effects and verdicts stand there for readers, and are found anew.
public final class ResultsJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ResultsJson() {}

    public static ObjectNode write(Results results) {
        var json = JsonNodeFactory.instance.objectNode();
        json.put("paper", results.paper().slug());
        json.put("seconds", rounded(results.seconds()));
        results.platform().ifPresent(platform -> json.set("platform", PlatformJson.write(platform)));
        var claims = json.putArray("claims");
        results.findings().forEach(f -> claims.add(finding(f)));
        var experiments = json.putArray("experiments");
        results.measurements().forEach(m -> experiments.add(measurement(m)));
        return json;
    }

    private static ObjectNode finding(Finding f) {
        var claim = f.claim();
        var json = JsonNodeFactory.instance.objectNode();
        json.put("name", claim.name());
        json.put("statement", claim.statement());
        json.put("experiment", claim.experiment().name());
        json.put("measure", claim.measure());
        json.put("unit", claim.unit());
        json.put("method", claim.method().name());
        json.put("direction", claim.direction().toString());
        switch (claim.against()) {
            case Arm arm -> json.put("baseline", arm.name());
            case Threshold threshold -> json.put("threshold", threshold.value());
        }
        json.put("asked", claim.asked());
        json.putObject("effect")
                .put("value", f.effect().value())
                .put("low", f.effect().low())
                .put("high", f.effect().high());
        json.put("verdict", f.verdict().toString());
        json.put("seeds", f.seeds());
        return json;
    }

    private static ObjectNode measurement(Measurement m) {
        var json = JsonNodeFactory.instance.objectNode();
        json.put("name", m.experiment().name());
        json.put("description", m.experiment().description());
        json.put("seconds", rounded(m.seconds()));
        var trials = json.putArray("trials");
        for (int i = 0; i < m.outcomes().size(); i++) {
            trials.addObject()
                    .put("seed", i + 1)
                    .set("numbers", numbers(m.outcomes().get(i)));
        }
        return json;
    }

    private static double rounded(double seconds) {
        return Math.round(seconds * 10) / 10.0;
    }

    private static ObjectNode numbers(Outcome outcome) {
        var numbers = JsonNodeFactory.instance.objectNode();
        outcome.numbers().forEach(numbers::put);
        return numbers;
    }

    /// An outcome with its pictures.
    static ObjectNode write(Outcome outcome) {
        var json = JsonNodeFactory.instance.objectNode();
        json.set("numbers", numbers(outcome));
        var frontiers = json.putArray("frontiers");
        outcome.frontiers().forEach(f -> frontiers.add(SummaryJson.write(f)));
        return json;
    }

    static Outcome outcome(JsonNode json, String file) {
        var outcome = Outcome.NOTHING;
        for (var entry : json.path("numbers").properties()) {
            if (!entry.getValue().isNumber()) {
                throw new IllegalArgumentException(
                        file + ": '" + entry.getKey() + "' must be a number, got " + entry.getValue());
            }
            outcome = outcome.with(entry.getKey(), entry.getValue().doubleValue());
        }
        for (var frontier : json.path("frontiers")) {
            outcome = outcome.with(SummaryJson.read(frontier, file));
        }
        return outcome;
    }

    /// Writes a results file, whole or not at all.
    public static void save(Results results, Path file) {
        try {
            var text = JSON.writerWithDefaultPrettyPrinter().writeValueAsString(write(results)) + "\n";
            Files.createDirectories(file.toAbsolutePath().getParent());
            Durable.write(file, text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be written", e);
        }
    }

    /// Reads the measurements of a results file and finds what they say about the claims as they are today.
    ///
    /// @throws IllegalArgumentException naming the file, if it is malformed, or was measured with another
    /// experiment
    public static Results read(Path file, Paper paper, List<Claim> claims) {
        var experiments = claims.stream().map(Claim::experiment).distinct().toList();
        var measurements = new ArrayList<Measurement>();
        var json = parsed(file);
        for (var node : json.path("experiments")) {
            var name = node.path("name").asText();
            var experiment = experiments.stream()
                    .filter(e -> e.name().equals(name))
                    .findFirst()
                    .orElseThrow(() -> stale(file, paper, "no claim has the experiment '" + name + "' any more"));
            if (!experiment.description().equals(node.path("description").asText())) {
                throw stale(file, paper, "the experiment '" + name + "' was another one then");
            }
            var outcomes = new ArrayList<Outcome>();
            node.path("trials").forEach(trial -> outcomes.add(outcome(trial, file.toString())));
            measurements.add(
                    new Measurement(experiment, outcomes, node.path("seconds").asDouble()));
        }
        return Results.of(paper, PlatformJson.read(json.path("platform")), claims, measurements);
    }

    private static IllegalArgumentException stale(Path file, Paper paper, String what) {
        return new IllegalArgumentException(
                file + ": " + what + "; measure again: kedge reproduce " + paper.slug() + " --record");
    }

    private static JsonNode parsed(Path file) {
        try {
            return JSON.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(file + ": not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read", e);
        }
    }
}

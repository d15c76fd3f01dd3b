package dev.kedge.lab.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.run.Durable;
import dev.kedge.run.result.SummaryJson;
import dev.kedge.statistics.Estimate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// A comparison as JSON, for other programs.
public final class MethodComparisonJson {
    private MethodComparisonJson() {}

    public static ObjectNode write(MethodComparison comparison) {
        var json = JsonNodeFactory.instance.objectNode();
        json.put("seeds", comparison.seeds());
        json.put("task", comparison.task().title());
        json.put("description", ComparedMethods.training(comparison.task()));
        var measure = comparison.task().measure().replace(' ', '_');
        var places = json.putArray("places");
        for (var place : comparison.places()) {
            var node = places.addObject()
                    .put("method", place.method().name())
                    .put("description", place.method().description());
            place.missing().ifPresent(missing -> estimate(node.putObject("missing_" + measure), missing));
            estimate(node.putObject("most_" + measure), place.mostReward());
            estimate(node.putObject("kl_at_most_" + measure), place.kl());
        }
        var pairs = json.putArray("pairs");
        for (var pairing : comparison.pairings()) {
            var node = pairs.addObject()
                    .put("first", pairing.first().name())
                    .put("second", pairing.second().name());
            pairing.advantage().ifPresent(advantage -> estimate(node.putObject("advantage_of_first"), advantage));
            node.put("where", pairing.dominance().sentence());
        }
        json.set("frontier", SummaryJson.write(comparison.frontier()));
        json.set("missing", SummaryJson.write(comparison.missing()));
        comparison.gaps().ifPresent(gaps -> json.set("duality_gap", SummaryJson.write(gaps)));
        return json;
    }

    private static void estimate(ObjectNode node, Estimate e) {
        node.put("value", e.value()).put("low", e.low()).put("high", e.high());
    }

    static void save(MethodComparison comparison, Path file) {
        try {
            var text = new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(write(comparison)) + "\n";
            Durable.write(file, text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be written", e);
        }
    }
}

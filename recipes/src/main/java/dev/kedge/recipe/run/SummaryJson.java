package dev.kedge.recipe.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.recipe.run.Summary.Comparison;
import dev.kedge.recipe.run.Summary.Estimate;
import dev.kedge.recipe.run.Summary.Fact;
import dev.kedge.recipe.run.Summary.Frontier;
import dev.kedge.recipe.run.Summary.Point;
import dev.kedge.recipe.run.Summary.Sample;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.function.BiConsumer;

/// A summary as JSON: empty parts are left out, numbers that are not finite stand as strings.
final class SummaryJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private SummaryJson() {}

    static byte[] write(Summary summary) {
        ObjectNode json = JSON.createObjectNode();
        text(json, "title", summary.title());
        text(json, "recipe", summary.recipe());
        text(json, "verdict", summary.verdict());
        json.put("status", summary.status().name().toLowerCase(Locale.ROOT));
        number(json, "seconds", summary.seconds());
        each(json, "facts", summary.facts(), SummaryJson::fact);
        each(json, "comparisons", summary.comparisons(), SummaryJson::comparison);
        summary.frontiers().stream().findFirst().ifPresent(first -> frontier(json.putObject("frontier"), first));
        each(json, "more_frontiers", summary.frontiers().stream().skip(1).toList(), SummaryJson::frontier);
        each(json, "samples", summary.samples(), SummaryJson::sample);
        if (!summary.notes().isEmpty()) {
            ArrayNode notes = json.putArray("notes");
            summary.notes().forEach(notes::add);
        }
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void fact(ObjectNode json, Fact fact) {
        text(json, "name", fact.name());
        estimate(json, "value", fact.estimate());
        text(json, "unit", fact.unit());
        text(json, "note", fact.note());
    }

    private static void comparison(ObjectNode json, Comparison comparison) {
        text(json, "name", comparison.name());
        text(json, "unit", comparison.unit());
        estimate(json.putObject("before"), "value", comparison.before());
        estimate(json.putObject("after"), "value", comparison.after());
    }

    private static void frontier(ObjectNode json, Frontier frontier) {
        text(json, "title", frontier.title());
        text(json, "x", frontier.x());
        text(json, "y", frontier.y());
        each(json, "arms", frontier.arms(), (node, arm) -> {
            text(node, "name", arm.name());
            each(node, "points", arm.points(), SummaryJson::point);
        });
        each(json, "optimum", frontier.optimum(), SummaryJson::point);
    }

    private static void point(ObjectNode json, Point point) {
        number(json, "x", point.x());
        estimate(json, "y", point.y());
        text(json, "label", point.label());
    }

    private static void sample(ObjectNode json, Sample sample) {
        json.put("prompt", sample.prompt());
        json.put("before", sample.before());
        json.put("after", sample.after());
        sample.rewardBefore().ifPresent(reward -> number(json, "reward_before", reward));
        sample.rewardAfter().ifPresent(reward -> number(json, "reward_after", reward));
        text(json, "note", sample.note());
    }

    private static void estimate(ObjectNode json, String name, Estimate estimate) {
        number(json, name, estimate.value());
        estimate.interval().ifPresent(interval -> {
            number(json, "low", interval.low());
            number(json, "high", interval.high());
        });
    }

    private static <T> void each(ObjectNode json, String name, List<T> parts, BiConsumer<ObjectNode, T> write) {
        if (!parts.isEmpty()) {
            ArrayNode array = json.putArray(name);
            parts.forEach(part -> write.accept(array.addObject(), part));
        }
    }

    private static void text(ObjectNode json, String name, String value) {
        if (!value.isEmpty()) {
            json.put(name, value);
        }
    }

    private static void number(ObjectNode json, String name, double value) {
        if (Double.isFinite(value)) {
            json.put(name, value);
        } else {
            json.put(name, Double.toString(value));
        }
    }
}

package dev.kedge.run.result;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.run.result.Summary.Fact;
import dev.kedge.run.result.Summary.Sample;
import dev.kedge.run.result.Summary.Status;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Platform;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;

/// Summaries and frontiers as JSON, written and read back. Empty parts are left out, numbers that are not finite stand
/// as strings. Unknown keys are ignored, known ones must have their type.
public final class SummaryJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String file;

    private SummaryJson(String file) {
        this.file = file;
    }

    /// A summary as a file holds it, with what computed it under `engine`.
    public static byte[] bytes(Summary summary, Platform platform) {
        try {
            ObjectNode json = write(summary);
            json.set("engine", PlatformJson.write(platform));
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ObjectNode write(Summary summary) {
        ObjectNode json = JSON.createObjectNode();
        put(json, "title", summary.title());
        put(json, "recipe", summary.recipe());
        put(json, "verdict", summary.verdict());
        json.put("status", summary.status().name().toLowerCase(Locale.ROOT));
        put(json, "seconds", summary.seconds());
        each(json, "facts", summary.facts(), SummaryJson::fact);
        each(json, "comparisons", summary.comparisons(), SummaryJson::comparison);
        // The first stands alone, as most runs have no other.
        summary.frontiers().stream().findFirst().ifPresent(first -> frontier(json.putObject("frontier"), first));
        each(json, "more_frontiers", summary.frontiers().stream().skip(1).toList(), SummaryJson::frontier);
        each(json, "samples", summary.samples(), SummaryJson::sample);
        if (!summary.notes().isEmpty()) {
            ArrayNode notes = json.putArray("notes");
            summary.notes().forEach(notes::add);
        }
        return json;
    }

    /// A frontier as an object.
    public static ObjectNode write(Frontier frontier) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        frontier(json, frontier);
        return json;
    }

    private static void fact(ObjectNode json, Fact fact) {
        put(json, "key", fact.key());
        put(json, "name", fact.name());
        put(json, "value", fact.estimate());
        put(json, "unit", fact.unit());
        put(json, "note", fact.note());
    }

    private static void comparison(ObjectNode json, Comparison comparison) {
        put(json, "name", comparison.name());
        put(json, "unit", comparison.unit());
        put(json.putObject("before"), "value", comparison.before());
        put(json.putObject("after"), "value", comparison.after());
    }

    private static void frontier(ObjectNode json, Frontier frontier) {
        put(json, "title", frontier.title());
        put(json, "x", frontier.x());
        put(json, "y", frontier.y());
        each(json, "arms", frontier.arms(), (node, arm) -> {
            put(node, "name", arm.name());
            each(node, "points", arm.points(), SummaryJson::point);
        });
        each(json, "optimum", frontier.optimum(), SummaryJson::point);
    }

    private static void point(ObjectNode json, Frontier.Point point) {
        put(json, "x", point.x());
        put(json, "y", point.y());
        put(json, "label", point.label());
    }

    private static void sample(ObjectNode json, Sample sample) {
        json.put("prompt", sample.prompt());
        json.put("before", sample.before());
        json.put("after", sample.after());
        sample.rewardBefore().ifPresent(reward -> put(json, "reward_before", reward));
        sample.rewardAfter().ifPresent(reward -> put(json, "reward_after", reward));
        put(json, "note", sample.note());
    }

    private static void put(ObjectNode json, String name, Estimate estimate) {
        put(json, name, estimate.value());
        if (estimate.hasInterval()) {
            put(json, "low", estimate.low());
            put(json, "high", estimate.high());
        }
    }

    private static void put(ObjectNode json, String name, String value) {
        if (!value.isEmpty()) {
            json.put(name, value);
        }
    }

    private static void put(ObjectNode json, String name, double value) {
        if (Double.isFinite(value)) {
            json.put(name, value);
        } else {
            json.put(name, Double.toString(value));
        }
    }

    private static <T> void each(ObjectNode json, String name, List<T> parts, BiConsumer<ObjectNode, T> write) {
        if (!parts.isEmpty()) {
            ArrayNode array = json.putArray(name);
            parts.forEach(part -> write.accept(array.addObject(), part));
        }
    }

    /// Reads a summary.
    ///
    /// @param file the name to put into a message
    /// @throws IllegalArgumentException naming the file, and the line or the key, where it is malformed
    public static Summary parse(String text, String file) {
        try {
            JsonNode root = JSON.readTree(text);
            if (!root.isObject()) {
                throw new IllegalArgumentException(file + ": a JSON object is expected");
            }
            return new SummaryJson(file).summary(root);
        } catch (JsonProcessingException e) {
            int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
            throw new IllegalArgumentException(file + ":" + line + ": not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    /// Reads one frontier; throws as [#parse] does.
    public static Frontier read(JsonNode node, String file) {
        return new SummaryJson(file).frontier(node);
    }

    private Summary summary(JsonNode root) {
        return new Summary(
                text(root, "", "title"),
                text(root, "", "recipe"),
                text(root, "", "verdict"),
                status(root),
                number(root, "", "seconds"),
                list(root, "facts", this::fact),
                list(root, "comparisons", this::comparison),
                frontiers(root),
                list(root, "samples", this::sample),
                list(root, "notes", (node, _) -> node.asText()));
    }

    private Status status(JsonNode root) {
        return switch (text(root, "", "status")) {
            case "finished" -> Status.FINISHED;
            case "failed" -> Status.FAILED;
            case "running", "" -> Status.RUNNING;
            default -> throw wrong("", "status", "must be running, finished or failed, got " + root.get("status"));
        };
    }

    private List<Frontier> frontiers(JsonNode root) {
        List<Frontier> all = new ArrayList<>();
        if (root.path("frontier").isObject()) {
            all.add(frontier(root.get("frontier")));
        }
        all.addAll(list(root, "more_frontiers", (node, _) -> frontier(node)));
        return all;
    }

    private Fact fact(JsonNode node, String at) {
        String name = text(node, at, "name");
        String key = text(node, at, "key");
        return new Fact(
                key.isEmpty() ? Summary.words(name) : key, // a file from before there were keys
                name,
                estimate(node, at, "value"),
                text(node, at, "unit"),
                text(node, at, "note"));
    }

    private Comparison comparison(JsonNode node, String at) {
        return new Comparison(
                text(node, at, "name"),
                text(node, at, "unit"),
                estimate(node.path("before"), at + ".before", "value"),
                estimate(node.path("after"), at + ".after", "value"));
    }

    private Frontier frontier(JsonNode node) {
        return new Frontier(
                text(node, "frontier", "title"),
                text(node, "frontier", "x"),
                text(node, "frontier", "y"),
                list(
                        node,
                        "arms",
                        (arm, at) -> new Frontier.Arm(
                                text(arm, "frontier." + at, "name"),
                                list(arm, "points", (p, i) -> point(p, "frontier." + at + "." + i)))),
                list(node, "optimum", (p, at) -> point(p, "frontier." + at)));
    }

    private Frontier.Point point(JsonNode node, String at) {
        return new Frontier.Point(number(node, at, "x"), estimate(node, at, "y"), text(node, at, "label"));
    }

    private Sample sample(JsonNode node, String at) {
        return new Sample(
                text(node, at, "prompt"),
                text(node, at, "before"),
                text(node, at, "after"),
                reward(node, at, "reward_before"),
                reward(node, at, "reward_after"),
                text(node, at, "note"));
    }

    private Optional<Double> reward(JsonNode node, String at, String key) {
        return node.hasNonNull(key) ? Optional.of(number(node, at, key)) : Optional.empty();
    }

    /// An interval with only one end, or an end that is not a number, is no interval.
    private Estimate estimate(JsonNode node, String at, String key) {
        double value = number(node, at, key);
        double low = number(node, at, "low");
        double high = number(node, at, "high");
        if (Double.isNaN(low) || Double.isNaN(high)) {
            return Estimate.of(value);
        }
        if (low > high) {
            throw wrong(at, "low", "must not exceed 'high', got " + low + " and " + high);
        }
        return new Estimate(value, low, high);
    }

    private String text(JsonNode node, String at, String key) {
        JsonNode value = node.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return "";
        }
        if (value.isContainerNode()) {
            throw wrong(at, key, "must be a text, got " + shortened(value));
        }
        return value.asText();
    }

    private double number(JsonNode node, String at, String key) {
        JsonNode value = node.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return Double.NaN;
        }
        if (value.isNumber()) {
            return value.doubleValue();
        }
        if (value.isTextual() && value.textValue().matches("NaN|-?Infinity")) {
            return Double.parseDouble(value.textValue());
        }
        throw wrong(at, key, "must be a number, got " + shortened(value));
    }

    private <T> List<T> list(JsonNode node, String key, BiFunction<JsonNode, String, T> element) {
        JsonNode array = node.path(key);
        if (array.isMissingNode() || array.isNull()) {
            return List.of();
        }
        if (!array.isArray()) {
            throw wrong("", key, "must be a list, got " + shortened(array));
        }
        List<T> items = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            items.add(element.apply(array.get(i), key + "[" + i + "]"));
        }
        return items;
    }

    private static String shortened(JsonNode value) {
        String text = value.toString();
        return text.length() <= 60 ? text : text.substring(0, 60) + "…";
    }

    private IllegalArgumentException wrong(String at, String key, String what) {
        return new IllegalArgumentException(file + ": '" + (at.isEmpty() ? key : at + "." + key) + "' " + what);
    }
}

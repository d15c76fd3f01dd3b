package dev.kedge.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.recipe.statistics.Estimate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/// Reads a [Summary] from JSON; unknown keys are ignored, known ones must have their type.
final class SummaryJson {
    private final String file;

    private SummaryJson(String file) {
        this.file = file;
    }

    /// Throws [IllegalArgumentException] naming the file, and the line or the key, where it is malformed.
    static Summary parse(String text, String file) {
        try {
            var root = new ObjectMapper().readTree(text);
            if (!root.isObject()) {
                throw new IllegalArgumentException(file + ": a JSON object is expected");
            }
            return new SummaryJson(file).summary(root);
        } catch (JsonProcessingException e) {
            int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
            throw new IllegalArgumentException(file + ":" + line + ": not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    /// Reads one frontier; throws [IllegalArgumentException] naming the file and the key where it is malformed.
    static Frontier frontier(JsonNode node, String file) {
        return new SummaryJson(file).frontier(node);
    }

    private Summary summary(JsonNode root) {
        return new Summary(
                text(root, "", "title"),
                text(root, "", "recipe"),
                text(root, "", "verdict"),
                text(root, "", "status"),
                number(root, "", "seconds"),
                list(root, "facts", this::fact),
                list(root, "comparisons", this::comparison),
                frontiers(root),
                list(root, "samples", this::sample),
                list(root, "notes", (node, _) -> node.asText()),
                list(root, "phases", (node, _) -> words(node)),
                words(root.path("environment")));
    }

    /// The first stands alone, as most runs have no other.
    private List<Frontier> frontiers(JsonNode root) {
        List<Frontier> all = new ArrayList<>();
        if (root.path("frontier").isObject()) {
            all.add(frontier(root.get("frontier")));
        }
        all.addAll(list(root, "more_frontiers", (node, _) -> frontier(node)));
        return all;
    }

    private Summary.Fact fact(JsonNode node, String at) {
        boolean word = node.path("value").isTextual() && !isNumber(node.get("value"));
        return new Summary.Fact(
                text(node, at, "name"),
                word ? Estimate.of(Double.NaN) : estimate(node, at, "value"),
                word ? node.get("value").textValue() : "",
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

    private Summary.Sample sample(JsonNode node, String at) {
        return new Summary.Sample(
                text(node, at, "prompt"),
                text(node, at, "before"),
                text(node, at, "after"),
                number(node, at, "reward_before"),
                number(node, at, "reward_after"),
                text(node, at, "note"));
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
        var value = node.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return "";
        }
        if (value.isContainerNode()) {
            throw wrong(at, key, "must be a text, got " + Quantity.shortened(value.toString()));
        }
        return value.asText();
    }

    private double number(JsonNode node, String at, String key) {
        var value = node.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return Double.NaN;
        }
        if (!isNumber(value)) {
            throw wrong(at, key, "must be a number, got " + Quantity.shortened(value.toString()));
        }
        return value.isNumber() ? value.doubleValue() : Double.parseDouble(value.textValue());
    }

    private static boolean isNumber(JsonNode value) {
        return value.isNumber() || value.isTextual() && value.textValue().matches("NaN|-?Infinity");
    }

    private <T> List<T> list(JsonNode node, String key, BiFunction<JsonNode, String, T> element) {
        var array = node.path(key);
        if (array.isMissingNode() || array.isNull()) {
            return List.of();
        }
        if (!array.isArray()) {
            throw wrong("", key, "must be a list, got " + Quantity.shortened(array.toString()));
        }
        var items = new ArrayList<T>();
        for (int i = 0; i < array.size(); i++) {
            items.add(element.apply(array.get(i), key + "[" + i + "]"));
        }
        return items;
    }

    /// The scalar entries of an object as words; a scalar alone under the key "name".
    private static Map<String, String> words(JsonNode node) {
        var words = new LinkedHashMap<String, String>();
        if (node.isValueNode() && !node.isNull()) {
            words.put("name", node.asText());
        }
        for (var entry : node.properties()) {
            if (entry.getValue().isNumber()) {
                double value = entry.getValue().doubleValue();
                boolean seconds = entry.getKey().equals("seconds");
                words.put(entry.getKey(), seconds ? Quantity.duration(value) : Quantity.number(value));
            } else if (entry.getValue().isValueNode()) {
                words.put(entry.getKey(), entry.getValue().asText());
            }
        }
        return words;
    }

    private IllegalArgumentException wrong(String at, String key, String what) {
        return new IllegalArgumentException(file + ": '" + (at.isEmpty() ? key : at + "." + key) + "' " + what);
    }
}

package dev.kedge.objective.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// One case of a conformance file: inputs and parameters by the paper's names, and what must come out.
///
/// @param expected what must come out, by name; empty where the values are kept back
/// @param names    all names that must come out
public record Case(
        String file,
        String method,
        String name,
        JsonNode inputs,
        JsonNode params,
        Map<String, JsonNode> expected,
        Set<String> names) {

    static Case of(String file, String method, JsonNode json) {
        Map<String, JsonNode> expected = new LinkedHashMap<>();
        json.path("expected").properties().forEach(e -> expected.put(e.getKey(), e.getValue()));
        Set<String> names = new LinkedHashSet<>(expected.keySet());
        json.path("expected_names").forEach(n -> names.add(n.asText()));
        if (names.isEmpty()) {
            throw new IllegalArgumentException("case " + json.path("name") + " neither expects nor names an output");
        }
        return new Case(
                file, method, json.path("name").asText(), json.path("inputs"), json.path("params"), expected, names);
    }

    /// Whether all these inputs are there: what tells one signature of a paper from another.
    public boolean hasInputs(String... wanted) {
        return List.of(wanted).stream().allMatch(inputs::has);
    }

    /// Whether all these parameters are there.
    public boolean hasParams(String... wanted) {
        return List.of(wanted).stream().allMatch(params::has);
    }

    /// A numeric input of any depth as float64; booleans count 0 and 1, and `"NaN"`, `"Infinity"`, `"-Infinity"`
    /// are read.
    public Tensor tensor(String input) {
        return tensor(require(inputs, input));
    }

    /// An input that is a map from names to numbers of any depth, in its order; values as in [#tensor].
    public Map<String, Tensor> tensors(String input) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        require(inputs, input).properties().forEach(e -> tensors.put(e.getKey(), tensor(e.getValue())));
        return tensors;
    }

    private static Tensor tensor(JsonNode node) {
        List<Double> values = new ArrayList<>();
        flatten(node, values);
        return Tensor.of(values.stream().mapToDouble(Double::doubleValue).toArray(), shape(node));
    }

    /// An integer input of any depth as int64.
    public Tensor longs(String input) {
        return tensor(input).to(DType.INT64);
    }

    /// An input of 0 and 1, or of booleans, as a boolean mask.
    public Tensor mask(String input) {
        return tensor(input).ne(0);
    }

    /// A list of strings.
    public List<String> texts(String input) {
        List<String> texts = new ArrayList<>();
        require(inputs, input).forEach(t -> texts.add(t.asText()));
        return texts;
    }

    /// A numeric parameter.
    public double number(String param) {
        return toDouble(require(params, param));
    }

    /// A numeric parameter, or what holds where a case does not set it (absent or null).
    public double number(String param, double otherwise) {
        return params.hasNonNull(param) ? number(param) : otherwise;
    }

    /// A parameter that is a word.
    public String text(String param) {
        return require(params, param).asText();
    }

    /// A parameter that is yes or no.
    public boolean flag(String param) {
        return require(params, param).asBoolean();
    }

    private JsonNode require(JsonNode parent, String key) {
        if (!parent.has(key)) {
            throw new IllegalArgumentException("the case has no " + key);
        }
        return parent.get(key);
    }

    private static long[] shape(JsonNode node) {
        List<Long> shape = new ArrayList<>();
        for (JsonNode at = node; at.isArray(); at = at.path(0)) {
            shape.add((long) at.size());
        }
        return shape.stream().mapToLong(Long::longValue).toArray();
    }

    private static void flatten(JsonNode node, List<Double> values) {
        if (node.isArray()) {
            node.forEach(child -> flatten(child, values));
        } else {
            values.add(toDouble(node));
        }
    }

    static double toDouble(JsonNode node) {
        if (node.isBoolean()) {
            return node.asBoolean() ? 1 : 0;
        }
        return node.isTextual() ? Double.parseDouble(node.asText()) : node.doubleValue();
    }
}

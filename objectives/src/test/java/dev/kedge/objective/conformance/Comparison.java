package dev.kedge.objective.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.tensor.Tensor;
import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/// Compares what a case expects with what came out: 1e-6 relative, 1e-9 absolute near zero.
final class Comparison {
    private static final double RELATIVE = 1e-6;
    private static final double ABSOLUTE = 1e-9;

    private final List<Difference> differences = new ArrayList<>();

    private Comparison() {}

    /// Where and how the two differ; the place is the field's name with indices, as in `grad[0][2]`.
    record Difference(String place, String expected, String got) {}

    /// All differences of a field. Null is not compared, wherever it stands; names that are not expected are
    /// ignored.
    static List<Difference> differences(String field, JsonNode expected, Object got) {
        var comparison = new Comparison();
        comparison.compare(field, expected, plain(got));
        return comparison.differences;
    }

    private void compare(String place, JsonNode expected, Object got) {
        switch (got) {
            case Object _ when expected.isNull() -> {}
            case List<?> list
            when expected.isArray() && list.size() == expected.size() -> {
                for (int i = 0; i < list.size(); i++) {
                    compare(place + "[" + i + "]", expected.get(i), plain(list.get(i)));
                }
            }
            case Map<?, ?> map
            when expected.isObject() ->
                expected.properties().forEach(e -> compareEntry(place, e.getKey(), e.getValue(), map));
            case Double number when isNumber(expected) && near(Case.toDouble(expected), number) -> {}
            case String text when expected.isTextual() && expected.asText().equals(text) -> {}
            default -> differences.add(new Difference(place, brief(expected.toString()), brief(got.toString())));
        }
    }

    private void compareEntry(String place, String key, JsonNode expected, Map<?, ?> got) {
        String inner = place + "." + key;
        if (got.containsKey(key)) {
            compare(inner, expected, plain(got.get(key)));
        } else if (!expected.isNull()) {
            differences.add(new Difference(inner, brief(expected.toString()), "nothing of that name"));
        }
    }

    private static boolean isNumber(JsonNode node) {
        return node.isNumber()
                || node.isBoolean()
                || (node.isTextual() && node.asText().matches("NaN|-?Infinity"));
    }

    private static boolean near(double expected, double got) {
        if (Double.compare(expected, got) == 0) {
            return true; // NaN and infinities equal themselves only
        }
        return Double.isFinite(expected)
                && Math.abs(got - expected) <= Math.max(ABSOLUTE, RELATIVE * Math.abs(expected));
    }

    /// Numbers and booleans as Double, tensors and arrays as lists of lists; the rest as it is.
    private static Object plain(Object got) {
        return switch (got) {
            case Tensor tensor -> nested(tensor.toDoubles(), tensor.shape(), 0, 0);
            case Number number -> number.doubleValue();
            case Boolean flag -> flag ? 1.0 : 0.0;
            case Object array when array.getClass().isArray() -> list(Array.getLength(array), i -> Array.get(array, i));
            default -> got;
        };
    }

    private static Object nested(double[] values, long[] shape, int dim, int start) {
        if (dim == shape.length) {
            return values[start];
        }
        int stride = 1;
        for (int d = dim + 1; d < shape.length; d++) {
            stride *= (int) shape[d];
        }
        int step = stride;
        return list((int) shape[dim], i -> nested(values, shape, dim + 1, start + i * step));
    }

    private static List<Object> list(int size, IntFunction<Object> element) {
        return IntStream.range(0, size).mapToObj(element).toList();
    }

    private static String brief(String text) {
        return text.length() <= 120 ? text : text.substring(0, 117) + "...";
    }
}

package dev.kedge.text.jinja;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Values with Python's semantics: String, Long, Double, Boolean, [#NONE], [Undefined], List, Map, [Namespace],
/// [Function]. Nothing else ever enters a template, so it cannot reach a Java class.
final class Values {
    static final Object NONE = new Object() {
        @Override
        public String toString() {
            return "None";
        }
    };

    /// A name or key that is not there; prints as nothing, is false, and has no attributes.
    record Undefined(String what) {}

    /// The one mutable value: `namespace(...)`, whose attributes `set` may change.
    static final class Namespace {
        final Map<String, Object> attributes = new LinkedHashMap<>();
    }

    interface Function {
        Object call(List<Object> positional, Map<String, Object> named);
    }

    private final Budget budget;

    Values(Budget budget) {
        this.budget = budget;
    }

    static boolean truth(Object value) {
        return switch (value) {
            case Boolean b -> b;
            case String s -> !s.isEmpty();
            case Long n -> n != 0;
            case Double d -> d != 0;
            case List<?> l -> !l.isEmpty();
            case Map<?, ?> m -> !m.isEmpty();
            case Undefined _ -> false;
            default -> value != NONE;
        };
    }

    static boolean isNumber(Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    static double real(Object value) {
        return value instanceof Boolean b ? (b ? 1 : 0) : ((Number) value).doubleValue();
    }

    long integer(Object value) {
        return switch (value) {
            case Long n -> n;
            case Boolean b -> b ? 1 : 0;
            default -> throw budget.error("expected a whole number, found " + typeName(value));
        };
    }

    boolean equal(Object a, Object b) {
        budget.step();
        if (isNumber(a) && isNumber(b)) {
            return a instanceof Double || b instanceof Double ? real(a) == real(b) : integer(a) == integer(b);
        }
        budget.enter();
        boolean same =
                switch (a) {
                    case String s -> s.equals(b);
                    case List<?> l -> b instanceof List<?> m && equalLists(l, m);
                    case Map<?, ?> l -> b instanceof Map<?, ?> m && equalMaps(l, m);
                    case Undefined _ -> b instanceof Undefined;
                    default -> a == b;
                };
        budget.leave();
        return same;
    }

    private boolean equalLists(List<?> a, List<?> b) {
        boolean same = a.size() == b.size();
        for (int i = 0; same && i < a.size(); i++) {
            same = equal(a.get(i), b.get(i));
        }
        return same;
    }

    private boolean equalMaps(Map<?, ?> a, Map<?, ?> b) {
        boolean same = a.keySet().equals(b.keySet());
        for (var entry : a.entrySet()) {
            same = same && equal(entry.getValue(), b.get(entry.getKey()));
        }
        return same;
    }

    int compare(Object a, Object b) {
        if (isNumber(a) && isNumber(b)) {
            return a instanceof Double || b instanceof Double
                    ? Double.compare(real(a), real(b))
                    : Long.compare(integer(a), integer(b));
        }
        if (a instanceof String s && b instanceof String t) {
            budget.reading(s);
            return compareCodePoints(s, t);
        }
        throw budget.error("cannot order " + typeName(a) + " and " + typeName(b));
    }

    private static int compareCodePoints(String a, String b) {
        int[] x = a.codePoints().toArray();
        int[] y = b.codePoints().toArray();
        return java.util.Arrays.compare(x, y);
    }

    boolean contains(Object container, Object item) {
        budget.reading(container);
        return switch (container) {
            case String s when item instanceof String part -> s.contains(part);
            case String _ -> throw budget.error("'in' of a string needs a string, found " + typeName(item));
            case Map<?, ?> m -> m.containsKey(key(item));
            case List<?> l -> l.stream().anyMatch(x -> equal(x, item));
            case Undefined _ -> false;
            default -> throw budget.error("'in' needs a list, a string or a dict, found " + typeName(container));
        };
    }

    /// A key as it is held in maps: equal numbers are one key.
    Object key(Object value) {
        return switch (value) {
            case Boolean b -> b ? 1L : 0L;
            case Double d when d == Math.rint(d) && Math.abs(d) < 1e15 -> (long) (double) d;
            case List<?> _ -> throw budget.error("a list cannot be a key");
            case Map<?, ?> _ -> throw budget.error("a dict cannot be a key");
            default -> value;
        };
    }

    List<Object> iterate(Object value) {
        budget.reading(value);
        return switch (value) {
            case List<?> l -> new ArrayList<>(l);
            case Map<?, ?> m -> new ArrayList<>(m.keySet());
            case String s -> new ArrayList<>(PyStrings.characters(s));
            case Undefined _ -> new ArrayList<>();
            default -> throw budget.error(typeName(value) + " cannot be looped over");
        };
    }

    /// Python's `str`, with the empty string for what is undefined.
    String string(Object value) {
        return switch (value) {
            case String s -> s;
            case Undefined _ -> "";
            case Long n -> n.toString();
            case Boolean b -> b ? "True" : "False";
            case Double d -> real(d);
            default -> {
                StringBuilder out = new StringBuilder();
                represent(value, out);
                yield out.toString();
            }
        };
    }

    private void represent(Object value, StringBuilder out) {
        budget.grows(out, value instanceof String s ? s.length() : 1);
        budget.enter();
        switch (value) {
            case String s -> out.append(PyStrings.quote(s));
            case List<?> l -> {
                out.append('[');
                for (int i = 0; i < l.size(); i++) {
                    out.append(i == 0 ? "" : ", ");
                    represent(l.get(i), out);
                }
                out.append(']');
            }
            case Map<?, ?> m -> {
                String separator = "{";
                for (var entry : m.entrySet()) {
                    out.append(separator);
                    represent(entry.getKey(), out);
                    out.append(": ");
                    represent(entry.getValue(), out);
                    separator = ", ";
                }
                out.append(m.isEmpty() ? "{}" : "}");
            }
            case Undefined _ -> out.append("Undefined");
            case Namespace _ -> out.append("<Namespace>");
            case Function _ -> out.append("<function>");
            default -> out.append(value == NONE ? "None" : string(value));
        }
        budget.leave();
    }

    private static String real(Double value) {
        if (value.isNaN() || value.isInfinite()) {
            return value.isNaN() ? "nan" : value > 0 ? "inf" : "-inf";
        }
        double size = Math.abs(value);
        if (size != 0 && (size < 1e-4 || size >= 1e16)) {
            String[] parts = value.toString().split("E");
            int exponent = Integer.parseInt(parts[1]);
            String digits = parts[0].endsWith(".0") ? parts[0].substring(0, parts[0].length() - 2) : parts[0];
            return digits + (exponent < 0 ? "e-" : "e+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
        }
        String plain = new BigDecimal(value.toString()).toPlainString();
        return plain.contains(".") ? plain : plain + ".0";
    }

    static String typeName(Object value) {
        return switch (value) {
            case String _ -> "a string";
            case Long _ -> "an integer";
            case Double _ -> "a float";
            case Boolean _ -> "a boolean";
            case List<?> _ -> "a list";
            case Map<?, ?> _ -> "a dict";
            case Undefined u -> "the undefined " + u.what();
            case Namespace _ -> "a namespace";
            case Function _ -> "a function";
            default -> "none";
        };
    }

    /// A value from outside; only plain data is let in.
    static Object of(Object java) {
        return switch (java) {
            case null -> NONE;
            case String s -> s;
            case Boolean b -> b;
            case Integer n -> n.longValue();
            case Long n -> n;
            case Double d -> d;
            case List<?> l -> l.stream().map(Values::of).toList();
            case Map<?, ?> m -> {
                Map<Object, Object> copy = new LinkedHashMap<>();
                m.forEach((k, v) -> copy.put(Objects.toString(k), of(v)));
                yield copy;
            }
            default ->
                throw new IllegalArgumentException(
                        "a template takes plain data, not " + java.getClass().getName());
        };
    }
}

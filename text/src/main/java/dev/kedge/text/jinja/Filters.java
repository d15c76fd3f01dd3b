package dev.kedge.text.jinja;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// The filters and tests of templates.
final class Filters {
    private final Values values;
    private final Methods methods;
    private final Operators operators;
    private final Budget budget;

    Filters(Values values, Methods methods, Operators operators, Budget budget) {
        this.values = values;
        this.methods = methods;
        this.operators = operators;
        this.budget = budget;
    }

    Object filter(String name, Object of, List<Object> a, Map<String, Object> named) {
        budget.reading(of);
        return switch (name) {
            case "title" -> PyStrings.titleWords(values.string(of));
            case "trim", "upper", "lower", "capitalize" ->
                methods.bind(values.string(of), name.equals("trim") ? "strip" : name)
                        .call(a, named);
            case "replace" -> methods.replace(values.string(of), values.string(at(a, 0)), values.string(at(a, 1)), -1);
            case "length", "count" -> length(of);
            case "string" -> values.string(of);
            case "safe" -> of;
            case "escape", "e" -> escape(values.string(of));
            case "join" -> methods.join(values.string(option(a, 0, named, "d", "")), pick(of, named.get("attribute")));
            case "first" -> end(of, true);
            case "last" -> end(of, false);
            case "list" -> values.iterate(of);
            case "reverse" -> reverse(of);
            case "default", "d" -> {
                boolean falseToo = Values.truth(option(a, 1, named, "boolean", false));
                boolean missing = of instanceof Values.Undefined || (falseToo && !Values.truth(of));
                yield missing ? option(a, 0, named, "default_value", "") : of;
            }
            case "tojson" -> new Json(values, budget).write(of, option(a, 0, named, "indent", Values.NONE));
            case "int" -> toInteger(of, option(a, 0, named, "default", 0L));
            case "float" -> toReal(of, option(a, 0, named, "default", 0.0));
            case "abs" -> of instanceof Double d ? (Object) Math.abs(d) : (Object) Math.abs(values.integer(of));
            case "round" -> round(of, values.integer(option(a, 0, named, "precision", 0L)));
            case "items" -> of instanceof Values.Undefined ? List.of() : Methods.items(map(of));
            case "dictsort" ->
                Methods.items(map(of)).stream()
                        .sorted((x, y) -> values.compare(((List<?>) x).getFirst(), ((List<?>) y).getFirst()))
                        .toList();
            case "map" -> map(of, a, named);
            case "select", "reject" ->
                select(
                        of,
                        name.equals("select"),
                        x -> a.isEmpty()
                                ? Values.truth(x)
                                : test(values.string(a.getFirst()), x, a.subList(1, a.size())));
            case "selectattr", "rejectattr" ->
                select(of, name.equals("selectattr"), x -> {
                    Object attribute = attribute(x, values.string(at(a, 0)));
                    return a.size() == 1
                            ? Values.truth(attribute)
                            : test(values.string(a.get(1)), attribute, a.subList(2, a.size()));
                });
            case "sort" -> sort(of, named);
            case "unique" -> unique(of);
            case "sum" -> values.iterate(of).stream().reduce(0L, (x, y) -> operators.apply("+", x, y));
            case "min", "max" -> extreme(values.iterate(of), name.equals("min") ? 1 : -1);
            case "attr" -> attribute(of, values.string(at(a, 0)));
            case "indent" -> indent(values.string(of), a, named);
            case "format" -> operators.percent(values.string(of), a);
            case "wordcount" ->
                (long) PyStrings.splitSpace(values.string(of), -1).size();
            default -> throw budget.error("there is no filter '" + name + "'");
        };
    }

    boolean test(String name, Object of, List<Object> a) {
        budget.step();
        return switch (name) {
            case "defined" -> !(of instanceof Values.Undefined);
            case "undefined" -> of instanceof Values.Undefined;
            case "none" -> of == Values.NONE;
            case "string" -> of instanceof String;
            case "number" -> Values.isNumber(of);
            case "integer" -> of instanceof Long;
            case "float" -> of instanceof Double;
            case "boolean" -> of instanceof Boolean;
            case "true" -> of.equals(true);
            case "false" -> of.equals(false);
            case "mapping" -> of instanceof Map;
            case "sequence" -> of instanceof Map || of instanceof List || of instanceof String;
            case "iterable" ->
                of instanceof Map || of instanceof List || of instanceof String || of instanceof Values.Undefined;
            case "callable" -> of instanceof Values.Function;
            case "equalto", "eq", "==", "sameas" -> values.equal(of, at(a, 0));
            case "ne", "!=" -> !values.equal(of, at(a, 0));
            case "lt", "lessthan", "<" -> values.compare(of, at(a, 0)) < 0;
            case "le", "<=" -> values.compare(of, at(a, 0)) <= 0;
            case "gt", "greaterthan", ">" -> values.compare(of, at(a, 0)) > 0;
            case "ge", ">=" -> values.compare(of, at(a, 0)) >= 0;
            case "in" -> values.contains(at(a, 0), of);
            case "even" -> values.integer(of) % 2 == 0;
            case "odd" -> values.integer(of) % 2 != 0;
            case "divisibleby" -> values.integer(operators.apply("%", of, at(a, 0))) == 0;
            case "lower" -> PyStrings.cased(values.string(of), false);
            case "upper" -> PyStrings.cased(values.string(of), true);
            default -> throw budget.error("there is no test '" + name + "'");
        };
    }

    private Object length(Object of) {
        return switch (of) {
            case String s -> (long) s.codePointCount(0, s.length());
            case Values.Undefined _ -> 0L;
            default -> (long) values.iterate(of).size();
        };
    }

    private Object end(Object of, boolean first) {
        List<Object> all = values.iterate(of);
        return all.isEmpty() ? new Values.Undefined("item of an empty list") : first ? all.getFirst() : all.getLast();
    }

    private Object reverse(Object of) {
        return of instanceof String s
                ? new StringBuilder(s).reverse().toString()
                : values.iterate(of).reversed();
    }

    private static String escape(String s) {
        return s.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&#34;")
                .replace("'", "&#39;");
    }

    private Object toInteger(Object of, Object otherwise) {
        try {
            return switch (of) {
                case String s -> Long.valueOf(s.strip());
                case Double d -> (long) (double) d;
                default -> Values.isNumber(of) ? values.integer(of) : otherwise;
            };
        } catch (NumberFormatException _) {
            return otherwise;
        }
    }

    private Object toReal(Object of, Object otherwise) {
        try {
            return of instanceof String s
                    ? Double.valueOf(s.strip())
                    : Values.isNumber(of) ? (Object) Values.real(of) : otherwise;
        } catch (NumberFormatException _) {
            return otherwise;
        }
    }

    private Object round(Object of, long precision) {
        if (precision < -300 || precision > 300) {
            throw budget.error("round to " + precision + " places");
        }
        return java.math.BigDecimal.valueOf(Values.isNumber(of) ? Values.real(of) : 0)
                .setScale((int) precision, java.math.RoundingMode.HALF_EVEN)
                .doubleValue();
    }

    private List<Object> pick(Object of, Object attribute) {
        List<Object> all = values.iterate(of);
        return attribute == null
                ? all
                : all.stream().map(x -> attribute(x, values.string(attribute))).toList();
    }

    private Object map(Object of, List<Object> a, Map<String, Object> named) {
        if (named.containsKey("attribute")) {
            Object otherwise = named.get("default");
            return pick(of, named.get("attribute")).stream()
                    .map(x -> x instanceof Values.Undefined && otherwise != null ? otherwise : x)
                    .toList();
        }
        String filter = values.string(at(a, 0));
        List<Object> rest = a.subList(1, a.size());
        return values.iterate(of).stream()
                .map(x -> filter(filter, x, rest, named))
                .toList();
    }

    private Object select(Object of, boolean keep, Predicate<Object> test) {
        return values.iterate(of).stream().filter(x -> test.test(x) == keep).toList();
    }

    private Object sort(Object of, Map<String, Object> named) {
        Comparator<Object> order = (x, y) -> {
            Object attribute = named.get("attribute");
            return attribute == null
                    ? values.compare(x, y)
                    : values.compare(attribute(x, values.string(attribute)), attribute(y, values.string(attribute)));
        };
        boolean reversed = Values.truth(named.getOrDefault("reverse", false));
        return values.iterate(of).stream()
                .sorted(reversed ? order.reversed() : order)
                .toList();
    }

    private Object unique(Object of) {
        Map<Object, Object> seen = new LinkedHashMap<>();
        values.iterate(of).forEach(x -> seen.putIfAbsent(values.key(x), x));
        return new ArrayList<>(seen.values());
    }

    private Object extreme(List<Object> all, int sign) {
        return all.stream()
                .min((x, y) -> sign * values.compare(x, y))
                .orElse(new Values.Undefined("extreme of an empty list"));
    }

    private Object indent(String s, List<Object> a, Map<String, Object> named) {
        String margin = " ".repeat(Math.clamp(values.integer(option(a, 0, named, "width", 4L)), 0, 1000));
        boolean first = Values.truth(option(a, 1, named, "first", false));
        boolean blank = Values.truth(option(a, 2, named, "blank", false));
        StringBuilder out = new StringBuilder();
        List<Object> lines = PyStrings.split(s, "\n", -1);
        for (int i = 0; i < lines.size(); i++) {
            String line = (String) lines.get(i);
            boolean indented = i == 0 ? first : blank || !line.isEmpty();
            out.append(i == 0 ? "" : "\n").append(indented ? margin : "").append(line);
            budget.grows(out, margin.length() + line.length());
        }
        return out.toString();
    }

    private Object attribute(Object of, String name) {
        return of instanceof Map<?, ?> m && m.containsKey(name) ? m.get(name) : new Values.Undefined("'" + name + "'");
    }

    private Map<?, ?> map(Object of) {
        if (of instanceof Map<?, ?> m) {
            return m;
        }
        throw budget.error("expected a dict, found " + Values.typeName(of));
    }

    private Object at(List<Object> a, int index) {
        if (index >= a.size()) {
            throw budget.error("a filter or test lacks its argument " + (index + 1));
        }
        return a.get(index);
    }

    private static Object option(List<Object> a, int index, Map<String, Object> named, String name, Object otherwise) {
        return index < a.size() ? a.get(index) : named.getOrDefault(name, otherwise);
    }
}

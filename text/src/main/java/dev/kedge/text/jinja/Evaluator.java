package dev.kedge.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Gives expressions their values.
final class Evaluator {
    private final Budget budget;
    private final Values values;
    private final Methods methods;
    private final Operators operators;
    private final Filters filters;

    Evaluator(Budget budget) {
        this.budget = budget;
        this.values = new Values(budget);
        this.methods = new Methods(values, budget);
        this.operators = new Operators(values, budget);
        this.filters = new Filters(values, methods, operators, budget);
    }

    Values values() {
        return values;
    }

    Object value(JinjaExpression expression, Variables scope) {
        budget.step();
        budget.enter();
        Object value = evaluate(expression, scope);
        budget.leave();
        return value;
    }

    boolean truth(JinjaExpression expression, Variables scope) {
        return Values.truth(value(expression, scope));
    }

    private Object evaluate(JinjaExpression expression, Variables scope) {
        return switch (expression) {
            case JinjaExpression.Literal(Object value) -> value;
            case JinjaExpression.Name(String name) -> scope.get(name);
            case JinjaExpression.ListOf(List<JinjaExpression> items) -> all(items, scope);
            case JinjaExpression.DictOf(var entries) -> {
                Map<Object, Object> map = new LinkedHashMap<>();
                entries.forEach(e -> map.put(values.key(value(e.getKey(), scope)), value(e.getValue(), scope)));
                yield map;
            }
            case JinjaExpression.Attribute(JinjaExpression of, String name) -> attribute(value(of, scope), name);
            case JinjaExpression.Item(JinjaExpression of, JinjaExpression key) ->
                item(value(of, scope), value(key, scope));
            case JinjaExpression.Slice slice -> slice(slice, scope);
            case JinjaExpression.Call(JinjaExpression function, JinjaExpression.Arguments arguments) -> {
                if (value(function, scope) instanceof Values.Function f) {
                    yield f.call(all(arguments.positional(), scope), named(arguments, scope));
                }
                throw budget.error(Values.typeName(value(function, scope)) + " cannot be called");
            }
            case JinjaExpression.Filter(JinjaExpression of, String name, JinjaExpression.Arguments arguments) ->
                filter(value(of, scope), name, arguments, scope);
            case JinjaExpression.Test(JinjaExpression of, String name, List<JinjaExpression> arguments) ->
                filters.test(name, value(of, scope), all(arguments, scope));
            case JinjaExpression.Not(JinjaExpression of) -> !truth(of, scope);
            case JinjaExpression.Negative(JinjaExpression of) -> operators.apply("-", 0L, value(of, scope));
            case JinjaExpression.Binary(String operator, JinjaExpression left, JinjaExpression right) ->
                operators.apply(operator, value(left, scope), value(right, scope));
            case JinjaExpression.Comparison comparison -> compare(comparison, scope);
            case JinjaExpression.And(JinjaExpression left, JinjaExpression right) -> {
                Object first = value(left, scope);
                yield Values.truth(first) ? value(right, scope) : first;
            }
            case JinjaExpression.Or(JinjaExpression left, JinjaExpression right) -> {
                Object first = value(left, scope);
                yield Values.truth(first) ? first : value(right, scope);
            }
            case JinjaExpression.Conditional(JinjaExpression test, JinjaExpression then, JinjaExpression otherwise) -> {
                boolean holds = truth(test, scope);
                yield holds
                        ? value(then, scope)
                        : otherwise == null
                                ? new Values.Undefined("value of an if without else")
                                : value(otherwise, scope);
            }
        };
    }

    Object filter(Object of, String name, JinjaExpression.Arguments arguments, Variables scope) {
        return filters.filter(name, of, all(arguments.positional(), scope), named(arguments, scope));
    }

    private List<Object> all(List<JinjaExpression> expressions, Variables scope) {
        List<Object> all = new ArrayList<>();
        expressions.forEach(e -> all.add(value(e, scope)));
        return all;
    }

    private Map<String, Object> named(JinjaExpression.Arguments arguments, Variables scope) {
        Map<String, Object> named = new LinkedHashMap<>();
        arguments.named().forEach((name, e) -> named.put(name, value(e, scope)));
        return named;
    }

    private boolean compare(JinjaExpression.Comparison comparison, Variables scope) {
        Object left = value(comparison.first(), scope);
        for (int i = 0; i < comparison.operators().size(); i++) {
            Object right = value(comparison.others().get(i), scope);
            boolean holds =
                    switch (comparison.operators().get(i)) {
                        case "==" -> values.equal(left, right);
                        case "!=" -> !values.equal(left, right);
                        case "in" -> values.contains(right, left);
                        case "not in" -> !values.contains(right, left);
                        case "<" -> values.compare(left, right) < 0;
                        case "<=" -> values.compare(left, right) <= 0;
                        case ">" -> values.compare(left, right) > 0;
                        default -> values.compare(left, right) >= 0;
                    };
            if (!holds) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private Object attribute(Object of, String name) {
        Object method = methods.bind(of, name);
        if (method != null) {
            return method;
        }
        Object found =
                switch (of) {
                    case Map<?, ?> m -> m.get(name);
                    case Values.Namespace n -> n.attributes.get(name);
                    case Values.Undefined u -> throw budget.error(u.what() + " is undefined");
                    default -> null;
                };
        return found == null ? new Values.Undefined("'" + name + "' of " + Values.typeName(of)) : found;
    }

    private Object item(Object of, Object key) {
        Object found =
                switch (of) {
                    case Map<?, ?> m -> m.get(values.key(key));
                    case List<?> l when key instanceof Long i -> at(l, i);
                    case String s
                    when key instanceof Long i -> {
                        budget.reading(s);
                        yield at(PyStrings.characters(s), i);
                    }
                    case Values.Undefined u -> throw budget.error(u.what() + " is undefined");
                    default -> key instanceof String name ? attribute(of, name) : null;
                };
        if (found == null && key instanceof String name && methods.bind(of, name) != null) {
            return methods.bind(of, name);
        }
        return found == null ? new Values.Undefined("item of " + Values.typeName(of)) : found;
    }

    private static Object at(List<?> list, long index) {
        long i = index < 0 ? index + list.size() : index;
        return i >= 0 && i < list.size() ? list.get((int) i) : null;
    }

    private Object slice(JinjaExpression.Slice slice, Variables scope) {
        Object of = value(slice.of(), scope);
        if (of instanceof Values.Undefined u) {
            throw budget.error(u.what() + " is undefined");
        }
        List<Object> all = values.iterate(of);
        long step = bound(slice.step(), 1, scope);
        if (step == 0 || step == Long.MIN_VALUE) {
            throw budget.error("a slice cannot step by " + step);
        }
        int size = all.size();
        long low = step > 0 ? 0 : -1;
        long high = step > 0 ? size : size - 1;
        long start = slice.start() == null ? (step > 0 ? low : high) : clip(slice.start(), size, low, high, scope);
        long stop = slice.stop() == null ? (step > 0 ? high : low) : clip(slice.stop(), size, low, high, scope);
        List<Object> part = new ArrayList<>();
        for (long i = start;
                step > 0 ? i < stop : i > stop;
                i = Math.addExact(i, Math.clamp(step, -size - 1, size + 1))) {
            part.add(all.get((int) i));
        }
        return of instanceof String
                ? String.join("", part.stream().map(values::string).toList())
                : part;
    }

    private long clip(JinjaExpression bound, int size, long low, long high, Variables scope) {
        long value = bound(bound, 0, scope);
        return Math.clamp(value < 0 ? value + size : value, low, high);
    }

    private long bound(JinjaExpression bound, long otherwise, Variables scope) {
        Object value = bound == null ? Values.NONE : value(bound, scope);
        return value == Values.NONE ? otherwise : values.integer(value);
    }
}

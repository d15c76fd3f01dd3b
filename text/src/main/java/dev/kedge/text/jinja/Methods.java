package dev.kedge.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;

/// The methods that templates may call on strings, lists and dicts: none that changes its receiver, none of Java's.
final class Methods {
    private final Values values;
    private final Budget budget;

    Methods(Values values, Budget budget) {
        this.values = values;
        this.budget = budget;
    }

    /// The method bound to its receiver, or null when the value has no such method.
    Values.Function bind(Object receiver, String name) {
        return switch (receiver) {
            case String s
            when isStringMethod(name) ->
                (a, named) -> {
                    budget.reading(s);
                    return onString(s, name, a, named);
                };
            case Map<?, ?> m
            when List.of("items", "keys", "values", "get").contains(name) ->
                (a, _) -> {
                    budget.reading(m);
                    return onMap(m, name, a);
                };
            case List<?> l when List.of("index", "count").contains(name) -> (a, _) -> onList(l, name, a);
            default -> null;
        };
    }

    private static boolean isStringMethod(String name) {
        return switch (name) {
            case "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith" -> true;
            case "upper", "lower", "title", "capitalize", "replace", "find", "rfind", "index", "count", "join" -> true;
            case "isdigit", "isalpha", "isalnum", "isspace", "isupper", "islower" -> true;
            case "removeprefix", "removesuffix", "zfill", "format", "partition" -> true;
            default -> false;
        };
    }

    private Object onString(String s, String name, List<Object> a, Map<String, Object> named) {
        return switch (name) {
            case "strip" -> PyStrings.stripRight(PyStrings.stripLeft(s, dropped(a)), dropped(a));
            case "lstrip" -> PyStrings.stripLeft(s, dropped(a));
            case "rstrip" -> PyStrings.stripRight(s, dropped(a));
            case "split", "rsplit" -> split(s, name.equals("rsplit"), a, named);
            case "splitlines" -> PyStrings.lines(s, !a.isEmpty() && Values.truth(a.getFirst()));
            case "startswith" -> affix(a).stream().anyMatch(s::startsWith);
            case "endswith" -> affix(a).stream().anyMatch(s::endsWith);
            case "upper" -> s.toUpperCase(Locale.ROOT);
            case "lower" -> s.toLowerCase(Locale.ROOT);
            case "title" -> PyStrings.title(s);
            case "capitalize" -> PyStrings.capitalize(s);
            case "replace" -> replace(s, text(a, 0), text(a, 1), a.size() > 2 ? values.integer(a.get(2)) : -1);
            case "find" -> codePoints(s, s.indexOf(text(a, 0)));
            case "rfind" -> codePoints(s, s.lastIndexOf(text(a, 0)));
            case "index" -> {
                if (!s.contains(text(a, 0))) {
                    throw budget.error("substring not found");
                }
                yield codePoints(s, s.indexOf(text(a, 0)));
            }
            case "count" -> (long) PyStrings.split(s, nonEmpty(text(a, 0)), -1).size() - 1;
            case "join" -> join(s, values.iterate(argument(a, 0)));
            case "isdigit" -> PyStrings.all(s, Character::isDigit);
            case "isalpha" -> PyStrings.all(s, Character::isLetter);
            case "isalnum" -> PyStrings.all(s, Character::isLetterOrDigit);
            case "isspace" -> PyStrings.all(s, PyStrings::isSpace);
            case "isupper" -> PyStrings.cased(s, true);
            case "islower" -> PyStrings.cased(s, false);
            case "removeprefix" ->
                s.startsWith(text(a, 0)) ? s.substring(text(a, 0).length()) : s;
            case "removesuffix" ->
                s.endsWith(text(a, 0)) ? s.substring(0, s.length() - text(a, 0).length()) : s;
            case "zfill" -> zeroFill(s, values.integer(argument(a, 0)));
            case "partition" -> partition(s, nonEmpty(text(a, 0)));
            case "format" -> format(s, a, named);
            default -> throw new AssertionError(name);
        };
    }

    private IntPredicate dropped(List<Object> a) {
        if (a.isEmpty() || a.getFirst() == Values.NONE) {
            return PyStrings::isSpace;
        }
        String set = text(a, 0);
        return c -> set.indexOf(c) >= 0;
    }

    private List<Object> split(String s, boolean right, List<Object> a, Map<String, Object> named) {
        Object separator = a.isEmpty() ? named.getOrDefault("sep", Values.NONE) : a.getFirst();
        Object limit = a.size() > 1 ? a.get(1) : named.getOrDefault("maxsplit", -1L);
        if (separator == Values.NONE) {
            return PyStrings.splitSpace(s, values.integer(limit));
        }
        String by = nonEmpty(values.string(separator));
        return right
                ? PyStrings.splitFromRight(s, by, values.integer(limit))
                : PyStrings.split(s, by, values.integer(limit));
    }

    private List<String> affix(List<Object> a) {
        return argument(a, 0) instanceof List<?> many
                ? many.stream().map(values::string).toList()
                : List.of(text(a, 0));
    }

    String replace(String s, String old, String replacement, long count) {
        List<Object> parts = old.isEmpty() ? new ArrayList<>(PyStrings.characters(s)) : PyStrings.split(s, old, count);
        if (old.isEmpty()) {
            parts.addFirst("");
            parts.addLast("");
        }
        return join(replacement, parts);
    }

    String join(String separator, List<Object> parts) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
            String part = values.string(parts.get(i));
            budget.grows(out, (long) part.length() + separator.length());
            out.append(i == 0 ? "" : separator).append(part);
        }
        return out.toString();
    }

    private String zeroFill(String s, long width) {
        budget.length(width);
        boolean signed = s.startsWith("-") || s.startsWith("+");
        String zeros = "0".repeat((int) Math.max(0, width - s.codePointCount(0, s.length())));
        return signed ? s.charAt(0) + zeros + s.substring(1) : zeros + s;
    }

    private static List<Object> partition(String s, String separator) {
        int i = s.indexOf(separator);
        return i < 0 ? List.of(s, "", "") : List.of(s.substring(0, i), separator, s.substring(i + separator.length()));
    }

    private String format(String s, List<Object> a, Map<String, Object> named) {
        StringBuilder out = new StringBuilder();
        int next = 0;
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if ((c == '{' || c == '}') && i + 1 < s.length() && s.charAt(i + 1) == c) {
                out.append(c);
                i++;
            } else if (c == '{' && s.indexOf('}', i) > 0) {
                String field = s.substring(i + 1, s.indexOf('}', i));
                i += field.length() + 1;
                String index = field.isEmpty() ? Integer.toString(next++) : field;
                Object value = PyStrings.all(index, Character::isDigit) && index.length() < 5
                        ? argument(a, Integer.parseInt(index))
                        : named.get(index);
                if (value == null) {
                    throw budget.error("format has no value for {" + field + "}");
                }
                String text = values.string(value);
                budget.grows(out, text.length());
                out.append(text);
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private Object onMap(Map<?, ?> m, String name, List<Object> a) {
        return switch (name) {
            case "items" -> items(m);
            case "keys" -> new ArrayList<Object>(m.keySet());
            case "values" -> new ArrayList<Object>(m.values());
            default -> {
                Object found = m.get(values.key(argument(a, 0)));
                yield found != null ? found : a.size() > 1 ? a.get(1) : Values.NONE;
            }
        };
    }

    static List<Object> items(Map<?, ?> m) {
        List<Object> items = new ArrayList<>();
        m.forEach((k, v) -> items.add(List.of(k, v)));
        return items;
    }

    private Object onList(List<?> l, String name, List<Object> a) {
        long count = 0;
        for (int i = 0; i < l.size(); i++) {
            boolean same = values.equal(l.get(i), argument(a, 0));
            if (same && name.equals("index")) {
                return (long) i;
            }
            count += same ? 1 : 0;
        }
        if (name.equals("index")) {
            throw budget.error("the value is not in the list");
        }
        return count;
    }

    private static long codePoints(String s, int index) {
        return index < 0 ? -1 : s.codePointCount(0, index);
    }

    private String nonEmpty(String separator) {
        if (separator.isEmpty()) {
            throw budget.error("empty separator");
        }
        return separator;
    }

    private Object argument(List<Object> a, int index) {
        if (index >= a.size()) {
            throw budget.error("a call lacks its argument " + (index + 1));
        }
        return a.get(index);
    }

    private String text(List<Object> a, int index) {
        if (argument(a, index) instanceof String s) {
            return s;
        }
        throw budget.error("expected a string, found " + Values.typeName(a.get(index)));
    }
}

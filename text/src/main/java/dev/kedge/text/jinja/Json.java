package dev.kedge.text.jinja;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Writes JSON as Python's `json.dumps(value, ensure_ascii=False)` does: `", "` and `": "` between parts.
final class Json {
    private final Values values;
    private final Budget budget;

    Json(Values values, Budget budget) {
        this.values = values;
        this.budget = budget;
    }

    String write(Object value, Object indent) {
        StringBuilder out = new StringBuilder();
        write(value, out, indent == Values.NONE ? -1 : Math.clamp(values.integer(indent), 0, 100), 1);
        return out.toString();
    }

    private void write(Object value, StringBuilder out, int indent, int level) {
        budget.grows(out, value instanceof String s ? s.length() : 1);
        budget.enter();
        switch (value) {
            case String s -> quote(s, out);
            case Boolean b -> out.append(b);
            case Long n -> out.append(n);
            case Double d -> out.append(values.string(d));
            case List<?> l -> {
                out.append('[');
                for (int i = 0; i < l.size(); i++) {
                    separate(out, i > 0, indent, level);
                    write(l.get(i), out, indent, level + 1);
                }
                close(out, ']', l.isEmpty(), indent, level);
            }
            case Map<?, ?> m -> {
                out.append('{');
                boolean more = false;
                for (var entry : m.entrySet()) {
                    separate(out, more, indent, level);
                    quote(values.string(entry.getKey()), out);
                    write(entry.getValue(), out.append(": "), indent, level + 1);
                    more = true;
                }
                close(out, '}', m.isEmpty(), indent, level);
            }
            default -> {
                if (value != Values.NONE) {
                    throw budget.error(Values.typeName(value) + " cannot be written as JSON");
                }
                out.append("null");
            }
        }
        budget.leave();
    }

    private static void separate(StringBuilder out, boolean more, int indent, int level) {
        out.append(more ? indent < 0 ? ", " : "," : "");
        if (indent >= 0) {
            out.append('\n').repeat(" ", indent * level);
        }
    }

    private static void close(StringBuilder out, char end, boolean empty, int indent, int level) {
        if (indent >= 0 && !empty) {
            out.append('\n').repeat(" ", indent * (level - 1));
        }
        out.append(end);
    }

    private static void quote(String s, StringBuilder out) {
        out.append('"');
        for (char c : s.toCharArray()) {
            int simple = "\"\\\n\r\t\b\f".indexOf(c);
            if (simple >= 0) {
                out.append('\\').append("\"\\nrtbf".charAt(simple));
            } else if (c < 32) {
                out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}

package dev.kedge.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Writes records as YAML that [RecordReader] reads back as equal records.
final class RecordWriter {
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z_/][A-Za-z0-9_./-]*");
    private static final Pattern RESERVED = Pattern.compile("(?i)true|false|null|yes|no|on|off|y|n");

    private RecordWriter() {}

    static String write(Record config) {
        StringBuilder yaml = new StringBuilder();
        record(yaml, config, config.getClass(), "");
        return yaml.toString();
    }

    private static void record(StringBuilder yaml, Record record, Type declared, String indent) {
        if (declared != record.getClass()) {
            entry(yaml, indent, "kind", String.class, Names.kind(record.getClass()));
        }
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            Object value = valueOf(component, record);
            entry(yaml, indent, Names.snake(component.getName()), component.getGenericType(), value);
        }
    }

    private static void entry(StringBuilder yaml, String indent, String key, Type declared, Object value) {
        switch (value) {
            case Optional<?> optional
            when optional.isPresent() -> entry(yaml, indent, key, argument(declared), optional.get());
            case Record record -> {
                StringBuilder block = new StringBuilder();
                record(block, record, declared, indent + "  ");
                yaml.append(indent).append(key).append(block.isEmpty() ? ": {}\n" : ":\n" + block);
            }
            case List<?> list
            when list.stream().anyMatch(Record.class::isInstance) -> {
                yaml.append(indent).append(key).append(":\n");
                list.forEach(element -> element(yaml, indent + "  ", argument(declared), (Record) element));
            }
            default ->
                yaml.append(indent).append(key).append(": ").append(flow(value)).append('\n');
        }
    }

    private static void element(StringBuilder yaml, String indent, Type declared, Record record) {
        StringBuilder block = new StringBuilder();
        record(block, record, declared, indent + "  ");
        yaml.append(indent).append("- ").append(block.isEmpty() ? "{}\n" : block.substring(indent.length() + 2));
    }

    private static Type argument(Type generic) {
        return ((ParameterizedType) generic).getActualTypeArguments()[0];
    }

    private static String flow(Object value) {
        return switch (value) {
            case Optional<?> optional -> optional.map(RecordWriter::flow).orElse("null");
            case Double number -> real(number);
            case Integer _, Long _, Boolean _ -> value.toString();
            case Enum<?> constant -> quoted(Names.snake(constant.name()));
            case String text -> quoted(text);
            case Path path -> quoted(path.toAbsolutePath().toString());
            case List<?> list ->
                "[" + String.join(", ", list.stream().map(RecordWriter::flow).toList()) + "]";
            default ->
                throw new IllegalArgumentException(
                        "a configuration cannot hold a " + value.getClass().getName());
        };
    }

    /// The shortest decimal that reads back as the same double.
    private static String real(double value) {
        if (Double.isNaN(value)) {
            return ".nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? ".inf" : "-.inf";
        }
        return Double.toString(value).toLowerCase(Locale.ROOT).replace(".0e", "e");
    }

    /// Text as a YAML scalar: plain where nothing could take it for something else, in double quotes elsewhere.
    static String quoted(String text) {
        if (PLAIN.matcher(text).matches() && !RESERVED.matcher(text).matches()) {
            return text;
        }
        StringBuilder quoted = new StringBuilder("\"");
        text.codePoints().forEach(c -> {
            switch (c) {
                case '"' -> quoted.append("\\\"");
                case '\\' -> quoted.append("\\\\");
                case '\n' -> quoted.append("\\n");
                case '\t' -> quoted.append("\\t");
                default -> {
                    if (c >= ' ' && c <= '~' || Character.isLetterOrDigit(c)) {
                        quoted.appendCodePoint(c);
                    } else {
                        quoted.append(String.format(Locale.ROOT, c > 0xFFFF ? "\\U%08x" : "\\u%04x", c));
                    }
                }
            }
        });
        return quoted.append('"').toString();
    }

    /// Adds the paths in a value, by their dotted keys.
    static void paths(String key, Object value, Map<String, Path> found) {
        switch (value) {
            case Path path -> found.put(key, path);
            case Optional<?> optional -> optional.ifPresent(inner -> paths(key, inner, found));
            case List<?> list -> {
                for (int i = 0; i < list.size(); i++) {
                    paths(key + "[" + i + "]", list.get(i), found);
                }
            }
            case Record record -> {
                String prefix = key.isEmpty() ? "" : key + ".";
                for (RecordComponent component : record.getClass().getRecordComponents()) {
                    paths(prefix + Names.snake(component.getName()), valueOf(component, record), found);
                }
            }
            default -> {}
        }
    }

    private static Object valueOf(RecordComponent component, Record record) {
        try {
            Method accessor = component.getAccessor();
            accessor.setAccessible(true);
            return accessor.invoke(record);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException("the accessor " + component + " failed", e.getCause());
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("the accessor " + component + " cannot be called", e);
        }
    }
}

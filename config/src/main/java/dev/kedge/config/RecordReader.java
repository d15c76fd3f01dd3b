package dev.kedge.config;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/// Reads YAML into records by their components.
///
/// Here and in [RecordWriter] reflection is used, and nowhere else in this room: the record is then the only list of a
/// recipe's keys, their types and their order, and a key cannot be read but forgotten in the written configuration.
final class RecordReader {
    private static final Pattern WORD = Pattern.compile("[A-Za-z][A-Za-z0-9_]*");

    private RecordReader() {}

    /// @param besides keys that stand beside the record's own and were taken out
    static <R extends Record> R read(Class<R> type, MappingNode mapping, List<String> besides) {
        return type.cast(record(type, mapping, mapping, "", besides));
    }

    private static Object record(Class<?> type, MappingNode mapping, Node place, String path) {
        return record(type, mapping, place, path, List.of());
    }

    /// @param place where to report what the record's constructor refuses: its key, or the mapping itself
    private static Object record(Class<?> type, MappingNode mapping, Node place, String path, List<String> besides) {
        Map<String, NodeTuple> entries = entries(mapping, path);
        RecordComponent[] components = type.getRecordComponents();
        List<String> valid = Arrays.stream(components)
                .map(component -> Names.snake(component.getName()))
                .toList();
        for (var entry : entries.entrySet()) {
            if (!valid.contains(entry.getKey())) {
                throw Yaml.error(
                        entry.getValue().getKeyNode(),
                        "unknown key `" + path + entry.getKey() + "`"
                                + Names.advice(
                                        entry.getKey(),
                                        Stream.concat(valid.stream(), besides.stream())
                                                .toList()));
            }
        }
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            NodeTuple entry = entries.get(valid.get(i));
            String key = path + valid.get(i);
            if (entry == null) {
                values[i] = absent(components[i], mapping, key);
            } else {
                values[i] = value(components[i].getGenericType(), entry.getValueNode(), key);
            }
        }
        return construct(type, values, entries, place);
    }

    private static Map<String, NodeTuple> entries(MappingNode mapping, String path) {
        Map<String, NodeTuple> entries = new LinkedHashMap<>();
        for (NodeTuple entry : mapping.getValue()) {
            String key = Yaml.key(entry);
            NodeTuple first = entries.putIfAbsent(key, entry);
            if (first != null) {
                String line = first.getKeyNode()
                        .getStartMark()
                        .map(mark -> ", first on line " + (mark.getLine() + 1))
                        .orElse("");
                throw Yaml.error(entry.getKeyNode(), "the key `" + path + key + "` is there twice" + line);
            }
        }
        return entries;
    }

    private static Object absent(RecordComponent component, MappingNode mapping, String key) {
        if (component.getType() == Optional.class) {
            return Optional.empty();
        }
        throw Yaml.error(mapping, "the key `" + key + "` is missing");
    }

    private static Object value(Type type, Node node, String key) {
        if (type instanceof ParameterizedType generic) {
            Type of = generic.getActualTypeArguments()[0];
            if (generic.getRawType() == Optional.class) {
                return isNull(node) ? Optional.empty() : Optional.of(value(of, node, key));
            }
            if (generic.getRawType() == List.class) {
                return list(of, node, key);
            }
        } else if (type instanceof Class<?> c) {
            if (c.isRecord()) {
                return record(c, mapping(node, key), node, key + ".");
            }
            return c.isSealed() ? variant(c, mapping(node, key), key) : scalar(c, node, key);
        }
        throw new IllegalArgumentException("the component of key " + key + " has the unsupported type " + type);
    }

    private static boolean isNull(Node node) {
        return node instanceof ScalarNode && node.getTag().equals(Tag.NULL);
    }

    private static MappingNode mapping(Node node, String key) {
        if (node instanceof MappingNode mapping) {
            return mapping;
        }
        throw wrong(node, key, "a mapping of keys");
    }

    private static List<Object> list(Type of, Node node, String key) {
        if (!(node instanceof SequenceNode sequence)) {
            throw wrong(node, key, "a list, such as [a, b]");
        }
        List<Object> values = new ArrayList<>();
        for (Node element : sequence.getValue()) {
            values.add(value(of, element, key + "[" + values.size() + "]"));
        }
        return List.copyOf(values);
    }

    /// One of the records of a sealed interface, chosen by the key `kind`.
    private static Object variant(Class<?> sealed, MappingNode mapping, String key) {
        Map<String, Class<?>> kinds = new LinkedHashMap<>();
        for (Class<?> permitted : sealed.getPermittedSubclasses()) {
            kinds.put(Names.kind(permitted), permitted);
        }
        List<NodeTuple> rest = new ArrayList<>(mapping.getValue());
        NodeTuple kind = rest.stream()
                .filter(entry -> Yaml.key(entry).equals("kind"))
                .findFirst()
                .orElseThrow(
                        () -> Yaml.error(mapping, "the key `" + key + ".kind` is missing" + choice(kinds.keySet())));
        String name = text(kind.getValueNode(), key + ".kind", "the name of a kind");
        if (!kinds.containsKey(name)) {
            throw Yaml.error(
                    kind.getValueNode(),
                    "`" + key + ".kind` cannot be \"" + Yaml.oneLine(name) + "\"" + Names.advice(name, kinds.keySet()));
        }
        rest.remove(kind);
        MappingNode others = new MappingNode(
                mapping.getTag(), true, rest, mapping.getFlowStyle(), mapping.getStartMark(), mapping.getEndMark());
        return record(kinds.get(name), others, mapping, key + ".");
    }

    private static String choice(Iterable<String> names) {
        return "; valid here: `" + String.join("`, `", names) + "`";
    }

    private static Object scalar(Class<?> type, Node node, String key) {
        if (type == double.class || type == Double.class) {
            return number(node, key);
        }
        if (type == long.class || type == Long.class) {
            return whole(node, key, Long.MIN_VALUE, Long.MAX_VALUE);
        }
        if (type == int.class || type == Integer.class) {
            return (int) whole(node, key, Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
        if (type == boolean.class || type == Boolean.class) {
            return plain(node)
                    .filter(text -> node.getTag().equals(Tag.BOOL))
                    .map(Boolean::valueOf)
                    .orElseThrow(() -> wrong(node, key, "true or false"));
        }
        if (type == String.class) {
            return text(node, key, "text");
        }
        if (type == Path.class) {
            return path(node, key);
        }
        if (type.isEnum()) {
            return constant(type, node, key);
        }
        throw new IllegalArgumentException("the component of key " + key + " has the unsupported type " + type);
    }

    private static double number(Node node, String key) {
        return plain(node).flatMap(Numbers::real).orElseThrow(() -> wrong(node, key, "a number"));
    }

    private static long whole(Node node, String key, long least, long most) {
        long number = plain(node).flatMap(Numbers::whole).orElseThrow(() -> wrong(node, key, "a whole number"));
        if (number < least || number > most) {
            throw wrong(node, key, "a whole number from " + least + " to " + most);
        }
        return number;
    }

    private static Optional<String> plain(Node node) {
        return node instanceof ScalarNode s && s.isPlain() ? Optional.of(s.getValue()) : Optional.empty();
    }

    /// Any scalar but null: a folder may be called 2024, an enum constant `no` or `on`.
    private static String text(Node node, String key, String expected) {
        if (node instanceof ScalarNode scalar && !isNull(node)) {
            return scalar.getValue();
        }
        throw wrong(node, key, expected);
    }

    private static Path path(Node node, String key) {
        String text = text(node, key, "a path");
        if (text.isBlank()) {
            throw wrong(node, key, "a path");
        }
        try {
            return Path.of(text).toAbsolutePath();
        } catch (InvalidPathException e) {
            throw Yaml.error(node, "`" + key + "` is not a path: " + Yaml.oneLine(e.getMessage()));
        }
    }

    private static Object constant(Class<?> type, Node node, String key) {
        List<String> valid = new ArrayList<>();
        String text = text(node, key, "one of a few names");
        for (Object constant : type.getEnumConstants()) {
            valid.add(Names.snake(((Enum<?>) constant).name()));
            if (valid.getLast().equals(text)) {
                return constant;
            }
        }
        throw Yaml.error(node, "`" + key + "` cannot be \"" + Yaml.oneLine(text) + "\"" + Names.advice(text, valid));
    }

    private static ConfigException wrong(Node node, String key, String expected) {
        return Yaml.error(node, "`" + key + "` must be " + expected + ", was " + Yaml.describe(node));
    }

    private static Object construct(Class<?> type, Object[] values, Map<String, NodeTuple> entries, Node place) {
        try {
            Class<?>[] types = Arrays.stream(type.getRecordComponents())
                    .map(RecordComponent::getType)
                    .toArray(Class<?>[]::new);
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            constructor.setAccessible(true);
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof IllegalArgumentException refused) {
                String message = String.valueOf(refused.getMessage());
                throw Yaml.error(culprit(message, entries, place), message);
            }
            throw new IllegalStateException("the constructor of " + type.getName() + " failed", e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the constructor of " + type.getName() + " cannot be called", e);
        }
    }

    /// The value that a constructor's message speaks of: an overridden one among the keys that it names, at any depth,
    /// else the component named first, else the whole record.
    private static Node culprit(String message, Map<String, NodeTuple> entries, Node place) {
        Map<String, Integer> named = new LinkedHashMap<>();
        WORD.matcher(message).results().forEach(word -> named.putIfAbsent(Names.snake(word.group()), word.start()));
        Optional<Node> overridden = overridden(entries.values(), named.keySet());
        return overridden.orElseGet(() -> entries.entrySet().stream()
                .filter(entry -> named.containsKey(entry.getKey()))
                .min(Comparator.comparing(entry -> named.get(entry.getKey())))
                .map(entry -> entry.getValue().getValueNode())
                .orElse(place));
    }

    private static Optional<Node> overridden(Collection<NodeTuple> entries, Set<String> keys) {
        for (NodeTuple entry : entries) {
            Node value = entry.getValueNode();
            if (keys.contains(Yaml.key(entry)) && Yaml.isOverride(value)) {
                return Optional.of(value);
            }
            if (value instanceof MappingNode mapping) {
                Optional<Node> deeper = overridden(mapping.getValue(), keys);
                if (deeper.isPresent()) {
                    return deeper;
                }
            }
        }
        return Optional.empty();
    }
}

package dev.kedge.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/// YAML 1.2 as a tree whose nodes know where they stand. No node is ever turned into an object by its tag, so a file
/// cannot run code.
final class Yaml {
    /// Nodes of an override carry this in place of a file's name, so that errors name the override.
    private static final String OVERRIDE = "override ";

    private Yaml() {}

    /// The only document of a text; its outermost node must be a mapping.
    static MappingNode parse(String label, String text) {
        Node root = compose(label, text)
                .orElseThrow(() -> new ConfigException(label + ": is empty; its first key must be `recipe`"));
        if (root instanceof MappingNode mapping) {
            return mapping;
        }
        throw error(root, "must be `key: value` lines, is " + describe(root));
    }

    private static Optional<Node> compose(String label, String text) {
        LoadSettings settings = LoadSettings.builder()
                .setLabel(label)
                .setSchema(new CoreSchema())
                .build();
        try {
            return new Compose(settings).composeString(text);
        } catch (MarkedYamlEngineException e) {
            String place = e.getProblemMark().map(Yaml::place).orElse(label);
            throw new ConfigException(place + ": not valid YAML: " + oneLine(e.getProblem()), e);
        } catch (YamlEngineException e) {
            throw new ConfigException(label + ": not valid YAML: " + oneLine(e.getMessage()), e);
        }
    }

    /// A copy of the tree in which the value of `a.b=value` stands at its place, or of `a[0].b=value`, counted from 0.
    static MappingNode override(MappingNode root, String override) {
        String label = OVERRIDE + oneLine(override);
        int equals = override.indexOf('=');
        String path = equals < 0 ? "" : override.substring(0, equals).strip();
        if (path.isEmpty()) {
            throw new ConfigException(label + ": must be key=value, such as beta=0.1 or optimizer.learning_rate=1e-3");
        }
        if (path.equals("recipe")) {
            throw new ConfigException(label + ": the recipe is chosen by the file; open another file instead");
        }
        Node value = compose(label, override.substring(equals + 1)).orElseGet(() -> scalar(label, Tag.NULL, ""));
        return with(
                root, List.of(path.replaceAll("(?<=.)(\\[[0-9]{1,9}])", ".$1").split("\\.", -1)), value, label);
    }

    private static MappingNode with(MappingNode mapping, List<String> path, Node value, String label) {
        List<NodeTuple> entries = new ArrayList<>();
        boolean found = false;
        for (NodeTuple entry : mapping.getValue()) {
            boolean here = key(entry).equals(path.getFirst());
            found |= here;
            Node key = entry.getKeyNode();
            entries.add(here ? new NodeTuple(key, replaced(entry.getValueNode(), path, value, label)) : entry);
        }
        if (!found) {
            MappingNode none = new MappingNode(Tag.MAP, true, List.of(), FlowStyle.BLOCK, mark(value), mark(value));
            Node key = scalar(label, Tag.STR, path.getFirst());
            entries.add(new NodeTuple(key, path.size() == 1 ? value : with(none, rest(path), value, label)));
        }
        return new MappingNode(
                Tag.MAP, true, entries, mapping.getFlowStyle(), mapping.getStartMark(), mapping.getEndMark());
    }

    private static Node replaced(Node old, List<String> path, Node value, String label) {
        if (path.size() == 1) {
            return value;
        }
        if (old instanceof MappingNode mapping) {
            return with(mapping, rest(path), value, label);
        }
        if (old instanceof SequenceNode list && isIndex(path.get(1))) {
            return with(list, rest(path), value, label);
        }
        throw new ConfigException(
                label + ": `" + path.getFirst() + "` has no keys, it is " + describe(old) + "; give it as a whole");
    }

    private static boolean isIndex(String key) {
        return key.startsWith("[");
    }

    private static SequenceNode with(SequenceNode list, List<String> path, Node value, String label) {
        int index =
                Integer.parseInt(path.getFirst().substring(1, path.getFirst().length() - 1));
        List<Node> elements = new ArrayList<>(list.getValue());
        if (index >= elements.size()) {
            throw new ConfigException(label + ": the list has " + elements.size() + " elements, counted from 0");
        }
        elements.set(index, replaced(elements.get(index), path, value, label));
        return new SequenceNode(Tag.SEQ, true, elements, list.getFlowStyle(), list.getStartMark(), list.getEndMark());
    }

    private static List<String> rest(List<String> path) {
        return path.subList(1, path.size());
    }

    private static Optional<Mark> mark(Node node) {
        return node.getStartMark();
    }

    private static ScalarNode scalar(String label, Tag tag, String text) {
        Optional<Mark> mark = Optional.of(new Mark(label, 0, 0, 0, new int[0], 0));
        return new ScalarNode(tag, true, text, ScalarStyle.PLAIN, mark, mark);
    }

    /// The scalars of a tree by their dotted keys, in order.
    static Map<String, String> leaves(MappingNode root) {
        Map<String, String> leaves = new LinkedHashMap<>();
        gather(leaves, "", root);
        return leaves;
    }

    private static void gather(Map<String, String> leaves, String path, Node node) {
        switch (node) {
            case MappingNode mapping -> {
                String prefix = path.isEmpty() ? "" : path + ".";
                mapping.getValue().forEach(entry -> gather(leaves, prefix + key(entry), entry.getValueNode()));
            }
            case SequenceNode list -> {
                leaves.put(path, "a list of " + list.getValue().size());
                for (int i = 0; i < list.getValue().size(); i++) {
                    gather(leaves, path + "[" + i + "]", list.getValue().get(i));
                }
            }
            case ScalarNode scalar -> leaves.put(path, scalar.getValue());
            default -> throw error(node, "is neither a mapping, a list nor a value");
        }
    }

    /// The text of an entry's key.
    static String key(NodeTuple entry) {
        if (entry.getKeyNode() instanceof ScalarNode scalar) {
            return scalar.getValue();
        }
        throw error(entry.getKeyNode(), "a key must be a name, is " + describe(entry.getKeyNode()));
    }

    static ConfigException error(Node node, String message) {
        return new ConfigException(mark(node).map(Yaml::place).orElse("?") + ": " + message);
    }

    static boolean isOverride(Node node) {
        return mark(node).map(mark -> mark.getName().startsWith(OVERRIDE)).orElse(false);
    }

    private static String place(Mark mark) {
        return mark.getName().startsWith(OVERRIDE)
                ? mark.getName()
                : mark.getName() + ":" + (mark.getLine() + 1) + ":" + (mark.getColumn() + 1);
    }

    /// What stands there, in words, for "must be a number, was ...".
    static String describe(Node node) {
        return switch (node) {
            case MappingNode _ -> "a mapping of keys";
            case SequenceNode list -> "a list of " + list.getValue().size();
            case ScalarNode s when s.getTag().equals(Tag.NULL) -> "nothing";
            case ScalarNode s when s.getTag().equals(Tag.STR) -> "the text \"" + oneLine(s.getValue()) + "\"";
            case ScalarNode s when s.getTag().equals(Tag.BOOL) -> "the boolean " + s.getValue();
            case ScalarNode s
            when s.getTag().equals(Tag.INT) || s.getTag().equals(Tag.FLOAT) -> "the number " + s.getValue();
            default -> "something tagged " + node.getTag();
        };
    }

    static String oneLine(String text) {
        String line = text.strip().replaceAll("\\p{C}+", " ");
        return line.length() > 80 ? line.substring(0, 80) + "..." : line;
    }
}

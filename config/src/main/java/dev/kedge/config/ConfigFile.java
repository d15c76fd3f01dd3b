package dev.kedge.config;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Predicate;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/// A recipe file: YAML 1.2 whose first key, `recipe`, names the recipe and whose other keys are the components of that
/// recipe's configuration record, in snake_case. One more key is every recipe's: `portable`, see [#portable()].
///
/// ```java
/// ConfigFile file = ConfigFile.open(Path.of("recipes/dpo.yaml"), List.of("beta=0.2", "optimizer.learning_rate=1e-4"));
/// switch (file.recipe()) {
///     case "dpo" -> DpoRecipe.run(file.as(DpoRecipe.Config.class), run);
///     default -> throw file.unknownRecipe(List.of("dpo"));
/// }
/// ```
///
/// Components may be numbers, booleans, strings, [Path]s, enums (constants in lower case), records, lists of these,
/// sealed interfaces of records (a key `kind` names the record), and [java.util.Optional]s of these: only an Optional's
/// key may be absent or null. A whole number may be written 1e4 or 10_000; a fraction is never rounded to one. A
/// path is one from the working directory; it is read and written as an absolute one, which means the same from
/// anywhere.
public final class ConfigFile {
    private static final String RECIPE = "recipe";
    private static final String PORTABLE = "portable";

    private final MappingNode root;
    private final ScalarNode recipe;
    private final Engine engine;

    /// How the engine is to compute, whatever the recipe.
    private record Engine(Optional<Boolean> portable) {}

    private ConfigFile(MappingNode root) {
        this.root = root;
        NodeTuple first = root.getValue().isEmpty() ? null : root.getValue().getFirst();
        if (first == null || !Yaml.key(first).equals(RECIPE)) {
            throw Yaml.error(root, "the first key must be `recipe`, such as `recipe: dpo`");
        }
        if (!(first.getValueNode() instanceof ScalarNode name)
                || name.getValue().isBlank()) {
            throw Yaml.error(
                    first.getValueNode(),
                    "`recipe` must be the name of a recipe, was " + Yaml.describe(first.getValueNode()));
        }
        recipe = name;
        engine = RecordReader.read(Engine.class, keys(PORTABLE::equals), List.of());
        if (portable()) {
            requireOnly("threads", "1");
            requireOnly("device", "cpu");
        }
    }

    /// What a key must be where the kernels are portable; a recipe may not have it.
    private void requireOnly(String key, String value) {
        for (NodeTuple entry : keys(key::equals).getValue()) {
            if (!(entry.getValueNode() instanceof ScalarNode scalar)
                    || !scalar.getValue().equals(value)) {
                throw Yaml.error(
                        entry.getValueNode(),
                        "`" + key + "` must be " + value + " where `portable` is true, was "
                                + Yaml.describe(entry.getValueNode()));
            }
        }
    }

    /// The file without `recipe` and all other keys.
    private MappingNode keys(Predicate<String> wanted) {
        List<NodeTuple> keys = root.getValue().stream()
                .skip(1)
                .filter(entry -> wanted.test(Yaml.key(entry)))
                .toList();
        return new MappingNode(root.getTag(), true, keys, root.getFlowStyle(), root.getStartMark(), root.getEndMark());
    }

    /// Reads a recipe file.
    ///
    /// @param overrides `key=value` each, the key dotted (`optimizer.learning_rate`), the value as in YAML; the
    ///                  last one of a key counts
    /// @throws ConfigException if the file cannot be read or is not YAML, or an override has no place in it
    public static ConfigFile open(Path file, List<String> overrides) {
        try {
            return parse(file.toString(), Files.readString(file), overrides);
        } catch (NoSuchFileException e) {
            throw new ConfigException(file + ": no such file", e);
        } catch (MalformedInputException e) {
            throw new ConfigException(file + ": is not UTF-8 text", e);
        } catch (IOException e) {
            throw new ConfigException(file + ": cannot be read: " + e, e);
        }
    }

    /// Reads the text of a recipe file.
    ///
    /// @param name stands for the file in messages
    /// @throws ConfigException as [#open] does
    public static ConfigFile parse(String name, String text, List<String> overrides) {
        MappingNode root = Yaml.parse(name, text);
        for (String override : overrides) {
            root = Yaml.override(root, override);
        }
        return new ConfigFile(root);
    }

    /// The value of the key `recipe`.
    public String recipe() {
        return recipe.getValue();
    }

    /// Whether the run is to compute with kernels that are the same on every processor: the key `portable`, false
    /// where it is absent.
    public boolean portable() {
        return engine.portable().orElse(false);
    }

    /// What to throw where no recipe has the name [#recipe]: it names the file, the line and the nearest of `known`.
    public ConfigException unknownRecipe(Collection<String> known) {
        return Yaml.error(recipe, "unknown recipe `" + recipe() + "`" + Names.advice(recipe(), known));
    }

    /// The keys other than `recipe` and `portable` as a record.
    ///
    /// @throws ConfigException if a key is unknown, missing or twice there, or a value has the wrong type, or the
    ///     record's constructor refuses it with an [IllegalArgumentException]
    public <R extends Record> R as(Class<R> type) {
        return RecordReader.read(type, keys(key -> !key.equals(PORTABLE)), List.of(PORTABLE));
    }

    /// The first key in which two texts of the same configuration differ, with both values.
    public static Optional<String> difference(String there, String here) {
        Map<String, String> theirs = Yaml.leaves(Yaml.parse("there", there));
        Map<String, String> ours = Yaml.leaves(Yaml.parse("here", here));
        Set<String> keys = new LinkedHashSet<>(ours.keySet());
        keys.addAll(theirs.keySet());
        return keys.stream()
                .filter(key -> !Objects.equals(theirs.get(key), ours.get(key)))
                .map(key -> "`" + key + "` is " + theirs.getOrDefault(key, "absent") + " there, "
                        + ours.getOrDefault(key, "absent") + " here")
                .findFirst();
    }

    /// The files and folders that a configuration names, by their dotted keys, in the order of the components.
    public static SequencedMap<String, Path> paths(Record config) {
        SequencedMap<String, Path> paths = new LinkedHashMap<>();
        RecordWriter.paths("", config, paths);
        return paths;
    }

    /// The text of a recipe file that reads back as a record equal to `config`, its paths made absolute: every key, in
    /// the order of the components.
    public static String text(String recipe, Record config) {
        return RECIPE + ": " + RecordWriter.quoted(recipe) + "\n" + RecordWriter.write(config);
    }

    /// The same, which says too whether the run is [#portable()].
    public static String text(String recipe, Record config, boolean portable) {
        return text(recipe, config) + PORTABLE + ": " + portable + "\n";
    }
}

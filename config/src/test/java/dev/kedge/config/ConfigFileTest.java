package dev.kedge.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigFileTest {
    enum Shape {
        CONSTANT,
        COSINE_DECAY,
        NO,
        ON
    }

    record Optimizer(double learningRate, int warmupSteps, Shape shape) {
        Optimizer {
            if (!(learningRate > 0)) {
                throw new IllegalArgumentException("learningRate must be > 0, was " + learningRate);
            }
        }
    }

    record Config(
            Path model,
            double beta,
            long steps,
            boolean shuffle,
            String name,
            List<Double> betas,
            Optional<Integer> limit,
            Optimizer optimizer) {
        Config {
            if (!(beta > 0)) {
                throw new IllegalArgumentException("beta must be > 0, was " + beta);
            }
            if (optimizer.warmupSteps() > steps) {
                throw new IllegalArgumentException("steps must be at least warmup_steps, was " + steps);
            }
            if (betas.isEmpty() && limit.isEmpty()) {
                throw new IllegalArgumentException("nothing to sweep");
            }
        }
    }

    private static final String GOOD = """
            recipe: dpo
            model: models/tiny
            beta: 0.1
            steps: 100
            shuffle: true
            name: first
            betas: [0.1, 1, 1e-4]
            optimizer:
              learning_rate: 1e-3
              warmup_steps: 10
              shape: cosine_decay
            """;

    private static Config read(String yaml, String... overrides) {
        return ConfigFile.parse("dpo.yaml", yaml, List.of(overrides)).as(Config.class);
    }

    private static String error(String yaml, String... overrides) {
        return assertThrows(ConfigException.class, () -> read(yaml, overrides)).getMessage();
    }

    private static String errorWith(String line, String other) {
        assertTrue(GOOD.contains(line), line);
        return error(GOOD.replace(line, other));
    }

    @Test
    void readsEveryKindOfComponent() {
        assertEquals(
                new Config(
                        Path.of("models/tiny").toAbsolutePath(),
                        0.1,
                        100,
                        true,
                        "first",
                        List.of(0.1, 1.0, 1e-4),
                        Optional.empty(),
                        new Optimizer(1e-3, 10, Shape.COSINE_DECAY)),
                read(GOOD));
        assertEquals("dpo", ConfigFile.parse("dpo.yaml", GOOD, List.of()).recipe());
    }

    /// The key of every recipe that no record has.
    @Test
    void portableStandsBesideTheRecord() {
        ConfigFile absent = ConfigFile.parse("dpo.yaml", GOOD, List.of());
        assertFalse(absent.portable());
        ConfigFile portable = ConfigFile.parse("dpo.yaml", GOOD, List.of("portable=true"));
        assertTrue(portable.portable());
        assertEquals(absent.as(Config.class), portable.as(Config.class));
        String text = ConfigFile.text("dpo", portable.as(Config.class), true);
        assertTrue(ConfigFile.parse("text", text, List.of()).portable());
        assertFalse(ConfigFile.parse("text", text, List.of("portable=false")).portable());
        assertEquals(
                "dpo.yaml:12:11: `portable` must be true or false, was the text \"yes\"",
                error(GOOD + "portable: yes\n"));
        assertEquals(
                "dpo.yaml:13:1: the key `portable` is there twice, first on line 12",
                error(GOOD + "portable: true\nportable: true\n"));
        assertEquals(
                "dpo.yaml:12:1: unknown key `portabel`; did you mean `portable`? valid here: `model`, `beta`, `steps`, "
                        + "`shuffle`, `name`, `betas`, `limit`, `optimizer`, `portable`",
                error(GOOD + "portabel: true\n"));
    }

    @Test
    void portableGoesWithOneThreadOfTheProcessor() {
        assertEquals(
                "dpo.yaml:12:10: `threads` must be 1 where `portable` is true, was the number 4",
                error(GOOD + "threads: 4\n", "portable=true"));
        assertEquals(
                "override device=cuda: `device` must be cpu where `portable` is true, was the text \"cuda\"",
                error(GOOD + "portable: true\ndevice: cpu\nthreads: 1\n", "device=cuda"));
        assertTrue(ConfigFile.parse("dpo.yaml", GOOD + "portable: true\ndevice: cpu\nthreads: 1\n", List.of())
                .portable());
    }

    @Test
    void anUnknownKeyIsNamedWithItsPlaceAndTheNearestValidOne() {
        assertEquals(
                "dpo.yaml:3:1: unknown key `bta`; did you mean `beta`? valid here: "
                        + "`model`, `beta`, `steps`, `shuffle`, `name`, `betas`, `limit`, `optimizer`, `portable`",
                errorWith("beta: 0.1", "bta: 0.1"));
        assertEquals(
                "dpo.yaml:9:3: unknown key `optimizer.learningrate`; did you mean `learning_rate`? valid here: "
                        + "`learning_rate`, `warmup_steps`, `shape`",
                errorWith("learning_rate:", "learningrate:"));
        assertEquals(
                "dpo.yaml:3:1: unknown key `quite_different`; valid here: "
                        + "`model`, `beta`, `steps`, `shuffle`, `name`, `betas`, `limit`, `optimizer`, `portable`",
                errorWith("beta: 0.1", "quite_different: 0.1"));
    }

    @Test
    void aMissingKeyIsNamedWithTheMappingItIsMissingFrom() {
        assertEquals("dpo.yaml:1:1: the key `beta` is missing", errorWith("beta: 0.1\n", ""));
        assertEquals(
                "dpo.yaml:9:3: the key `optimizer.warmup_steps` is missing", errorWith("  warmup_steps: 10\n", ""));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    beta: 0.1 | beta: abc | 3:7: ~beta~ must be a number, was the text "abc"
                    beta: 0.1 | beta: "0.1" | 3:7: ~beta~ must be a number, was the text "0.1"
                    beta: 0.1 | beta: [1] | 3:7: ~beta~ must be a number, was a list of 1
                    beta: 0.1 | beta: true | 3:7: ~beta~ must be a number, was the boolean true
                    beta: 0.1 | beta: | 3:6: ~beta~ must be a number, was nothing
                    beta: 0.1 | beta: {a: 1} | 3:7: ~beta~ must be a number, was a mapping of keys
                    beta: 0.1 | beta: !!a.B x | 3:7: ~beta~ must be a number, was something tagged tag:yaml.org,2002:a.B
                    steps: 100 | steps: 1.5 | 4:8: ~steps~ must be a whole number, was the number 1.5
                    steps: 100 | steps: 1e999999999 | 4:8: ~steps~ must be a whole number, was the number 1e999999999
                    steps: 100 | steps: 1e19 | 4:8: ~steps~ must be a whole number, was the number 1e19
                    shuffle: true | shuffle: yes | 5:10: ~shuffle~ must be true or false, was the text "yes"
                    name: first | name: [a] | 6:7: ~name~ must be text, was a list of 1
                    name: first | name: ~ | 6:7: ~name~ must be text, was nothing
                    betas: [0.1, | betas: [x, | 7:9: ~betas[0]~ must be a number, was the text "x"
                    betas: [0.1, 1, 1e-4] | betas: 0.1 | 7:8: ~betas~ must be a list, such as [a, b], was the number 0.1
                    """)
    void aWrongTypeSaysWhatWasFoundAndWhatIsExpected(String line, String other, String message) {
        assertEquals("dpo.yaml:" + message.replace('~', '`'), errorWith(line, other));
    }

    @Test
    void aNumberBeyond32BitsIsRefusedWithTheRange() {
        assertEquals(
                "dpo.yaml:10:17: `optimizer.warmup_steps` must be a whole number from -2147483648 to 2147483647, "
                        + "was the number 2147483648",
                errorWith("warmup_steps: 10", "warmup_steps: 2147483648"));
    }

    @Test
    void anUnknownNameOfAnEnumIsAnsweredWithTheValidOnes() {
        String valid = "valid here: `constant`, `cosine_decay`, `no`, `on`";
        assertEquals(
                "dpo.yaml:11:10: `optimizer.shape` cannot be \"cosine\"; " + valid,
                errorWith("shape: cosine_decay", "shape: cosine"));
        assertEquals(
                "dpo.yaml:11:10: `optimizer.shape` cannot be \"constnt\"; did you mean `constant`? " + valid,
                errorWith("shape: cosine_decay", "shape: constnt"));
    }

    @ParameterizedTest
    @CsvSource({
        "1e-4, 1e-4",
        "1e4, 1e4",
        "1E+4, 1e4",
        ".5, 0.5",
        "7, 7",
        "-0.0, -0.0",
        "1_000.5, 1000.5",
        "0x10, 16",
        ".inf, Infinity",
        "12., 12"
    })
    void numbersAreThoseOfYaml12(String text, double value) {
        record One(double x) {}
        assertEquals(
                new One(value),
                ConfigFile.parse("a", "recipe: r\nx: " + text, List.of()).as(One.class));
    }

    @ParameterizedTest
    @CsvSource({
        "1e4, 10000",
        "10_000, 10000",
        "100.0, 100",
        "-3, -3",
        "0e999999999, 0",
        "9223372036854775807, 9223372036854775807"
    })
    void wholeNumbersMayBeWrittenAsAnyNumber(String text, long value) {
        record One(long x) {}
        assertEquals(
                new One(value),
                ConfigFile.parse("a", "recipe: r\nx: " + text, List.of()).as(One.class));
    }

    @ParameterizedTest
    @CsvSource({"no, NO", "on, ON"})
    void noAndOnAreNamesNotBooleans(String text, Shape shape) {
        assertEquals(
                shape,
                read(GOOD.replace("shape: cosine_decay", "shape: " + text))
                        .optimizer()
                        .shape());
    }

    @Test
    void whatAConstructorRefusesIsReportedAtTheValueItNames() {
        assertEquals("dpo.yaml:3:7: beta must be > 0, was -1.0", errorWith("beta: 0.1", "beta: -1"));
        assertEquals(
                "dpo.yaml:9:18: learningRate must be > 0, was 0.0",
                errorWith("learning_rate: 1e-3", "learning_rate: 0"));
        assertEquals("dpo.yaml:4:8: steps must be at least warmup_steps, was 5", errorWith("steps: 100", "steps: 5"));
        assertEquals("dpo.yaml:1:1: nothing to sweep", errorWith("betas: [0.1, 1, 1e-4]", "betas: []"));
    }

    @Test
    void aKeyThatIsThereTwiceIsRefused() {
        assertEquals(
                "dpo.yaml:4:1: the key `beta` is there twice, first on line 3",
                errorWith("beta: 0.1\n", "beta: 0.1\nbeta: 0.2\n"));
    }

    record Teacher(Path folder) {}

    record Sources(Path model, Optional<Path> original, List<Path> data, List<Teacher> teachers, String name) {}

    /// What a configuration names means the same from any directory.
    @Test
    void pathsAreReadAndWrittenAsAbsoluteOnes() {
        Path here = Path.of("").toAbsolutePath();
        var relative = new Sources(
                Path.of("m"),
                Optional.of(Path.of("../o")),
                List.of(Path.of("a"), Path.of("b")),
                List.of(new Teacher(Path.of("t"))),
                "m");
        var absolute = new Sources(
                here.resolve("m"),
                Optional.of(here.resolve("../o")),
                List.of(here.resolve("a"), here.resolve("b")),
                List.of(new Teacher(here.resolve("t"))),
                "m");
        String yaml = """
                recipe: x
                model: m
                original: ../o
                data: [a, b]
                teachers: [{folder: t}]
                name: m
                """;
        assertEquals(absolute, ConfigFile.parse("x.yaml", yaml, List.of()).as(Sources.class));
        assertEquals(
                new Sources(here.resolve("n"), Optional.empty(), absolute.data(), absolute.teachers(), "m"),
                ConfigFile.parse("x.yaml", yaml, List.of("model=n", "original="))
                        .as(Sources.class));
        assertEquals(ConfigFile.text("x", absolute), ConfigFile.text("x", relative));
        assertEquals(
                Map.of(
                        "model", absolute.model(),
                        "original", absolute.original().orElseThrow(),
                        "data[0]", here.resolve("a"),
                        "data[1]", here.resolve("b"),
                        "teachers[0].folder", here.resolve("t")),
                ConfigFile.paths(absolute));
    }

    @Test
    void overridesReplaceValuesAndTheLastOneCounts() {
        Config config = read(
                GOOD,
                "beta=9",
                "beta=0.3",
                "optimizer.learning_rate=1e-2",
                "model=/data/a=b",
                "betas=[0.1,0.3]",
                "limit=5",
                "name=a b");
        assertEquals(0.3, config.beta());
        assertEquals(1e-2, config.optimizer().learningRate());
        assertEquals(10, config.optimizer().warmupSteps());
        assertEquals(Path.of("/data/a=b"), config.model());
        assertEquals(List.of(0.1, 0.3), config.betas());
        assertEquals(Optional.of(5), config.limit());
        assertEquals("a b", config.name());
        assertEquals(Optional.empty(), read(GOOD, "limit=5", "limit=").limit());
    }

    /// Elements of lists are counted from 0, and their keys can be reached.
    @Test
    void overridesReachIntoLists() {
        record Several(List<Optimizer> all) {}
        assertEquals(List.of(0.1, 7.0, 1e-4), read(GOOD, "betas[1]=7").betas());
        String yaml = "recipe: r\nall:\n  - {learning_rate: 1, warmup_steps: 1, shape: no}\n"
                + "  - {learning_rate: 2, warmup_steps: 1, shape: no}\n";
        Several several =
                ConfigFile.parse("r", yaml, List.of("all[1].warmup_steps=7")).as(Several.class);
        assertEquals(1, several.all().getFirst().warmupSteps());
        assertEquals(new Optimizer(2, 7, Shape.NO), several.all().get(1));
        assertEquals("override betas[3]=1: the list has 3 elements, counted from 0", error(GOOD, "betas[3]=1"));
        assertTrue(error(GOOD, "beta[0]=1").startsWith("override beta[0]=1: `beta` has no keys"));
        assertTrue(error(GOOD, "bets[0]=1").startsWith("override bets[0]=1: unknown key `bets`"));
    }

    @Test
    void overridesMayMakeAWholeMapping() {
        String without = GOOD.substring(0, GOOD.indexOf("optimizer:"));
        assertEquals(
                new Optimizer(0.5, 0, Shape.ON),
                read(without, "optimizer.learning_rate=0.5", "optimizer.warmup_steps=0", "optimizer.shape=on")
                        .optimizer());
        assertEquals(
                "override optimizer.learning_rate=0.5: the key `optimizer.warmup_steps` is missing",
                error(without, "optimizer.learning_rate=0.5"));
    }

    @Test
    void anOverrideChangesOneOfTwoAliasedMappings() {
        record Two(Optimizer a, Optimizer b) {}
        String yaml = "recipe: r\na: &x {learning_rate: 1, warmup_steps: 1, shape: no}\nb: *x\n";
        Two two = ConfigFile.parse("r", yaml, List.of("a.warmup_steps=7")).as(Two.class);
        assertEquals(7, two.a().warmupSteps());
        assertEquals(1, two.b().warmupSteps());
    }

    @Test
    void errorsInOverridesNameTheOverride() {
        assertEquals("override beta=abc: `beta` must be a number, was the text \"abc\"", error(GOOD, "beta=abc"));
        assertEquals("override beta=-1: beta must be > 0, was -1.0", error(GOOD, "beta=-1"));
        assertEquals(
                "override optimizer.warmup_steps=5x: `optimizer.warmup_steps` must be a whole number, "
                        + "was the text \"5x\"",
                error(GOOD, "optimizer.warmup_steps=5x"));
        assertEquals(
                "override optimizer.warmup_steps=500: steps must be at least warmup_steps, was 100",
                error(GOOD, "optimizer.warmup_steps=500"));
        assertTrue(error(GOOD, "optimizr.shape=on")
                .startsWith("override optimizr.shape=on: unknown key `optimizr`; did you mean `optimizer`?"));
        assertEquals(
                "override beta.x=1: `beta` has no keys, it is the number 0.1; give it as a whole",
                error(GOOD, "beta.x=1"));
        assertTrue(error(GOOD, "beta").startsWith("override beta: must be key=value"));
        assertTrue(error(GOOD, "=1").startsWith("override =1: must be key=value"));
        assertTrue(error(GOOD, "betas=[1").startsWith("override betas=[1: not valid YAML: "));
        assertTrue(error(GOOD, "recipe=ppo").startsWith("override recipe=ppo: the recipe is chosen by the file"));
    }

    @Test
    void theFirstKeyIsRecipe() {
        assertEquals(
                "dpo.yaml:1:1: the first key must be `recipe`, such as `recipe: dpo`", error("beta: 1\nrecipe: dpo\n"));
        assertEquals("dpo.yaml: is empty; its first key must be `recipe`", error(""));
        assertEquals("dpo.yaml:1:1: must be `key: value` lines, is the text \"dpo\"", error("dpo"));
        assertEquals("dpo.yaml:1:9: `recipe` must be the name of a recipe, was a list of 1", error("recipe: [a]"));
        assertEquals(
                "dpo.yaml:1:9: unknown recipe `dpo`; did you mean `ppo`? valid here: `ppo`, `supervised`",
                ConfigFile.parse("dpo.yaml", GOOD, List.of())
                        .unknownRecipe(List.of("ppo", "supervised"))
                        .getMessage());
    }

    @Test
    void brokenYamlIsReportedWithItsPlaceInOneLine() {
        String message = error("recipe: dpo\nbetas: [1, 2\nbeta: 1\n");
        assertTrue(message.startsWith("dpo.yaml:3:") && message.contains("not valid YAML"), message);
        assertEquals(1, message.lines().count());
        String tab = error("recipe: dpo\n\tbeta: 1\n");
        assertTrue(tab.startsWith("dpo.yaml:2:1: not valid YAML"), tab);
    }

    @Test
    void filesAreReadFromDisk(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("dpo.yaml"), GOOD);
        assertEquals(read(GOOD), ConfigFile.open(file, List.of()).as(Config.class));
        Path absent = folder.resolve("absent.yaml");
        assertEquals(
                absent + ": no such file",
                assertThrows(ConfigException.class, () -> ConfigFile.open(absent, List.of()))
                        .getMessage());
        Files.write(file, new byte[] {'a', (byte) 0xff, 'b'});
        assertEquals(
                file + ": is not UTF-8 text",
                assertThrows(ConfigException.class, () -> ConfigFile.open(file, List.of()))
                        .getMessage());
    }
}

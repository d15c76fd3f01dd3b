package dev.kedge.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigRoundTripTest {
    enum Family {
        REVERSE_KL,
        NO,
        TRUE,
        ON
    }

    sealed interface Divergence permits Kl, Alpha {}

    @Kind("kl")
    record Kl() implements Divergence {}

    @Kind("alpha")
    record Alpha(double alpha, Optional<Kl> inner) implements Divergence {}

    record Empty() {}

    record Stage(String promptText, List<List<Double>> grid, Divergence divergence) {}

    record Config(
            double beta1,
            long seed,
            int maxNewTokens,
            boolean useKLPenalty,
            String text,
            Path model,
            Family family,
            Optional<String> note,
            Optional<Double> limit,
            Optional<Stage> extra,
            Empty empty,
            Divergence divergence,
            Optional<Divergence> other,
            List<Stage> stages,
            List<Divergence> sweep,
            List<String> tags,
            List<Family> families) {}

    /// Draws configurations; strings lean to those that YAML takes for something else.
    private static final class Draw {
        private static final String[] TEXTS = {
            "",
            " ",
            "no",
            "true",
            "null",
            "~",
            "1e-4",
            "0x1F",
            ".inf",
            "a: b",
            "# c",
            "- x",
            "'q'",
            "\"",
            "\\",
            "a\nb",
            "tab\t",
            "\r\n",
            "é",
            "漢字",
            "\uD83D\uDE00",
            "\u0000",
            "\u0085",
            "\u2028",
            "\uFEFF",
            "{a}",
            "[b]",
            "*x",
            "&y",
            "!t",
            "%",
            "@",
            "`",
            "plain",
            "with space",
            " lead",
            "trail ",
            "a/b.c-d",
            "<<",
            "=",
            "? ",
            "---",
            "\u007f"
        };
        private static final double[] REALS = {
            0.0,
            -0.0,
            1,
            -1.5,
            1e-4,
            1e22,
            Double.MIN_VALUE,
            Double.MAX_VALUE,
            Double.NaN,
            Double.POSITIVE_INFINITY,
            Double.NEGATIVE_INFINITY,
            0.1 + 0.2
        };
        private final Random random;

        Draw(long seed) {
            random = new Random(seed);
        }

        double real() {
            return random.nextBoolean()
                    ? REALS[random.nextInt(REALS.length)]
                    : Double.longBitsToDouble(random.nextLong() & 0xFFEFFFFFFFFFFFFFL);
        }

        String text() {
            String first = TEXTS[random.nextInt(TEXTS.length)];
            return random.nextBoolean() ? first : first + TEXTS[random.nextInt(TEXTS.length)];
        }

        Family family() {
            return Family.values()[random.nextInt(Family.values().length)];
        }

        Divergence divergence() {
            return random.nextBoolean() ? new Kl() : new Alpha(real(), maybe(Kl::new));
        }

        <T> Optional<T> maybe(Supplier<T> value) {
            return random.nextBoolean() ? Optional.of(value.get()) : Optional.empty();
        }

        <T> List<T> some(Supplier<T> value) {
            List<T> values = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) {
                values.add(value.get());
            }
            return values;
        }

        Stage stage() {
            return new Stage(text(), some(() -> some(this::real)), divergence());
        }

        Config config() {
            return new Config(
                    real(),
                    random.nextLong(),
                    random.nextInt(),
                    random.nextBoolean(),
                    text(),
                    Path.of("/" + text().replace('\0', '0')),
                    family(),
                    maybe(this::text),
                    maybe(this::real),
                    maybe(this::stage),
                    new Empty(),
                    divergence(),
                    maybe(this::divergence),
                    some(this::stage),
                    some(this::divergence),
                    some(this::text),
                    some(this::family));
        }
    }

    @Test
    void whatIsWrittenReadsBackEqual() {
        for (long seed = 0; seed < 1000; seed++) {
            Config config = new Draw(seed).config();
            String yaml = ConfigFile.text("some recipe", config);
            ConfigFile file = ConfigFile.parse("seed " + seed, yaml, List.of());
            assertEquals("some recipe", file.recipe());
            assertEquals(config, file.as(Config.class), () -> yaml);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"\uD83D", "\uDE00x", "a\uD800"})
    void unpairedSurrogatesSurviveToo(String text) {
        record One(String x) {}
        String yaml = ConfigFile.text("r", new One(text));
        assertEquals(new One(text), ConfigFile.parse("r", yaml, List.of()).as(One.class), yaml);
    }

    @Test
    void theTextIsReadableAndInTheOrderOfTheComponents() {
        record Inner(double learningRate, Optional<String> note) {}
        record Outer(
                Path model, List<Double> betas, Inner optimizer, List<Divergence> sweep, Family family, String s) {}
        assertEquals(
                """
                recipe: dpo
                model: /models/tiny
                betas: [0.1, 1e-4]
                optimizer:
                  learning_rate: 5e-6
                  note: null
                sweep:
                  - kind: kl
                  - kind: alpha
                    alpha: 0.5
                    inner: {}
                family: reverse_kl
                s: "no"
                """,
                ConfigFile.text(
                        "dpo",
                        new Outer(
                                Path.of("/models/tiny"),
                                List.of(0.1, 1e-4),
                                new Inner(5e-6, Optional.empty()),
                                List.of(new Kl(), new Alpha(0.5, Optional.of(new Kl()))),
                                Family.REVERSE_KL,
                                "no")));
    }

    @Test
    void theKindOfASealedInterfaceIsChecked() {
        record One(Divergence divergence) {}
        assertEquals(
                "r:2:20: `divergence.kind` cannot be \"alpa\"; did you mean `alpha`? valid here: `kl`, `alpha`",
                assertThrows(ConfigException.class, () -> ConfigFile.parse(
                                        "r", "recipe: r\ndivergence: {kind: alpa}\n", List.of())
                                .as(One.class))
                        .getMessage());
        assertEquals(
                "r:2:13: the key `divergence.kind` is missing; valid here: `kl`, `alpha`",
                assertThrows(ConfigException.class, () -> ConfigFile.parse(
                                        "r", "recipe: r\ndivergence: {alpha: 1}\n", List.of())
                                .as(One.class))
                        .getMessage());
    }

    @Test
    void camelCaseBecomesSnakeCase() {
        assertEquals("learning_rate", Names.snake("learningRate"));
        assertEquals("use_kl_penalty", Names.snake("useKLPenalty"));
        assertEquals("beta1", Names.snake("beta1"));
        assertEquals("top_p", Names.snake("topP"));
        assertEquals("reverse_kl", Names.snake("REVERSE_KL"));
        assertEquals("reverse_kl", Names.snake("ReverseKl"));
    }

    @Test
    void distanceCountsEdits() {
        assertEquals(0, Names.distance("beta", "beta"));
        assertEquals(3, Names.distance("kitten", "sitting"));
        assertEquals(4, Names.distance("", "beta"));
        assertEquals(2, Names.distance("ab", "ba"));
    }
}

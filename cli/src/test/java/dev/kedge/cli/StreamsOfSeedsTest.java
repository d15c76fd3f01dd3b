package dev.kedge.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Seeds are split by name (`Streams`): a seed that is calculated with gives runs each other's draws, shifted, and one
/// that is given to several generators as it is gives them the same draws.
class StreamsOfSeedsTest {
    private static final Path ROOT = Path.of(System.getProperty("kedge.root"));

    private static final String SEED = "(?:\\w+(?:\\(\\))?\\.)*(?:(?:seed|\\w*Seed)\\b(?:\\(\\))?|stream\\b(?!\\())";
    private static final String ARITHMETIC = "(?:-(?![->])|\\+(?!\\+)|[*^%]|<<|>>>?)";

    /// Text beside a `+` makes a name of the seed, not another one.
    private static final Pattern CALCULATED = Pattern.compile("\\b" + SEED + "\\s*" + ARITHMETIC + "(?!\\s*\")"
            + "|(?<![\"+/*-]\\s?)" + ARITHMETIC + "\\s*" + SEED + "(?!\\.)"
            + "|~\\s*" + SEED
            + "|nextLong\\(\\)\\s*" + ARITHMETIC);

    private static final Pattern RAW = Pattern.compile(
            "(?:Rng\\.seeded|new (?:java\\.util\\.)?(?:Splittable)?Random"
                    + "|new Bootstrap\\([^()]*,|new SeededOrder)\\(?\\s*(?:\\w+(?:\\(\\))?\\.)*(?:seed|\\w*Seed)(?:\\(\\))?\\)");

    /// Where streams and generators are made.
    private static final List<String> MADE =
            List.of("tensor/Streams.java", "tensor/Rng.java", "statistics/Bootstrap.java", "lab/plot/PairPlot.java");

    @Test
    void noSeedIsCalculatedWithOrGivenRaw() throws IOException {
        List<String> wrong = new ArrayList<>();
        int files = 0;
        for (Path file : sources()) {
            if (MADE.stream().noneMatch(file::endsWith)) {
                String code = code(Files.readString(file));
                files++;
                findings(code).forEach(found -> wrong.add(ROOT.relativize(file) + ": " + found));
            }
        }
        assertTrue(files > 300, files + " files were read");
        assertEquals(List.of(), wrong, "Streams.of(seed, \"what it is for\"[, index]) would be right");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "f(31 * config.seed() + step)",
                "new SplittableRandom(seed + 1)",
                "new SplittableRandom(seed+1)",
                "f(config.seed() + 3);",
                "f(1000 * seed + i)",
                "f(x + seed)",
                "f(x ^ seed)",
                "f(seed ^ 5)",
                "f(~seed)",
                "f(seed + 31L * task + k)",
                "f(stream + row)",
                "new SplittableRandom(new SplittableRandom(seed).nextLong() + step)",
                "new SplittableRandom(random.nextLong() + step)",
                "LongStream.range(seed, seed + count)",
                "Rng.seeded(seed)",
                "Rng.seeded(config.seed())",
                "Rng.seeded(bandit.seed())",
                "Rng.seeded(config\n    .seed())",
                "new SplittableRandom(seed).split()",
                "new Random(seed)",
                "new Bootstrap(2000, 0.95, config.seed())",
            })
    void aWrongOneIsFound(String code) {
        assertTrue(!findings(code(code)).isEmpty(), code);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Rng.seeded(Streams.of(seed, \"weights\"))",
                "Rng.seeded(Streams.of(config.seed(), \"steps\", step + 1))",
                "new SplittableRandom(Streams.of(bandit.seed(), \"contexts\", 31 * data))",
                "new Bootstrap(2000, 0.95, Streams.of(config.seed(), \"bootstrap\"))",
                "experiment.name() + \"-seed-\" + seed",
                "ModelCache.folder(run, this, stream + \" \" + device)",
                "seed -> trial(scale, seed)",
                "new Random(stream)",
                "Rng.seeded(0)",
                "/// 31 * seed + step\n",
                "f(); // seed + 1\n",
                "\"a game of \" + actions + \" actions a seed \"",
                "\"other seed\" + at",
                "lines.stream().map(f)",
                "seeds + 1",
                "a + config.seeds().size()",
            })
    void aRightOneIsNot(String code) {
        assertEquals(List.of(), findings(code(code)));
    }

    private static List<String> findings(String code) {
        return Stream.of(CALCULATED, RAW)
                .flatMap(wrong -> wrong.matcher(code).results())
                .map(found -> line(code, found.start()))
                .distinct()
                .toList();
    }

    private static String line(String code, int at) {
        int start = code.lastIndexOf('\n', at) + 1;
        int end = code.indexOf('\n', at);
        return code.substring(start, end < 0 ? code.length() : end).strip();
    }

    /// Without comments, and with empty texts.
    private static String code(String source) {
        return source.replaceAll("\"\"\"(?s:.*?)\"\"\"", "\"\"")
                .replaceAll("\"(?:[^\"\\\\\n]|\\\\.)*\"", "\"\"")
                .replaceAll("//[^\n]*", "")
                .replaceAll("(?s:/\\*.*?\\*/)", "")
                .replaceAll("\n\\s*\\.", ".");
    }

    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        try (Stream<Path> rooms = Files.list(ROOT)) {
            for (Path room : rooms.toList()) {
                Path main = room.resolve("src/main/java");
                if (Files.isDirectory(main)) {
                    try (Stream<Path> files = Files.walk(main)) {
                        files.filter(f -> f.toString().endsWith(".java")).forEach(sources::add);
                    }
                }
            }
        }
        return sources;
    }
}

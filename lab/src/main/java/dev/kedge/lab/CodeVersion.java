package dev.kedge.lab;

import dev.kedge.data.Dataset;
import dev.kedge.env.PreferenceGame;
import dev.kedge.nn.Parameters;
import dev.kedge.objective.Loss;
import dev.kedge.recipe.Recipes;
import dev.kedge.run.Run;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.task.ArithmeticTask;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.CharTokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipFile;

/// Which code runs: a checksum over the classes that can change a result.
final class CodeVersion {
    /// One class of each room up to this one.
    private static final List<Class<?>> ROOMS = List.of(
            Tensor.class,
            CharTokenizer.class,
            Bootstrap.class,
            Parameters.class,
            PreferenceGame.class,
            Loss.class,
            Dataset.class,
            Run.class,
            SequenceScores.class,
            ArithmeticTask.class,
            Recipes.class,
            CodeVersion.class);

    private CodeVersion() {}

    /// Eight hexadecimal digits; the same as long as no class changes.
    ///
    /// @param above one class of each room above this one whose classes can change a result, too
    static String current(Collection<Class<?>> above) {
        try {
            var checksums = new TreeMap<String, Long>();
            for (var room : Stream.concat(ROOMS.stream(), above.stream()).toList()) {
                var source = room.getProtectionDomain().getCodeSource().getLocation();
                add(Path.of(source.toURI()), checksums);
            }
            var all = new CRC32();
            all.update(checksums.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().toHexDigits((int) all.getValue());
        } catch (IOException e) {
            throw new UncheckedIOException("the project's own classes cannot be read", e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException("the project's own classes lie at no valid address", e);
        }
    }

    private static void add(Path source, Map<String, Long> checksums) throws IOException {
        if (Files.isRegularFile(source)) {
            try (var jar = new ZipFile(source.toFile())) {
                jar.stream()
                        .filter(e -> e.getName().endsWith(".class"))
                        .forEach(e -> checksums.put(e.getName(), e.getCrc()));
            }
            return;
        }
        try (var files = Files.walk(source)) {
            for (var file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                var sum = new CRC32();
                sum.update(Files.readAllBytes(file));
                checksums.put(source.relativize(file).toString().replace('\\', '/'), sum.getValue());
            }
        }
    }
}

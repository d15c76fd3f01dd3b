package dev.kedge.lab;

import dev.kedge.nn.Parameters;
import dev.kedge.objective.Loss;
import dev.kedge.recipe.Recipes;
import dev.kedge.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.ZipFile;

/// Which code runs: a checksum over the classes that can change a result.
final class CodeVersion {
    /// One class of each room.
    private static final Class<?>[] ROOMS = {
        Tensor.class, Parameters.class, Loss.class, Recipes.class, CodeVersion.class
    };

    private static final String CURRENT = compute();

    private CodeVersion() {}

    /// Eight hexadecimal digits; the same as long as no class changes.
    static String current() {
        return CURRENT;
    }

    private static String compute() {
        try {
            var checksums = new TreeMap<String, Long>();
            for (var room : ROOMS) {
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

package dev.kedge.text;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/// The folder of real data, without which a test that needs it is skipped.
final class RealData {
    private RealData() {}

    static Path folder(String name) {
        Path folder = Path.of(System.getProperty("kedge.data.dir", "data")).resolve(name);
        Assumptions.assumeTrue(Files.exists(folder), () -> "needs the data at " + folder.toAbsolutePath());
        return folder;
    }
}

package dev.kedge.data;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/// Files that others have made.
public final class RealData {
    private static final Path SAMPLES = Path.of(System.getProperty("kedge.root", ".."), "data/src/test/samples");
    private static final Path FOLDER = Path.of(System.getProperty("kedge.data.dir", "../../shared/data"));

    private RealData() {}

    /// The project's own sample where it has one, otherwise a file of the folder of real data, without which a test is
    /// skipped.
    public static Path file(String name) {
        Path sample = SAMPLES.resolve(name);
        if (Files.exists(sample)) {
            return sample;
        }
        Path path = FOLDER.resolve(name).normalize();
        assumeTrue(
                Files.exists(path),
                "needs " + path + ", which is not part of the project: -Dkedge.data.dir=FOLDER says where it is");
        return path;
    }
}

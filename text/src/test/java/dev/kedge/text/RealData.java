package dev.kedge.text;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/// Files that others have made.
final class RealData {
    private static final Path SAMPLES = Path.of(System.getProperty("kedge.root", ".."), "data/src/test/samples");
    private static final Path FOLDER = Path.of(System.getProperty("kedge.data.dir", "../../shared/data"));

    private RealData() {}

    /// A file or folder: the project's own sample where it has one, otherwise that of the folder of real data, without
    /// which a test is skipped.
    static Path folder(String name) {
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

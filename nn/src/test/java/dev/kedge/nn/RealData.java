package dev.kedge.nn;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/// Models that others have trained.
public final class RealData {
    private static final Path FOLDER = Path.of(System.getProperty("kedge.data.dir", "../../shared/data"));

    private RealData() {}

    /// A folder in the folder of real data, without which a test is skipped.
    public static Path folder(String name) {
        Path path = FOLDER.resolve(name).normalize();
        assumeTrue(
                Files.isDirectory(path),
                "needs " + path + ", which is not part of the project: -Dkedge.data.dir=FOLDER says where it is");
        return path;
    }
}

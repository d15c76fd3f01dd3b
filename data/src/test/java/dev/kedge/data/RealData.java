package dev.kedge.data;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/// The folder of real data, where there is one.
public final class RealData {
    private RealData() {}

    public static Path file(String name) {
        Path folder = Path.of(System.getProperty("kedge.data.dir", "data"));
        Path file = folder.resolve(name);
        assumeTrue(Files.exists(file), "no " + name + " in the folder kedge.data.dir=" + folder);
        return file;
    }
}

package dev.kedge.cli;

import java.nio.file.Path;

/// Where Kedge itself stands: the launcher says so.
final class Installation {
    private Installation() {}

    static Path root() {
        return Path.of(System.getProperty("kedge.root", "."));
    }

    static Path recipes() {
        return root().resolve("recipes");
    }

    static Path docs() {
        return root().resolve("docs");
    }
}

package dev.kedge.lab.report;

import dev.kedge.run.result.Summary;
import dev.kedge.run.result.SummaryJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// A run as its folder records it.
///
/// @param name   name of the folder
/// @param config the resolved configuration, verbatim; empty where the folder has none
public record RecordedRun(String name, String config, Metrics metrics, Summary summary) {
    private static final String METRICS = "metrics.jsonl";

    /// Reads `metrics.jsonl`, and where they exist `config.yaml` and `summary.json`.
    ///
    /// @throws IllegalArgumentException naming file and line or key, if the metrics are missing or a file is
    ///                                  malformed
    public static RecordedRun read(Path folder) {
        var metrics = folder.resolve(METRICS);
        if (!Files.isRegularFile(metrics)) {
            throw new IllegalArgumentException(metrics + ": no such file; a run folder holds its metrics there");
        }
        var summary = folder.resolve("summary.json");
        return new RecordedRun(
                folder.toAbsolutePath().normalize().getFileName().toString(),
                text(folder.resolve("config.yaml")),
                Metrics.parse(text(metrics), metrics.toString()),
                Files.isRegularFile(summary)
                        ? SummaryJson.parse(text(summary), summary.toString())
                        : Summary.of("", Summary.Status.RUNNING, Double.NaN));
    }

    /// Bytes that are not UTF-8 become replacement characters: a killed run may have cut one in two.
    private static String text(Path file) {
        try {
            return Files.isRegularFile(file) ? new String(Files.readAllBytes(file), StandardCharsets.UTF_8) : "";
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }
}
